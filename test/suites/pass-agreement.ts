/** What passes promise: fewer operations, and the same bits. */
import assert from "node:assert/strict";
import { type Graph, rootsOf } from "../../src/graph/graph.js";
import { allTensors } from "../../src/graph/passes/walk.js";
import { noPasses, type Passes, passNames } from "../../src/graph/simplify.js";
import { isOp } from "../../src/graph/tensor.js";
import { bytesOf, type NamedArrays } from "../../src/runtime/array.js";

/** Each pass by itself, and all. */
export const passSets: readonly (readonly [name: string, passes: Passes])[] = [
  ...passNames.map((name) => [name, { ...noPasses, [name]: true }] as const),
  ["all", {}],
];

/** Assert that results have the same names, shapes and bits. */
export function assertAgree(actual: NamedArrays, expected: NamedArrays, what: string): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected), what);
  for (const [name, { dtype, shape, data }] of Object.entries(expected)) {
    const other = actual[name];
    assert.deepEqual([other?.dtype, other?.shape], [dtype, shape], `${name} of ${what}`);
    const is = bytesOf(other?.data ?? new Uint8Array());
    assert.ok(
      bytesOf(data).every((byte, i) => byte === is[i]),
      `${name} of ${what} is ${other?.data.slice(0, 8)}, expected ${data.slice(0, 8)}`,
    );
  }
}

/** How many operations a graph has, those of each step of a loop once. */
export function numOperations(graph: Graph): number {
  assert.ok(rootsOf(graph).length > 0);
  return new Set(allTensors(graph).filter((x) => !isOp(x, "input") && !isOp(x, "constant") && !isOp(x, "part"))).size;
}
