/** Vectors of numbers (Gorishniy, Rubachev and Babenko 2022, "On embeddings for numerical features in tabular deep learning"). */
import {
  add,
  clamp,
  concat,
  constant,
  cos,
  div,
  greater,
  matmul,
  mul,
  relu,
  reshape,
  sin,
  sqrt,
  square,
  sub,
  where,
} from "../graph/ops.js";
import { type Axis, joined } from "../graph/shape.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { float32 } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import { normalInit } from "./initialisers.js";
import { linear, linearParams } from "./layers.js";
import type { Model } from "./model.js";

/** How many quantiles a feature has: at the shares 0, 1/64, ..., 1. */
export const NUM_QUANTILES = 65;

/** A numeric feature whose distribution is known. */
export interface SpreadNumber {
  /** {@link NUM_QUANTILES} quantiles of the training rows' finite values, in ascending order. */
  readonly quantiles?: readonly number[] | undefined;
  /**
   * Whether it is a mean of the label. Such a number has no bins: out of fold a name has a value for each fold, and a
   * network that can tell these apart learns the labels of training rows from them.
   */
  readonly isLabelMean?: true | undefined;
}

/** Each number as a piecewise-linear code: one value for each bin between quantiles, from 0 below it to 1 above it. */
export interface PiecewiseEmbedding {
  readonly kind: "piecewise";
  /** The most bins of a feature: 4, 8, 16, 32 or 64. Quantiles that are equal make one edge. */
  readonly bins: number;
}

/** Each number as sines and cosines of learned frequencies, through a layer that all features share. */
export interface PeriodicEmbedding {
  readonly kind: "periodic";
  /** Frequencies of each feature. */
  readonly frequencies: number;
  /** The standard deviation with which frequencies begin. */
  readonly sigma: number;
  /** Width of the vector that the shared layer makes of a feature. */
  readonly width: number;
}

export type NumericEmbedding = PiecewiseEmbedding | PeriodicEmbedding;

/** Makes vectors of numbers: x [batch, features] to [batch, width]. */
export interface NumberVectors extends Pick<Model, "params"> {
  readonly width: number;
  readonly rows: (params: Tensors, x: Tensor) => Tensor;
}

/**
 * The vectors of all numeric features, and beside them the features themselves, scaled robustly and clipped smoothly:
 *
 *     z = u / sqrt(1 + (u / 3)^2),  u = (x - median) / scale
 *
 * (Holzmüller, Grinsztajn and Steinwart 2024, RealMLP), where the scale is the distance of the quartiles / 1.349, which of
 * a normal distribution is the standard deviation. A missing or infinite number counts as the median.
 */
export function numericEmbedding(
  kind: NumericEmbedding,
  features: Readonly<Record<string, SpreadNumber>>,
): NumberVectors {
  const spreads = Object.entries(features).map(([name, { quantiles }]) => {
    if (quantiles?.length === NUM_QUANTILES) return quantiles;
    throw new Error(`internal: the numeric feature ${name} has no quantiles`);
  });
  const isLabelMean = Object.values(features).map((feature) => feature.isLabelMean === true);
  const vectors = vectorsOf(kind, { quantiles: spreads, isLabelMean });
  const centers = constant(float32(spreads.map(medianOf)));
  const scales = constant(float32(spreads.map(scaleOf)));
  return {
    params: vectors.params,
    width: spreads.length + vectors.width,
    rows(params, x) {
      const scaled = div(sub(x, centers), scales);
      const u = clamp(whereFinite(x, scaled), -FARTHEST, FARTHEST);
      const z = div(u, sqrt(add(1, square(div(u, CLIP)))));
      return vectors.width === 0 ? z : concat([z, vectors.rows(params, u, z)], 1);
    },
  };
}

/** Clipped numbers stay between minus and plus this. */
const CLIP = 3;
/** Scaled numbers are farther from 0 nowhere: their squares, and products with slopes, must stay finite. */
const FARTHEST = 1e6;
/** The least width of a bin, relative to where it is: float32 tells no two values of a narrower one apart. */
const NARROWEST = 1e-6;

interface Vectors extends Pick<Model, "params"> {
  readonly width: number;
  /** From scaled numbers u and clipped ones z, both [batch, features]. */
  readonly rows: (params: Tensors, u: Tensor, z: Tensor) => Tensor;
}

/** What is known of all numeric features, in their order. */
interface Spreads {
  readonly quantiles: readonly (readonly number[])[];
  readonly isLabelMean: readonly boolean[];
}

function vectorsOf(embedding: NumericEmbedding, spreads: Spreads): Vectors {
  switch (embedding.kind) {
    case "piecewise":
      return piecewise(embedding, spreads);
    case "periodic":
      return periodic(embedding, spreads);
  }
}

/**
 * clamp((x - e_t) / (e_t+1 - e_t), 0, 1) for the edges e of each feature. One product with a matrix of slopes, in whose
 * columns one number is not 0, gives the features of all bins their place.
 */
function piecewise({ bins }: PiecewiseEmbedding, { quantiles, isLabelMean }: Spreads): Vectors {
  const numFeatures = quantiles.length;
  const places = quantiles.flatMap((own, feature) => {
    if (isLabelMean[feature]) return [];
    const [center, scale] = [medianOf(own), scaleOf(own)];
    const edges = distinct(everyOf(own, bins).map((edge) => (edge - center) / scale));
    return edges.slice(1).map((end, t) => ({ feature, start: edges[t] as number, width: end - (edges[t] as number) }));
  });
  const slopes = new Float32Array(numFeatures * places.length);
  for (const [at, { feature, width }] of places.entries()) slopes[feature * places.length + at] = 1 / width;
  const starts = places.map(({ start, width }) => start / width);
  return {
    params: {},
    width: places.length,
    rows: (_, u) =>
      clamp(sub(matmul(u, constant(float32(slopes, [numFeatures, places.length]))), constant(float32(starts))), 0, 1),
  };
}

/** relu(W [sin(2 pi c z), cos(2 pi c z)] + b), the frequencies c of each feature learned and W shared by all. */
function periodic({ frequencies, sigma, width }: PeriodicEmbedding, { quantiles }: Spreads): Vectors {
  const numFeatures = quantiles.length;
  const path = "numbers";
  return {
    params: {
      [`${path}.frequencies`]: { shape: [numFeatures, frequencies], init: normalInit(sigma) },
      ...linearParams(path, 2 * frequencies, width),
    },
    width: numFeatures * width,
    rows(params, _, z) {
      const [numRows] = z.shape as [Axis];
      const turns = mul(reshape(z, [numRows, numFeatures, 1]), mul(2 * Math.PI, named(params, `${path}.frequencies`)));
      const waves = reshape(concat([sin(turns), cos(turns)], 2), [joined([numRows, numFeatures]), 2 * frequencies]);
      return reshape(relu(linear(params, path, waves)), [numRows, numFeatures * width]);
    },
  };
}

/** What was made of x, or 0 where x is missing (NaN) or infinite. */
export function whereFinite(x: Tensor, made: Tensor): Tensor {
  const isAbove = greater(x, Number.NEGATIVE_INFINITY);
  const isBelow = greater(Number.POSITIVE_INFINITY, x);
  return where(isAbove, where(isBelow, made, 0), 0);
}

/** Ascending edges without those that are as good as equal to the one before, or farther off than a scaled number. */
function distinct(edges: readonly number[]): number[] {
  const kept: number[] = [];
  for (const edge of edges) {
    const last = kept.at(-1);
    const isApart = last === undefined || edge - last > NARROWEST * Math.max(1, Math.abs(edge));
    if (isApart && Math.abs(edge) <= FARTHEST) kept.push(edge);
  }
  return kept;
}

function medianOf(quantiles: readonly number[]): number {
  return at(quantiles, 1 / 2);
}

/** The distance of the quartiles / 1.349; where they are equal, half the distance of the extremes; where these are, 1. */
function scaleOf(quantiles: readonly number[]): number {
  const quartiles = (at(quantiles, 3 / 4) - at(quantiles, 1 / 4)) / 1.349;
  return quartiles || (at(quantiles, 1) - at(quantiles, 0)) / 2 || 1;
}

function at(quantiles: readonly number[], share: number): number {
  return quantiles[Math.round(share * (NUM_QUANTILES - 1))] as number;
}

/** The quantiles between so many bins. */
function everyOf(quantiles: readonly number[], bins: number): number[] {
  return Array.from({ length: bins + 1 }, (_, i) => at(quantiles, i / bins));
}
