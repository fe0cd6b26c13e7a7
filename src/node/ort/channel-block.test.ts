import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "../../../test/fixtures/close.js";
import type { Engine } from "../../engine/engine.js";
import { toModel } from "../../graph/onnx.js";
import { type ConvolutionOptions, conv, convTranspose, input } from "../../graph/ops.js";
import type { Tensor } from "../../graph/tensor.js";
import { float32, type NdArray, sizeOf } from "../../runtime/array.js";
import { fold, normal, rootKey } from "../../runtime/random.js";
import { channelBlockFor } from "./channel-block.js";
import { onnxRuntimeEngine } from "./onnxruntime.js";
import { threadedEngine } from "./threaded-engine.js";

interface Geometry {
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly options: ConvolutionOptions;
  readonly isTransposed?: boolean;
}

/** By blocks of 8 or 16 channels, the sizes of blocks that there are on processors with x86-64. */
const geometries: Readonly<Record<string, Geometry>> = {
  "3x3": { x: [3, 16, 5, 6], weight: [32, 16, 3, 3], options: { pads: 1 } },
  "3x3, its gradient by the input": {
    x: [2, 32, 5, 4],
    weight: [32, 16, 3, 3],
    options: { pads: 1 },
    isTransposed: true,
  },
  "stride 2": { x: [2, 32, 7, 6], weight: [16, 32, 3, 3], options: { strides: 2, pads: 1 } },
  "dilated, other numbers for each axis": {
    x: [2, 16, 9, 8],
    weight: [16, 16, 3, 2],
    options: {
      dilations: [2, 3],
      strides: [1, 2],
      pads: [
        [4, 0],
        [1, 3],
      ],
    },
  },
  "a kernel beyond the image": { x: [2, 16, 2, 2], weight: [16, 16, 5, 5], options: { pads: 2 } },
  "each channel by itself": { x: [2, 48, 6, 5], weight: [48, 1, 3, 3], options: { groups: 48, pads: 1 } },
  "each channel by itself, its gradient by the input": {
    x: [2, 48, 6, 5],
    weight: [48, 1, 3, 3],
    options: { groups: 48, pads: 1 },
    isTransposed: true,
  },
};

function tensorOf({ x, weight, options, isTransposed = false }: Geometry): Tensor {
  const operands = [input("x", ["batch", ...x.slice(1)]), input("w", weight)] as const;
  return isTransposed ? convTranspose(...operands, options) : conv(...operands, options);
}

const domains = (channelBlock: number | undefined, geometry: Geometry) =>
  toModel({ outputs: { y: tensorOf(geometry) }, updates: {} }, {}, { channelBlock }).graph.node.map(
    ({ domain }) => domain,
  );

test("convolutions by blocks of channels are those of one channel after the other, with the same bits by any binding and number of threads", async () => {
  const plainly = onnxRuntimeEngine({ threads: 2, blockedConvolutions: false });
  const byBlocks = [
    onnxRuntimeEngine({ threads: 1 }),
    onnxRuntimeEngine({ threads: 2 }),
    onnxRuntimeEngine({ threads: 2, binding: "official" }),
    threadedEngine({ threads: 1 }),
  ];
  try {
    for (const [name, geometry] of Object.entries(geometries)) {
      assert.ok(domains(16, geometry).includes("com.microsoft.nchwc"), name);
      const draw = (of: string, shape: readonly number[]) =>
        float32(normal(fold(rootKey(3), of + name), sizeOf(shape)), shape);
      const feeds = { x: draw("x", geometry.x), w: draw("w", geometry.weight) };
      const resultOf = async (engine: Engine) => {
        const { y } = await (await engine.compile({ outputs: { y: tensorOf(geometry) }, updates: {} })).run(feeds);
        return y as NdArray;
      };
      const plain = await resultOf(plainly);
      const [blocked, ...others] = await Promise.all(byBlocks.map(resultOf));
      for (const other of others) assert.deepEqual(other, blocked, name);
      // Sums of at most 800 products: their rounding errors are a thousandth of this.
      assertClose(blocked as NdArray, plain, 1e-4, name);
    }
  } finally {
    for (const engine of [plainly, ...byBlocks]) await engine.close();
  }
});

test("what is being compiled when an engine on a thread is closed is compiled before", async () => {
  const engine = threadedEngine({ threads: 1 });
  const compiled = engine.compile({ outputs: { y: tensorOf(geometries["3x3"] as Geometry) }, updates: {} });
  await engine.close();
  await compiled;
});

test("channels that fill no block, single positions and groups are left to other kernels, and so is every model that is shipped", () => {
  const threeByThree = geometries["3x3"] as Geometry;
  const others: Geometry[] = [
    { ...threeByThree, x: [1, 3, 5, 5], weight: [16, 3, 3, 3] },
    { ...threeByThree, weight: [10, 16, 3, 3] },
    { x: [1, 16, 5, 5], weight: [16, 16, 1, 1], options: {} },
    { x: [1, 32, 5, 5], weight: [32, 16, 3, 3], options: { groups: 2 } },
    { x: [1, 16, 2, 2], weight: [16, 16, 1, 2], options: { pads: 2 } },
  ];
  for (const each of others)
    assert.ok(
      domains(16, each).every((domain) => domain === ""),
      JSON.stringify(each),
    );
  assert.deepEqual(domains(undefined, threeByThree), [""]);
});

test("no block is looked for without convolutions, on other devices, or against the options", async () => {
  const graph = { outputs: { y: tensorOf(geometries["3x3"] as Geometry) }, updates: {} };
  const binding = Promise.resolve("official" as const);
  const x = input("x", [1]);
  assert.equal(await channelBlockFor({ outputs: { x }, updates: {} }, { threads: 1 }, binding), undefined);
  assert.equal(await channelBlockFor(graph, { threads: 1, device: "webgpu" }, binding), undefined);
  assert.equal(await channelBlockFor(graph, { threads: 1, blockedConvolutions: false }, binding), undefined);
  // Machines with x86-64 have such kernels; without them this test would say nothing of the one above.
  if (process.arch === "x64") assert.ok(((await channelBlockFor(graph, { threads: 1 }, binding)) ?? 0) >= 8);
});
