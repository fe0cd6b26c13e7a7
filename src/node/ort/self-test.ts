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

async function test(): Promise<void> {
  await testSteps();
  await testSharing();
}

/** One step each of two engines on one memory, seen by an array that is no engine's. */
async function testSharing(): Promise<void> {
  const x = input("x", [2]);
  const plan = planOf({ outputs: {}, updates: { x: add(x, mul(x, x)) } });
  const engines = [nativeEngine({ threads: 1 }), nativeEngine({ threads: 1 })] as const;
  try {
    const [first, second] = engines;
    await first.write({ x: float32([1, -3]) });
    const shared = await first.share(["x"]);
    await second.adopt(shared);
    for (const engine of engines) await (await engine.compile(plan)).run({});
    const got = [...(shared.x?.data ?? [])].join();
    // x + x^2 twice: [1, -3], [2, 6], [6, 42].
    if (got !== "6,42") throw new Error(`two engines on one memory must give 6,42, got ${got}`);
  } finally {
    for (const engine of engines) await engine.close();
  }
}

/** Two steps of a tiny program that updates in place, one tensor through a second buffer, and returns a sum. */
async function testSteps(): Promise<void> {
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
