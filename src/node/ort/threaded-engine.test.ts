import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { afterEach, describe, test } from "node:test";
import { promisify } from "node:util";
import { tinyLearner, tinyRows } from "../../../test/fixtures/tiny-run.js";
import { batchStream } from "../../data/stream.js";
import type { Engine } from "../../engine/engine.js";
import { ClosedError, ConfigError } from "../../errors.js";
import type { Graph } from "../../graph/graph.js";
import { add, input, matmul, mul, reduceSum } from "../../graph/ops.js";
import type { Tensor } from "../../graph/tensor.js";
import { initWeights } from "../../nn/model.js";
import { filled, float32 } from "../../runtime/array.js";
import { rootKey } from "../../runtime/random.js";
import { engineStudent, type StepMetrics } from "../../train/student.js";
import { onnxRuntimeEngine } from "./onnxruntime.js";
import { threadedEngine } from "./threaded-engine.js";

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

/** An engine that is closed after the test. */
function newEngine(make: (options: { threads: number }) => Engine = threadedEngine): Engine {
  const engine = make({ threads: 1 });
  engines.push(engine);
  return engine;
}

const x = input("x", [2]);
const doubled: Graph = { outputs: { doubled: mul(x, 2) }, updates: {} };
const counting: Graph = { outputs: { sum: reduceSum(x) }, updates: { x: add(x, 1) } };

describe("the engine on a thread of its own", () => {
  test("trains as the direct one does, to the bit, alone, taught and with sub-batches", async () => {
    const learner = tinyLearner();
    const teacher = { group: 1, step: 5, digest: "t", params: initWeights(learner.model, rootKey(9)) };
    const results = [threadedEngine, onnxRuntimeEngine].map(async (make) => {
      const student = engineStudent({ engine: newEngine(make), learner });
      await student.init(rootKey(1));
      const stream = batchStream({
        rows: tinyRows(64, 1),
        indices: Uint32Array.from({ length: 64 }, (_, row) => row),
        batchSize: 8,
        key: rootKey(2),
      });
      const metrics: StepMetrics[] = [];
      for (let step = 0; step < 20; step++) {
        const batches = Array.from({ length: step < 15 ? 1 : 3 }, () => stream.next());
        metrics.push(await student.learn(batches, step < 10 ? [] : [teacher], 1));
      }
      return { metrics, state: await student.state(), params: await student.params() };
    });
    const [threaded, direct] = await Promise.all(results);
    assert.deepEqual(threaded, direct);
  });

  test("answers calls in the order in which they were made", async () => {
    const engine = newEngine();
    const program = engine.compile(counting);
    const written = engine.write({ x: float32([1, 2]) });
    const sums = Promise.all(
      [0, 1, 2].map(async () => {
        const { sum } = await (await program).run({});
        return sum?.data[0];
      }),
    );
    await written;
    assert.deepEqual(await sums, [3, 5, 7]);
    assert.deepEqual(await engine.read(["x"]), { x: float32([4, 5]) });
  });

  for (const binding of ["native", "official"] as const) {
    // With an array that has no place in memory nothing is lent, with the official binding nothing ever is.
    for (const others of [{}, { nothing: float32([]) }]) {
      const names = ["x", ...Object.keys(others)].join(" and ");
      test(`writes lent ${names} before a run that was asked for after, ${binding}`, async () => {
        const engine = newEngine((options) => threadedEngine({ ...options, binding }));
        const program = await engine.compile(counting);
        await engine.write({ x: float32([1, 2]) });
        const written = engine.write({ x: float32([10, 20]), ...others }, { memory: "lent" });
        const { sum } = await program.run({});
        assert.equal(sum?.data[0], 30);
        await written;
      });
    }
  }

  test("goes on with runs while it compiles", async () => {
    const engine = newEngine();
    await engine.write({ x: float32([1, 2]) });
    const program = await engine.compile(counting);
    let long: Tensor = input("x", [2]);
    for (let i = 0; i < 3000; i++) long = add(long, 1);
    let isCompiled = false;
    const compiled = engine.compile({ outputs: { long }, updates: {} }).finally(() => {
      isCompiled = true;
    });
    // Runs that waited for the compiler would all end behind it: the first of them would be the last.
    let numRuns = 0;
    for (; !isCompiled; numRuns++) await program.run({});
    assert.ok(numRuns > 1, `${numRuns} run ended before what was compiled beside it`);
    const { long: end } = await (await compiled).run({});
    assert.deepEqual(end, float32([3001 + numRuns, 3002 + numRuns]));
  });

  test("waits with its end for what is being compiled", async () => {
    const engine = newEngine();
    const compiled = engine.compile(counting);
    await engine.close();
    await compiled;
  });

  test("takes over what is given, and copies what shares its memory with others", async () => {
    const engine = newEngine();
    const [own, whole] = [float32([1, 2]), Float32Array.of(3, 4, 5)];
    const part = { dtype: "float32", shape: [2], data: whole.subarray(1) } as const;
    await engine.write({ own, part }, { memory: "given" });
    assert.equal(own.data.length, 0);
    assert.deepEqual(whole, Float32Array.of(3, 4, 5));
    assert.deepEqual(await engine.read(["own", "part"]), { own: float32([1, 2]), part: float32([4, 5]) });
  });

  test("keeps copies: what was given and what was read may be changed", async () => {
    const engine = newEngine();
    const given = float32([1, 2]);
    const written = engine.write({ x: given });
    given.data[0] = 99;
    await written;
    const read = await engine.read(["x"]);
    assert.deepEqual(read, { x: float32([1, 2]) });
    (read.x?.data as Float32Array)[0] = 99;
    assert.deepEqual(await engine.read(["x"]), { x: float32([1, 2]) });
  });

  test("passes the worker's errors on with their messages, and goes on", async () => {
    const engine = newEngine();
    const program = await engine.compile(doubled);
    await assert.rejects(program.run({}), /"x" is neither fed nor kept/);
    await assert.rejects(engine.read(["y"]), /"y" is neither fed nor kept/);
    await assert.rejects(program.run({ x: float32([1, 2, 3]) }), Error);
    const [good, bad] = await Promise.allSettled([program.run({ x: float32([1, 2]) }), program.run({})]);
    assert.deepEqual(good.status === "fulfilled" && good.value, { doubled: float32([2, 4]) });
    assert.equal(bad.status, "rejected");
  });

  test("refuses a device that is not there as the direct one does", async () => {
    for (const make of [threadedEngine, onnxRuntimeEngine]) {
      const engine = newEngine((options) => make({ ...options, device: "cuda" }));
      await assert.rejects(engine.compile(doubled), (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.match(error.message, /^device: must be there to be trained on; cuda was tried/);
        return true;
      });
    }
  });

  test("refuses a graph that does not compile where it was asked to", async () => {
    const twice: Graph = { outputs: { sum: add(input("x", [2]), input("x", [])) }, updates: {} };
    await assert.rejects(newEngine().compile(twice), /two inputs are named "x"/);
  });

  test("leaves the event loop free while a long run is under way", async () => {
    const a = input("a", [600, 600]);
    const product = Array.from({ length: 6 }).reduce<Tensor>((b) => matmul(b, a), a);
    const long: Graph = { outputs: { sum: reduceSum(product) }, updates: {} };
    const turnsOf = async (engine: Engine) => {
      const program = await engine.compile(long);
      await engine.write({ a: filled([600, 600], 1e-3) });
      let turns = 0;
      let isDone = false;
      const turn = () => {
        turns++;
        if (!isDone) setImmediate(turn);
      };
      setImmediate(turn);
      await program.run({});
      isDone = true;
      return turns;
    };
    const direct = await turnsOf(newEngine(onnxRuntimeEngine));
    const threaded = await turnsOf(newEngine());
    assert.ok(threaded > 100, `${threaded} turns of the event loop during the run`);
    assert.ok(threaded > 10 * direct, `${direct} turns with the engine that blocks`);
  });
});

describe("a closed engine", () => {
  test("says so to every later call", async () => {
    const engine = threadedEngine({ threads: 1 });
    const program = await engine.compile(doubled);
    await engine.close();
    const wrong = ClosedError;
    await assert.rejects(program.run({ x: float32([1, 2]) }), wrong);
    await assert.rejects(engine.compile(doubled), wrong);
    await assert.rejects(engine.write({}), wrong);
    await assert.rejects(engine.read([]), wrong);
  });

  test("still answers the calls that were made before", async () => {
    const engine = threadedEngine({ threads: 1 });
    const program = await engine.compile(doubled);
    const running = program.run({ x: float32([1, 2]) });
    const closing = engine.close();
    const late = assert.rejects(program.run({ x: float32([1, 2]) }), ClosedError);
    assert.deepEqual(await running, { doubled: float32([2, 4]) });
    await closing;
    await late;
  });

  test("lets the process end", { timeout: 60_000 }, async () => {
    const module = JSON.stringify(new URL("./threaded-engine.js", import.meta.url).href);
    const code = `import(${module}).then(async ({ threadedEngine }) => {
      const engine = threadedEngine({ threads: 1 });
      await engine.write({ x: { dtype: "float32", shape: [1], data: Float32Array.of(5) } });
      const { x } = await engine.read(["x"]);
      await engine.close();
      console.log(x.data[0]);
    });`;
    const run = promisify(execFile)(process.execPath, ["--eval", code], { timeout: 50_000 });
    assert.equal((await run).stdout, "5\n");
  });
});
