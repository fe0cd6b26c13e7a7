import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine, Program } from "../../engine/engine.js";
import type { Graph } from "../../graph/graph.js";
import { livingEngine } from "./life-signs.js";

test("answers of an engine are told, and not more often than the watch looks", async (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const close = async () => {};
  const rest = { close, [Symbol.asyncDispose]: close };
  const answers: (() => void)[] = [];
  const program: Program = { ...rest, run: () => new Promise((resolve) => answers.push(() => resolve({}))) };
  const engine = { ...rest, compile: async () => program } as Partial<Engine> as Engine;
  let numTold = 0;
  const living = livingEngine(engine, 20, () => numTold++);
  const { run } = await living.compile({} as Graph);
  assert.equal(numTold, 1);
  const answer = async (at: number) => {
    now = at;
    const ran = run({});
    assert.equal(answers.length, 1);
    answers.pop()?.();
    await ran;
    return numTold;
  };
  assert.deepEqual([await answer(500), await answer(1001), await answer(1500), await answer(2500)], [1, 2, 2, 3]);
  now = 10_000;
  void run({});
  assert.equal(numTold, 3, "a run that gives no answer is no sign of life");
});
