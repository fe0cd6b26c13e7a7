/** Tests whether the C API behaves on this machine as the engine needs it. */

import { planOf } from "../../engine/plan.js";
import { messageOf } from "../../errors.js";
import { add, input, mul, reduceSum } from "../../graph/ops.js";
import { float32, type NamedArrays } from "../../runtime/array.js";
import { nativeEngine } from "./native.js";
import type { PlanProgram } from "./plan-engine.js";

let found: Promise<string | null> | undefined;

/** The error of the C API's self-test, or null; the test runs once in each thread that asks. */
export function nativeTrouble(): Promise<string | null> {
  found ??= test().then(
    () => null,
    (error: unknown) => messageOf(error),
  );
  return found;
}

/**
 * Two steps of a tiny program that updates x in place and y through a second buffer, and returns the sum of y; then one
 * more step by each of two engines on shared memory, read through arrays that belong to no engine.
 */
async function test(): Promise<void> {
  const [x, y, scale] = [input("x", [3]), input("y", [3]), input("scale", [])];
  const plan = planOf({ outputs: { sum: reduceSum(y) }, updates: { x: add(x, mul(scale, y)), y: add(y, scale) } });
  const [first, second] = [nativeEngine({ threads: 1 }), nativeEngine({ threads: 1 })];
  try {
    await first.write({ x: float32([1, -2, 3]), y: float32([0.5, 1, 2]) });
    const [ofFirst, ofSecond] = [await first.compile(plan), await second.compile(plan)];
    const sums: unknown[] = [];
    const step = async ({ run }: PlanProgram, by: number) =>
      sums.push((await run({ scale: float32([by], []) })).sum?.data[0]);
    const numbers = (arrays: NamedArrays) => ["x", "y"].flatMap((name) => [...(arrays[name]?.data ?? [])]);
    await step(ofFirst, 2);
    await step(ofFirst, 10);
    const own = numbers(await first.read(["x", "y"]));
    const shared = await first.share(["x", "y"]);
    await second.adopt(shared);
    await step(ofSecond, 1);
    await step(ofFirst, 1);
    const got = [...sums, ...own, ...numbers(shared)].join();
    // y = [0.5, 1, 2], then y + 2, y + 10 and twice y + 1; each sum is of y before its update.
    // x = [1, -2, 3] + 2 [0.5, 1, 2] + 10 [2.5, 3, 4] = [27, 30, 47], then + [12.5, 13, 14] + [13.5, 14, 15].
    const expected = [3.5, 9.5, 39.5, 42.5, 27, 30, 47, 12.5, 13, 14, 53, 57, 76, 14.5, 15, 16].join();
    if (got !== expected) throw new Error(`its self-test must give ${expected}, got ${got}`);
  } finally {
    for (const engine of [first, second]) await engine.close();
  }
}
