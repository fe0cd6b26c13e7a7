import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { flightsLike, randomBatch, randomTeacher } from "../../../test/fixtures/flights-like.js";
import { isFull } from "../../../test/fixtures/full.js";
import { engineSuite } from "../../../test/suites/engine.suite.js";
import { a, updates } from "../../../test/suites/engine-graphs.js";
import type { EngineOptions } from "../../engine/engine.js";
import { ConfigError } from "../../errors.js";
import { toOnnx } from "../../graph/onnx.js";
import { add } from "../../graph/ops.js";
import { rootKey } from "../../runtime/random.js";
import { engineStudent } from "../../train/student.js";
import * as ort from "./library.js";
import { chooseBinding, onnxRuntimeEngine } from "./onnxruntime.js";
import { threadedEngine } from "./threaded-engine.js";

const bindings = ["native", "official"] as const;

for (const binding of bindings) {
  engineSuite(`the engine, ${binding}`, () => onnxRuntimeEngine({ threads: 2, binding }));
  // The thread passes calls on in the same way to both, but for what is lent, of which threaded-engine.test.ts has both.
  if (isFull || binding === "native")
    engineSuite(`the engine on a thread, ${binding}`, () => threadedEngine({ threads: 2, binding }));
}

describe("the bindings", () => {
  for (const threads of [1, 2]) {
    test(`give the same bits over 50 steps of the flights network, ${threads} threads`, async () => {
      const learner = { ...flightsLike({ hidden: [128, 64], widths: 16 }), ema: { decay: 0.99 } };
      const results = bindings.map(async (binding) => {
        const engine = onnxRuntimeEngine({ threads, binding });
        try {
          const student = engineStudent({ engine, learner });
          await student.init(rootKey(1));
          const metrics = [];
          for (let step = 0; step < 50; step++) {
            const teachers = [randomTeacher(learner, 2 + (step >> 4)), randomTeacher(learner, 9)].slice(0, step % 3);
            const sizes = step % 5 === 4 ? [64, 64] : [512];
            const batches = sizes.map((size, i) => randomBatch(size, 10 * step + i));
            metrics.push(await student.learn(batches, teachers, 0.5));
          }
          return { metrics, state: await student.state() };
        } finally {
          await engine.close();
        }
      });
      const [native, official] = await Promise.all(results);
      assert.deepEqual(native, official);
    });
  }

  test("are chosen by options, else by the environment, else by what works", async () => {
    const choose = (options: Partial<EngineOptions>) => chooseBinding({ threads: 1, ...options });
    assert.equal(await choose({}), "native");
    assert.equal(await choose({ binding: "official" }), "official");
    assert.equal(await choose({ device: "webgpu" }), "official");
    await assert.rejects(choose({ binding: "native", device: "cuda" }), /runs on device "cpu" only, got "cuda"/);
    process.env.CODISTILL_BINDING = "official";
    try {
      assert.equal(await choose({}), "official");
      assert.equal(await choose({ binding: "native" }), "native");
      process.env.CODISTILL_BINDING = "koffi";
      await assert.rejects(choose({}), /must be "native" or "official", got "koffi"/);
    } finally {
      delete process.env.CODISTILL_BINDING;
    }
  });
  test("the binding writes into the tensor that it is given to fetch into, which may be a feed", async () => {
    // What the engine builds on: were it to stop with another release, state tensors would no longer change.
    const graph = updates({ a: add(a, 1) });
    const session = await ort.InferenceSession.create(toOnnx(graph));
    const memory = Float32Array.of(1, -2, 3, 4);
    const tensor = new ort.Tensor("float32", memory, [2, 2]);
    await session.run({ a: tensor }, { "a.updated": tensor });
    await session.run({ a: tensor }, { "a.updated": tensor });
    assert.deepEqual([...memory], [3, 0, 5, 6]);
    await session.release();
  });

  test("refuse a device that is not there, naming it, what was tried and the cure", async () => {
    const engine = onnxRuntimeEngine({ threads: 1, device: "cuda" });
    const compiled = engine.compile(updates({ a: add(a, 1) }));
    await assert.rejects(compiled, (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, /cuda was tried with ONNX Runtime's cuda provider: .*NVIDIA GPU.*device "cpu"/s);
      return true;
    });
    await engine.close();
  });

  test("refuse WebGPU where no driver gives an adapter", { skip: process.platform !== "linux" }, async () => {
    const lines = await outputOf(`
      process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES = "/no/driver.json";
      const engine = onnxRuntimeEngine({ threads: 1, device: "webgpu" });
      await engine.compile(doubling).catch((error) => console.log(error.name, error.message.replaceAll("\\n", " ")));
      await engine.close();
    `);
    assert.match(
      lines[0] ?? "",
      /^ConfigError device: .*webgpu was tried.*Vulkan.*SwiftShader, as docs\/devices.md says/,
    );
  });

  test("give way to the official one where the C API cannot be loaded, with a notice", async () => {
    const lines = await outputOf(`
      Object.defineProperty(process, "arch", { value: "pdp11" });
      const notices = [];
      const options = { threads: 1, onNotice: (notice) => notices.push(notice) };
      const chosen = await chooseBinding(options);
      Object.defineProperty(process, "arch", { value: "${process.arch}" });
      const engine = onnxRuntimeEngine(options);
      await engine.write({ x: float32([1, 2]) });
      const { doubled } = await (await engine.compile(doubling)).run({});
      await engine.close();
      console.log(chosen);
      console.log([...doubled.data].join());
      console.log(notices.length, notices[0]);
      await chooseBinding({ threads: 1, binding: "native" }).catch((error) => console.log(error.name, error.message));
    `);
    assert.deepEqual(lines.slice(0, 2), ["official", "2,4"]);
    assert.match(lines[2] ?? "", /^2 the C API of ONNX Runtime does not work here, so .*[Kk]offi/);
    assert.match(lines[3] ?? "", /^ConfigError binding "native" needs the C API .*[Kk]offi.*Use "official"/);
  });

  test("leak nothing over thousands of runs, writes, errors and compilations", { timeout: 600_000 }, async () => {
    const lines = await outputOf(`
      const engine = onnxRuntimeEngine({ threads: 1, binding: "native" });
      const zeros = (size) => ({ dtype: "float32", shape: [size], data: new Float32Array(size) });
      const x = input("x", ["batch"]);
      const graph = { outputs: { sum: reduceSum(x), doubled: mul(x, 2) }, updates: { y: add(input("y", [100_000]), 1) } };
      await engine.write({ y: zeros(100_000) });
      const program = await engine.compile(graph);
      async function round(numRuns) {
        for (let run = 0; run < numRuns; run++) {
          await program.run({ x: zeros(1 + (run % 20) * 1000) });
          await program.run({ x: { ...zeros(4), shape: [2, 2] } }).then(() => console.log("no error"), () => {});
          await engine.write({ y: zeros(100_000), ["z" + (run % 3)]: zeros(100_000) }, { memory: run % 2 === 0 ? "lent" : "copied" });
          if (run % 20 === 0) {
            const other = onnxRuntimeEngine({ threads: 1, binding: "native" });
            await other.write({ x: zeros(100_000) });
            await (await other.compile(doubling)).run({ x: zeros(2) });
            await other.close();
          }
        }
        gc();
        return process.memoryUsage().rss / 2 ** 20;
      }
      await round(1000);
      const before = await round(500);
      const after = await round(3000);
      await engine.close();
      console.log(before, after);
    `);
    const [before = 0, after = Number.POSITIVE_INFINITY] = (lines[0] ?? "").split(" ").map(Number);
    // A leak of one array of 0.4 MB each run would be 1,200 MB, one of a session each 20th some 100.
    assert.ok(after < 1.3 * before, `resident memory went from ${before} MiB to ${after} MiB: ${lines}`);
  });

  for (const binding of bindings) {
    test(`free the memory of a closed program, ${binding}`, { timeout: 600_000 }, async () => {
      const lines = await outputOf(`
        const engine = onnxRuntimeEngine({ threads: 1, binding: "${binding}" });
        const size = 2 ** 21;
        const weights = { dtype: "float32", shape: [size], data: new Float32Array(size).fill(1) };
        const graph = { outputs: { sum: reduceSum(mul(input("x", []), constant(weights))) }, updates: {} };
        async function round(numPrograms) {
          for (let i = 0; i < numPrograms; i++) {
            const program = await engine.compile(graph);
            await program.run({ x: { dtype: "float32", shape: [], data: Float32Array.of(i) } });
            await program.close();
          }
          gc();
          return process.memoryUsage().rss / 2 ** 20;
        }
        await round(20);
        console.log(await round(20), await round(40));
        await engine.close();
      `);
      const [before = 0, after = Number.POSITIVE_INFINITY] = (lines[0] ?? "").split(" ").map(Number);
      // Each holds 8 MiB of weights: 40 that are not freed have at least 320 MiB. The first programs grow the allocator's own store.
      assert.ok(after < before + 160, `resident memory went from ${before} MiB to ${after} MiB: ${lines}`);
    });
  }

  test("run in workers that come and go, with no engine on the main thread", { timeout: 600_000 }, async () => {
    const lines = await outputOf(
      `
      if (isMainThread) {
        const one = () => new Promise((resolve, reject) => new Worker(new URL(import.meta.url)).on("exit", resolve).on("error", reject));
        for (let round = 0; round < 3; round++) console.log((await Promise.all([one(), one()])).join());
      } else {
        const engine = onnxRuntimeEngine({ threads: 2, binding: "native" });
        const program = await engine.compile(doubling);
        for (let run = 0; run < 30; run++) {
          await program.run({ x: float32([run, 1]) });
          gc();
        }
        await engine.close();
      }`,
    );
    assert.deepEqual(lines, ["0,0", "0,0", "0,0"]);
  });
});

/** The lines that a module prints, in a process of its own that knows the engine and some operations. */
async function outputOf(code: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "codistill-engine-"));
  const from = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const module = `
    import { isMainThread, Worker } from "node:worker_threads";
    import { chooseBinding, onnxRuntimeEngine } from ${from("./onnxruntime.js")};
    import { add, constant, input, mul, reduceSum } from ${from("../../graph/ops.js")};
    import { float32 } from ${from("../../runtime/array.js")};
    const doubling = { outputs: { doubled: mul(input("x", [2]), 2) }, updates: {} };
    ${code}`;
  try {
    const path = join(folder, "module.mjs");
    writeFileSync(path, module);
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", path], { timeout: 590_000 });
    return stdout.trimEnd().split("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
