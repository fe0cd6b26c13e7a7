/** Whether the C API does here what the engine builds on. */
import { messageOf } from "../../errors.js";
import { add, input, mul, reduceSum } from "../../graph/ops.js";
import { float32 } from "../../runtime/array.js";
import { planOf } from "../../runtime/engine.js";
import { nativeEngine } from "./native.js";

let found: Promise<string | null> | undefined;

/** What is wrong with the C API, or null; tested once for each thread that asks. */
export function nativeTrouble(): Promise<string | null> {
  found ??= test().then(
    () => null,
    (error: unknown) => messageOf(error),
  );
  return found;
}

/** Two steps of a tiny program that updates in place, one tensor through a second buffer, and returns a sum. */
async function test(): Promise<void> {
  const [x, y, scale] = [input("x", [3]), input("y", [3]), input("scale", [])];
  const plan = planOf({ outputs: { sum: reduceSum(x) }, updates: { x: add(x, mul(scale, y)), y: x } });
  const engine = nativeEngine({ threads: 1 });
  try {
    await engine.write({ x: float32([1, -2, 3]), y: float32([0.5, 1, 2]) });
    const program = await engine.compile(plan);
    const sums: unknown[] = [];
    for (const value of [2, 10]) sums.push((await program.run({ scale: float32([value], []) })).sum?.data[0]);
    const { x: newX, y: newY } = await engine.read(["x", "y"]);
    const got = [...sums, ...(newX?.data ?? []), ...(newY?.data ?? [])].join();
    // x = [1, -2, 3] + 2 [0.5, 1, 2] = [2, 0, 7], then [2, 0, 7] + 10 [1, -2, 3]; y is the x before.
    const expected = [2, 9, 12, -20, 37, 2, 0, 7].join();
    if (got !== expected) throw new Error(`its self-test must give ${expected}, got ${got}`);
  } finally {
    await engine.close();
  }
}
