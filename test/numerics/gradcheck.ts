/** Gradients held against central differences, in the double precision of the interpreter. */
import assert from "node:assert/strict";
import { gradients } from "../../src/graph/grad.js";
import type { Graph } from "../../src/graph/graph.js";
import { input, mul, reduceSum } from "../../src/graph/ops.js";
import { isOp, type Tensor } from "../../src/graph/tensor.js";
import { float32, type NdArray, sizeOf } from "../../src/runtime/array.js";
import { underPrefix, withPrefix } from "../../src/runtime/named.js";
import { fold, normal, rootKey } from "../../src/runtime/random.js";
import { interpret, type Numbers, numbers, type Values } from "./interpreter.js";

/** The relative error that each kind of comparison is allowed. */
export const tolerances = {
  /** Central differences in double precision: a rounding error of about 1e-11 and a quadratic one of about 1e-10. */
  float64: 1e-6,
  /** A float32 engine against the interpreter; a float32 has a relative spacing of 1.2e-7. */
  float32: 1e-5,
} as const;

/** Prefix of the outputs of a {@link gradientGraph}. */
export const GRADS = "grads";

/** Fed in the place of the cotangent that {@link weighted} multiplies an output with. */
export const COTANGENT = "cotangent";

/** A scalar that depends on each element of an output in its own way: the sum of the output times a fed cotangent. */
export function weighted(output: Tensor): Tensor {
  return reduceSum(mul(output, input(COTANGENT, output.shape)));
}

/** A cotangent for an output of this shape: multiples of 1/64, drawn by seed. */
export function cotangentFor(shape: readonly number[], seed = 1): NdArray {
  return float32(
    normal(fold(rootKey(seed), "cotangent"), sizeOf(shape)).map((value) => Math.round(value * 64) / 64),
    shape,
  );
}

/** The gradients of a scalar by inputs, as a graph with an output `grads.x` for each input `x`. */
export function gradientGraph(scalar: Tensor, wrt: readonly Tensor[]): Graph {
  const grads = gradients(scalar, wrt);
  const named = Object.fromEntries(wrt.map((tensor, i) => [nameOf(tensor), grads[i] as Tensor]));
  return { outputs: withPrefix(GRADS, named), updates: {} };
}

/**
 * Assert that `gradients` of a scalar output agrees with central differences: in random directions over all of `wrt`
 * together, and element by element where there are few.
 */
export function checkGradients(scalar: Tensor, wrt: readonly Tensor[], feeds: Readonly<Record<string, Values>>): void {
  const grads = underPrefix(GRADS, interpret(gradientGraph(scalar, wrt), feeds).outputs);
  checkDifferences((perturbed) => evaluate(scalar, { ...feeds, ...perturbed }), pick(feeds, Object.keys(grads)), grads);
}

/** As {@link checkGradients}, for gradients that are already numbers of a function of numbers. */
export function checkDifferences(
  f: (at: Readonly<Record<string, Numbers>>) => number,
  at: Readonly<Record<string, Values>>,
  grads: Readonly<Record<string, Numbers>>,
): void {
  const point = Object.fromEntries(Object.entries(at).map(([name, values]) => [name, numbers(values)]));
  const size = Object.values(point).reduce((sum, { data }) => sum + data.length, 0);
  for (const name of Object.keys(point)) assert.deepEqual(grads[name]?.shape, point[name]?.shape, `shape of ${name}`);
  for (let i = 0; i < NUM_DIRECTIONS; i++) checkDirection(f, point, grads, randomDirection(point, i), "random");
  if (size > MOST_BY_ELEMENT) return;
  for (const [name, { data }] of Object.entries(point)) {
    for (let i = 0; i < data.length; i++)
      checkDirection(f, point, grads, unitDirection(point, name, i), `${name}[${i}]`);
  }
}

const NUM_DIRECTIONS = 3;
const MOST_BY_ELEMENT = 100;
const STEP = 1e-5;

type Point = Readonly<Record<string, Numbers>>;

function checkDirection(f: (at: Point) => number, point: Point, grads: Point, direction: Point, what: string): void {
  const difference = (f(moved(point, direction, STEP)) - f(moved(point, direction, -STEP))) / (2 * STEP);
  const derivative = Object.entries(direction).reduce((sum, [name, { data }]) => sum + dot(data, grads[name]?.data), 0);
  const allowed = tolerances.float64 * Math.max(1, Math.abs(difference));
  assert.ok(
    Math.abs(derivative - difference) <= allowed,
    `the gradient gives ${derivative} and the central difference ${difference} in direction ${what}`,
  );
}

function moved(point: Point, direction: Point, by: number): Point {
  return mapPoint(point, ({ data }, name) => data.map((value, i) => value + by * (direction[name]?.data[i] ?? 0)));
}

/** Normal, of about unit length over all arrays together. */
function randomDirection(point: Point, seed: number): Point {
  const size = Object.values(point).reduce((sum, { data }) => sum + data.length, 0);
  return mapPoint(point, ({ data }, name) =>
    Float64Array.from(normal(fold(fold(rootKey(seed), "direction"), name), data.length), (v) => v / Math.sqrt(size)),
  );
}

function unitDirection(point: Point, along: string, position: number): Point {
  return mapPoint(point, ({ data }, name) => data.map((_, i) => (name === along && i === position ? 1 : 0)));
}

function mapPoint(point: Point, map: (array: Numbers, name: string) => Float64Array): Point {
  return Object.fromEntries(
    Object.entries(point).map(([name, array]) => [name, { shape: array.shape, data: map(array, name) }]),
  );
}

function dot(a: Float64Array, b: Float64Array | undefined): number {
  return a.reduce((sum, value, i) => sum + value * (b?.[i] ?? Number.NaN), 0);
}

function evaluate(scalar: Tensor, feeds: Readonly<Record<string, Values>>): number {
  return interpret({ outputs: { scalar }, updates: {} }, feeds).outputs.scalar?.data[0] ?? Number.NaN;
}

function pick<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => names.includes(name)));
}

function nameOf(tensor: Tensor): string {
  if (!isOp(tensor, "input")) throw new Error(`gradcheck: inputs expected, got ${tensor.op}`);
  return tensor.attributes.name;
}
