/** Every operation on WebGPU: what the interpreter computes, forward and backward; and what is left to the CPU. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Engine } from "../../src/engine/engine.js";
import type { Graph } from "../../src/graph/graph.js";
import { conv, convTranspose, input } from "../../src/graph/ops.js";
import type { Op } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { float32, type NamedArrays, sizeOf } from "../../src/runtime/array.js";
import { normal, rootKey } from "../../src/runtime/random.js";
import { assertAllClose } from "../fixtures/close.js";
import { COTANGENT, cotangentFor, gradientGraph, tolerances, weighted } from "../numerics/gradcheck.js";
import { interpret } from "../numerics/interpreter.js";
import { buildCase, type Case } from "../suites/op-case.js";
import { opCases } from "../suites/op-cases.js";
import { ON_CPU, placementOf } from "./placement.js";

const PROFILE = "profile";
const folder = mkdtempSync(join(tmpdir(), "codistill-webgpu-"));
after(() => rmSync(folder, { recursive: true }));

/** Give a test an engine on WebGPU that writes profiles, until it is done. */
async function withEngine(name: string, use: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = onnxRuntimeEngine({ threads: 1, device: "webgpu", profile: join(folder, `${PROFILE} ${name}`) });
  try {
    await use(engine);
  } finally {
    await engine.close();
  }
}

/** Differences are held against 1/100 at least, as they are on the CPU. */
const SCALE = 0.01;

async function check(engine: Engine, op: Op, opCase: Case): Promise<void> {
  const { output, feeds, wrt } = buildCase(op, opCase);
  const compare = async (graph: Graph, fed: NamedArrays, what: string) => {
    const expected = interpret(graph, fed).outputs;
    const actual = await (await engine.compile(graph)).run(fed);
    assertAllClose(actual, expected, tolerances.float32, `${opCase.name}, ${what}`, SCALE);
    return expected;
  };
  const { output: value } = await compare({ outputs: { output }, updates: {} }, feeds, "forward");
  if (wrt.length === 0) return;
  const all = { ...feeds, [COTANGENT]: cotangentFor(value?.shape ?? []) };
  await compare(gradientGraph(weighted(output), wrt), all, "backward");
}

describe("on WebGPU, to 1e-5", () => {
  for (const op of Object.keys(opCases) as Op[]) {
    test(op, () =>
      withEngine(op, async (engine) => {
        for (const opCase of opCases[op]) await check(engine, op, opCase);
      }),
    );
  }

  // Groups, and channels of each that go in and come out: kernels differ with what these can be divided by.
  const channels = [
    [1, 6, 4],
    [1, 3, 8],
    [1, 4, 4],
    [1, 5, 7],
    [2, 3, 5],
    [2, 2, 6],
    [2, 4, 4],
    [4, 1, 5],
    [4, 1, 1],
  ] as const;
  for (const [groups, inputs, outputs] of channels) {
    test(`convolutions of ${groups} groups of ${inputs} channels to ${outputs}, and back`, () =>
      withEngine(`conv ${groups} ${inputs} ${outputs}`, async (engine) => {
        const shapes = {
          x: [2, groups * inputs, 5, 6],
          w: [groups * outputs, inputs, 3, 3],
          g: [2, groups * outputs, 3, 3],
        };
        const [x, w, g] = [input("x", shapes.x), input("w", shapes.w), input("g", shapes.g)];
        const options = { strides: 2, pads: 1, groups };
        const graph: Graph = {
          outputs: {
            there: conv(x, w, options),
            dense: conv(x, w, { pads: 1, groups }),
            back: convTranspose(g, w, { ...options, outputPadding: [0, 1] }),
          },
          updates: {},
        };
        const draw = (name: keyof typeof shapes, seed: number) =>
          float32(normal(rootKey(seed), sizeOf(shapes[name])), shapes[name]);
        const feeds = { x: draw("x", 1), w: draw("w", 2), g: draw("g", 3) };
        assertAllClose(
          await (await engine.compile(graph)).run(feeds),
          interpret(graph, feeds).outputs,
          1e-5,
          "outputs",
        );
      }));
  }
});

test("what runs on the CPU beside WebGPU is what docs/devices.md lists", () => {
  const { cpu, webgpu } = placementOf(join(folder, PROFILE));
  const computed = [
    "Add",
    "Conv",
    "ConvTranspose",
    "Gemm",
    "LayerNormalization",
    "MatMul",
    "ReduceSum",
    "ScatterElements",
  ];
  assert.deepEqual(
    computed.filter((op) => !webgpu.includes(op)),
    [],
  );
  assert.deepEqual(cpu, [...ON_CPU].sort());
  const docs = readFileSync("docs/devices.md", "utf8");
  assert.deepEqual(
    cpu.filter((op) => !docs.includes(`\`${op}\``)),
    [],
  );
});
