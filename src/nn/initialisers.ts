/** Initial values of params: each initialiser is a pure function of a key and a shape. */
import { ShapeError } from "../errors.js";
import { filled, float32, sizeOf, zeros } from "../runtime/array.js";
import { fold, type Key, normal, uniform } from "../runtime/random.js";
import type { ParamSpec } from "./model.js";

/** From a key and a shape to the values of a param. */
export type Init = ParamSpec["init"];

/** All 0, as most biases begin. */
export const zerosInit: Init = (_, shape) => zeros(shape);

/** All 1, as the gains of normalisation begin. */
export const onesInit: Init = (_, shape) => filled(shape, 1);

/** All the same. */
export function constantInit(value: number): Init {
  return (_, shape) => filled(shape, value);
}

/** Normal with the given standard deviation. */
export function normalInit(std: number): Init {
  return (key, shape) =>
    float32(
      normal(key, sizeOf(shape)).map((value) => value * std),
      shape,
    );
}

/** Uniform between -limit and limit; its standard deviation is limit / sqrt(3). */
export function uniformInit(limit: number): Init {
  return (key, shape) =>
    float32(
      uniform(key, sizeOf(shape)).map((value) => (2 * value - 1) * limit),
      shape,
    );
}

/** 1 or -1, each with probability 1/2. */
export const randomSigns: Init = (key, shape) =>
  float32(
    uniform(key, sizeOf(shape)).map((value) => (value < 0.5 ? -1 : 1)),
    shape,
  );

/**
 * Normal with the given standard deviation `std`, where values beyond 2 `std` are drawn again. The result has a
 * standard deviation of 0.8796 `std`.
 */
export function truncatedNormal(std: number): Init {
  return (key, shape) => {
    const values = normal(key, sizeOf(shape)).slice();
    const isBeyond = (value: number) => Math.abs(value) > 2;
    for (let round = 1; values.some(isBeyond); round++) {
      const again = normal(fold(key, round), values.length);
      for (let i = 0; i < values.length; i++) if (isBeyond(values[i] as number)) values[i] = again[i] as number;
    }
    return float32(
      values.map((value) => value * std),
      shape,
    );
  };
}

/** The number of inputs that each output of a weight sums over, and the number of outputs that each input goes into. */
export interface Fans {
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * The fans of a weight: of a linear layer [inputs, outputs]; of a convolution [outputs, inputs / groups, ...kernel]
 * both times the size of the kernel, where the outputs are those of all groups, as PyTorch counts them. Both fans of a
 * vector are its size.
 */
export function fansOf(shape: readonly number[]): Fans {
  const [first = 1, second = first, ...kernel] = shape;
  if (kernel.length === 0) return { inputs: first, outputs: second };
  return { inputs: second * sizeOf(kernel), outputs: first * sizeOf(kernel) };
}

/** Values whose variance is a function of the fans. */
const byVariance = (distribution: "normal" | "uniform", variance: (fans: Fans) => number): Init => {
  return (key, shape) => {
    const std = Math.sqrt(variance(fansOf(shape)));
    return distribution === "normal" ? normalInit(std)(key, shape) : uniformInit(std * Math.sqrt(3))(key, shape);
  };
};

/** Normal with variance 2 / inputs, for layers followed by ReLU: keeps activations in size (He et al. 2015, eq. 10). */
export const heNormal = byVariance("normal", ({ inputs }) => 2 / inputs);

/** Uniform with variance 2 / inputs (He et al. 2015, eq. 10). */
export const heUniform = byVariance("uniform", ({ inputs }) => 2 / inputs);

/** Normal with variance 2 / outputs: keeps the size of gradients on their way back (He et al. 2015, eq. 14). */
export const heNormalBackward = byVariance("normal", ({ outputs }) => 2 / outputs);

/** Normal with variance 2 / (inputs + outputs), for layers without ReLU (Glorot and Bengio 2010, eq. 12). */
export const glorotNormal = byVariance("normal", ({ inputs, outputs }) => 2 / (inputs + outputs));

/** Uniform between -+ sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010, eq. 16). */
export const glorotUniform = byVariance("uniform", ({ inputs, outputs }) => 2 / (inputs + outputs));

/** Normal with variance 1 / inputs (LeCun et al. 1998, "Efficient backprop", eq. 16). */
export const lecunNormal = byVariance("normal", ({ inputs }) => 1 / inputs);

/**
 * Orthogonal rows or columns, whichever are fewer, of length `gain`: uniform among all such matrices (Saxe, McClelland and
 * Ganguli 2014). A weight of more than two axes counts as [first, all others].
 */
export function orthogonal(gain = 1): Init {
  return (key, shape) => {
    const [rows = 1] = shape;
    const columns = sizeOf(shape.slice(1));
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const vectors = orthonormal(key, count, length);
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const [vector, at] = rows <= columns ? [i, j] : [j, i];
        values[i * columns + j] = gain * (vectors[vector]?.[at] ?? Number.NaN);
      }
    }
    return float32(values, shape);
  };
}

/**
 * Blocks of equal width side by side along the last axis, as the gates of a recurrent layer: block i is drawn by `initOf(i)`
 * from a key of its own, as a param of its own would be.
 *
 * Throws {@link ShapeError} when the last axis does not divide into the blocks.
 */
export function sideBySide(numBlocks: number, initOf: (block: number) => Init): Init {
  return (key, shape) => {
    const columns = shape.at(-1) ?? 1;
    const width = columns / numBlocks;
    if (!Number.isInteger(width)) {
      throw new ShapeError(
        `sideBySide: the last axis must divide into the blocks, got ${columns} and ${numBlocks} blocks`,
      );
    }
    const values = new Float32Array(sizeOf(shape));
    for (let block = 0; block < numBlocks; block++) {
      const { data } = initOf(block)(fold(key, block), [...shape.slice(0, -1), width]);
      for (let i = 0; i < data.length; i++) {
        values[Math.floor(i / width) * columns + block * width + (i % width)] = Number(data[i]);
      }
    }
    return float32(values, shape);
  };
}

/**
 * `count` orthogonal vectors of length 1: the factor Q of normal random vectors, whose R has a positive diagonal. By
 * the modified Gram-Schmidt process, whose Q is as orthogonal as the vectors were independent (Björck 1967): to 13
 * digits for vectors drawn like these. A vector that is nearly a linear combination of earlier ones is made orthogonal
 * to them twice (Giraud et al. 2005).
 */
function orthonormal(key: Key, count: number, length: number): Float64Array[] {
  const draws = normal(key, count * length);
  const vectors = Array.from({ length: count }, (_, i) =>
    Float64Array.from(draws.subarray(i * length, (i + 1) * length)),
  );
  for (let first = 0; first < count; first += 4) {
    const block = vectors.slice(first, first + 4);
    const drawn = block.map((vector) => dot(vector, vector));
    for (let at = 0; at < first; at += 4) projectBlock(block, vectors.slice(at, at + 4));
    for (const [i, vector] of block.entries()) {
      for (const earlier of block.slice(0, i)) project(vector, earlier);
      if (dot(vector, vector) < NEARLY_NOTHING * (drawn[i] as number)) {
        for (const earlier of vectors.slice(0, first + i)) project(vector, earlier);
      }
      const size = Math.sqrt(dot(vector, vector));
      for (let k = 0; k < length; k++) vector[k]! /= size;
    }
  }
  return vectors;
}

/** The share of a squared length below which rounding errors begin to show. */
const NEARLY_NOTHING = 1e-6;

/** Subtract from a vector its projection on a vector of length 1. */
function project(vector: Float64Array, along: Float64Array): void {
  const share = dot(vector, along);
  for (let k = 0; k < along.length; k++) vector[k]! -= share * (along[k] as number);
}

/** The same for up to four vectors along four, two at a time: each value that is read serves several sums. */
function projectBlock(block: readonly Float64Array[], along: readonly Float64Array[]): void {
  const [a, b, c, d] = block;
  if (!a || !b || !c || !d) {
    for (const vector of block) for (const one of along) project(vector, one);
    return;
  }
  projectTwo(a, b, along);
  projectTwo(c, d, along);
}

function projectTwo(a: Float64Array, b: Float64Array, along: readonly Float64Array[]): void {
  const [p, q, r, s] = along as [Float64Array, Float64Array, Float64Array, Float64Array];
  let [ap, aq, ar, as] = [0, 0, 0, 0];
  let [bp, bq, br, bs] = [0, 0, 0, 0];
  for (let k = 0; k < a.length; k++) {
    const ak = a[k] as number;
    const bk = b[k] as number;
    ap += ak * p[k]!;
    aq += ak * q[k]!;
    ar += ak * r[k]!;
    as += ak * s[k]!;
    bp += bk * p[k]!;
    bq += bk * q[k]!;
    br += bk * r[k]!;
    bs += bk * s[k]!;
  }
  for (let k = 0; k < a.length; k++) {
    a[k]! -= ap * p[k]! + aq * q[k]! + ar * r[k]! + as * s[k]!;
    b[k]! -= bp * p[k]! + bq * q[k]! + br * r[k]! + bs * s[k]!;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
  return sum;
}
