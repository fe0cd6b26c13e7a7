/** State tensors in memory that several threads see. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, describe, test } from "node:test";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { flightsLike, randomBatch } from "../../../test/fixtures/flights-like.js";
import type { Engine } from "../../engine/engine.js";
import { ConfigError } from "../../errors.js";
import type { Graph } from "../../graph/graph.js";
import { add, input, mul, transpose } from "../../graph/ops.js";
import type { Tensor } from "../../graph/tensor.js";
import { float32, type NamedArrays, zeros } from "../../runtime/array.js";
import { named } from "../../runtime/named.js";
import { rootKey } from "../../runtime/random.js";
import { engineStudent } from "../../train/student.js";
import { onnxRuntimeEngine } from "./onnxruntime.js";
import { threadedEngine } from "./threaded-engine.js";

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

/** An engine that is closed after the test. */
function newEngine(make: typeof threadedEngine = threadedEngine, binding: "native" | "official" = "native"): Engine {
  const engine = make({ threads: 1, binding });
  engines.push(engine);
  return engine;
}

const values = (arrays: NamedArrays, name: string) => [...named(arrays, name).data];

for (const [one, make] of Object.entries({ "on a thread": threadedEngine, "on this thread": onnxRuntimeEngine })) {
  describe(`engines ${one} that share tensors`, () => {
    test("see each other's steps in place and through a second buffer, and writes, without a copy", async () => {
      const [first, second] = [newEngine(make), newEngine(make)];
      await first.write({ x: float32([1, 2, 3, 4], [2, 2]), y: float32([1, 0, 0, 1], [2, 2]) });
      const [x, y] = [input("x", [2, 2]), input("y", [2, 2])];
      const graph: Graph = { outputs: {}, updates: { x: transpose(x), y: add(y, 1) } };
      const shared = await first.share(["x", "y"]);
      await second.adopt(shared);
      const programs = [await first.compile(graph), await second.compile(graph)];
      for (const program of [...programs, ...programs.slice(1)]) await program.run({});
      const expected = { x: float32([1, 3, 2, 4], [2, 2]), y: float32([4, 3, 3, 4], [2, 2]) };
      for (const engine of [first, second]) assert.deepEqual(await engine.read(["x", "y"]), expected);
      assert.deepEqual([values(shared, "x"), values(shared, "y")], [values(expected, "x"), values(expected, "y")]);
      await second.write({ x: zeros([2, 2]) });
      await first.write({ y: zeros([2, 2]) }, { memory: "lent" });
      for (const engine of [first, second])
        assert.deepEqual(await engine.read(["x", "y"]), { x: zeros([2, 2]), y: zeros([2, 2]) });
      (shared.x?.data as Float32Array)[3] = 7;
      assert.deepEqual(values(await second.read(["x"]), "x"), [0, 0, 0, 7]);
    });

    test("stop to share a name that gets another shape, and what one shared the other still keeps", async () => {
      const [first, second] = [newEngine(make), newEngine(make)];
      await first.write({ x: float32([1, 2]) });
      await second.adopt(await first.share(["x"]));
      await first.write({ x: float32([5, 6, 7]) });
      await first.write({ x: float32([8, 9]) });
      assert.deepEqual(values(await second.read(["x"]), "x"), [1, 2]);
      await first.close();
      assert.deepEqual(values(await second.read(["x"]), "x"), [1, 2]);
    });

    test("refuse what is not kept, and memory of one thread", async () => {
      const engine = newEngine(make);
      await engine.write({ x: float32([1, 2]) });
      const isConfigError = (pattern: RegExp) => (error: unknown) =>
        error instanceof ConfigError && error.code === "CONFIG" && pattern.test(error.message);
      await assert.rejects(engine.share(["y"]), /"y" is neither fed nor kept/);
      await assert.rejects(
        engine.adopt({ x: float32([1, 2]) }),
        isConfigError(/^adopt: "x" must be an array that share/),
      );
      const official = newEngine(make, "official");
      await official.write({ x: float32([1, 2]) });
      for (const refused of [() => official.share(["x"]), () => official.adopt({})])
        await assert.rejects(refused, isConfigError(/needs binding "native", got "official"/));
    });
  });
}

describe("two threads with an engine each", () => {
  test("one trains a step, the other sees the same bits", async () => {
    const learner = flightsLike();
    const [own, other] = [newEngine(), newEngine()];
    const [student, alone] = [engineStudent({ engine: own, learner }), engineStudent({ engine: newEngine(), learner })];
    for (const each of [student, alone]) await each.init(rootKey(1));
    const names = Object.keys(learner.model.params).map((name) => `params.${name}`);
    await other.adopt(await own.share(names));
    for (let step = 0; step < 3; step++) {
      const metrics = await student.learn([randomBatch(64, step)], [], 0);
      assert.deepEqual(metrics, await alone.learn([randomBatch(64, step)], [], 0));
      assert.deepEqual(await other.read(names), await own.read(names));
    }
    assert.deepEqual(await student.state(), await alone.state());
  });

  test("write their gradients into one memory and average them there, to the bit of doing it in turn", async () => {
    // Each engine's gradient g of (w x)^2 / 2 by w, at its own x; then w goes down their mean.
    const size = 10_000;
    const w = input("w", [size]);
    const gradientInto = (name: string): Graph => {
      const x = input("x", [size]);
      return { outputs: {}, updates: { [name]: add(mul(input(name, [size]), 0), mul(w, mul(x, x))) } };
    };
    const mean = mul(add(input("g0", [size]), input("g1", [size])), 0.5);
    const descent: Graph = { outputs: {}, updates: { w: add(w, mul(mean, -0.1)) } };
    const pair = [newEngine(), newEngine()] as const;
    const wave = (scale: number) => float32(Float32Array.from({ length: size }, (_, i) => Math.sin(scale * i)));
    await pair[0].write({ w: wave(1), g0: zeros([size]), g1: zeros([size]) });
    const shared = await pair[0].share(["w", "g0", "g1"]);
    await pair[1].adopt(shared);
    const workers = await Promise.all(pair.map((engine, i) => engine.compile(gradientInto(`g${i}`))));
    const descend = await pair[1].compile(descent);
    const inputs = [wave(2), wave(3)];
    const expected = wave(1).data.slice();
    for (let step = 0; step < 5; step++) {
      await Promise.all(workers.map((program, i) => program.run({ x: inputs[i] as NamedArrays[string] })));
      await descend.run({});
      for (let i = 0; i < size; i++)
        expected[i] = stepped(
          expected[i] ?? 0,
          inputs.map(({ data }) => data[i] ?? 0),
        );
    }
    assert.deepEqual(shared.w?.data.slice(), expected);
    assert.deepEqual((await pair[0].read(["w"])).w?.data, expected);
  });

  /** One weight after one step, rounded as the graph rounds. */
  function stepped(weight: number, xs: readonly number[]): number {
    const f = Math.fround;
    const [first = 0, second = 0] = xs.map((x) => f(weight * f(x * x)));
    return f(weight + f(f(f(first + second) * 0.5) * f(-0.1)));
  }

  test("a thread that ends, or is ended, leaves the memory to the others", async () => {
    const module = JSON.stringify(new URL("./onnxruntime.js", import.meta.url).href);
    const code = `
      import { workerData, parentPort } from "node:worker_threads";
      const { onnxRuntimeEngine } = await import(${module});
      const engine = onnxRuntimeEngine({ threads: 1, binding: "native" });
      await engine.write({ x: { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) } });
      parentPort.postMessage(await engine.share(["x"]));
      if (workerData.ends) await engine.close();
      else setInterval(() => {}, 1000);`;
    for (const ends of [true, false]) {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: { ends } });
      const ended = once(worker, "exit");
      const [shared] = (await once(worker, "message")) as [NamedArrays];
      if (!ends) await worker.terminate();
      await ended;
      const engine = newEngine();
      await engine.adopt(shared);
      const x = input("x", [3]) as Tensor;
      await (await engine.compile({ outputs: {}, updates: { x: add(x, 1) } })).run({});
      assert.deepEqual(values(shared, "x"), [2, 3, 4]);
    }
  });

  test("arrays that were shared stay the same memory on their way through messages", async () => {
    const engine = newEngine();
    await engine.write({ x: float32([1, 2]) });
    const shared = await engine.share(["x"]);
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(shared);
    const { message } = receiveMessageOnPort(port2) as { message: NamedArrays };
    port1.close();
    (message.x?.data as Float32Array)[0] = 9;
    assert.deepEqual(values(await engine.read(["x"]), "x"), [9, 2]);
    assert.deepEqual(await engine.share(["x"]), shared, "what is shared stays where it is");
  });
});
