import assert from "node:assert/strict";
import { test } from "node:test";
import { ClosedError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import { add, input } from "../graph/ops.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { scalar } from "../runtime/array.js";
import { MOST_PROGRAMS, programCache } from "./program-cache.js";

const plus = (n: number) => (): Graph => ({ outputs: { y: add(input("x", []), n) }, updates: {} });

test("programs are compiled once, and the one that was asked for longest ago is closed for one too many", async (t) => {
  const engine = onnxRuntimeEngine({ threads: 1 });
  t.after(() => engine.close());
  const cache = programCache(engine);
  const get = (n: number) => cache.get(String(n), plus(n));
  const [first, second] = [await get(0), await get(1)];
  for (let n = 2; n < MOST_PROGRAMS; n++) await get(n);
  assert.equal(await get(0), first);
  await get(MOST_PROGRAMS);
  assert.equal(await get(0), first);
  assert.deepEqual((await first.run({ x: scalar(1) })).y, scalar(1));
  await assert.rejects(second.run({ x: scalar(1) }), ClosedError);
  assert.deepEqual((await (await get(1)).run({ x: scalar(1) })).y, scalar(2));
});
