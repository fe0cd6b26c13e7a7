/** What each pass promises of results: the same bits, equal numbers, or numbers that were rounded in another order. */
import assert from "node:assert/strict";
import { type Graph, rootsOf } from "../src/graph/graph.js";
import { allTensors } from "../src/graph/passes/walk.js";
import { noPasses, type Passes, type PassName, passNames } from "../src/graph/simplify.js";
import { isOp } from "../src/graph/tensor.js";
import { bytesOf, type NamedArrays } from "../src/runtime/array.js";
import { assertAllClose } from "./close.js";

export type Agreement = "bits" | "numbers" | "rounding";

const agreements: Readonly<Record<PassName, Agreement>> = {
  unused: "bits",
  fold: "bits",
  identities: "bits",
  common: "bits",
  algebra: "numbers",
  joins: "numbers",
  products: "rounding",
};

/** Rounding in another order changes results by less than this, by the largest of them. */
const ROUNDING = 1e-6;

/** Each pass by itself, all that leave numbers equal, and all. */
export const passSets: readonly (readonly [name: string, passes: Passes, agreement: Agreement])[] = [
  ...passNames.map((name) => [name, { ...noPasses, [name]: true }, agreements[name]] as const),
  ["all but products", { products: false }, "numbers"],
  ["all", {}, "rounding"],
];

/** Assert that results agree as much as is promised. */
export function assertAgree(actual: NamedArrays, expected: NamedArrays, agreement: Agreement, what: string): void {
  if (agreement === "rounding") {
    assertAllClose(actual, expected, ROUNDING, what);
    return;
  }
  assert.deepEqual(Object.keys(actual), Object.keys(expected), what);
  for (const [name, { dtype, shape, data }] of Object.entries(expected)) {
    const other = actual[name];
    assert.deepEqual([other?.dtype, other?.shape], [dtype, shape], `${name} of ${what}`);
    const [is, was] = [other?.data as Float32Array, data as Float32Array];
    const areEqual = agreement === "bits" ? haveSameBits(is, was) : is.every((value, i) => areSame(value, was[i]));
    assert.ok(areEqual, `${name} of ${what} is ${is.slice(0, 8)}, expected ${was.slice(0, 8)}`);
  }
}

function haveSameBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [bytesOf(a), bytesOf(b)];
  return x.every((byte, i) => byte === y[i]);
}

/** Equal numbers, zeros of either sign, or no numbers both. */
function areSame(a: number, b: number | undefined): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

/** How many operations a graph has, those of each step of a loop once. */
export function numOperations(graph: Graph): number {
  assert.ok(rootsOf(graph).length > 0);
  return new Set(allTensors(graph).filter((x) => !isOp(x, "input") && !isOp(x, "constant") && !isOp(x, "part"))).size;
}
