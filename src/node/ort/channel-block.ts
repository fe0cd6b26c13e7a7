/** Finds out whether ONNX Runtime has kernels that convolve blocks of channels on this machine, and how large blocks are. */
import type { EngineOptions } from "../../engine/engine.js";
import { type Plan, planOf } from "../../engine/plan.js";
import { type Graph, rootsOf } from "../../graph/graph.js";
import { BLOCKED, onnxNode } from "../../graph/onnx/builder.js";
import { encodeModel } from "../../graph/onnx-proto.js";
import { conv, convTranspose, input } from "../../graph/ops.js";
import { type Tensor, topologicalOrder } from "../../graph/tensor.js";
import { float32, type NamedArrays, sizeOf } from "../../runtime/array.js";
import { mapValues } from "../../runtime/named.js";
import { type Binding, planEngine } from "./bindings.js";

let found: Promise<number | undefined> | undefined;

/**
 * The channels of a block for the convolutions of a graph: undefined where it has none, where the options say so, where
 * the library lacks the kernels, or where they gave other results than its ordinary ones. It is found out once in each
 * thread, by what the processor has: the same for all threads and for every run on a machine.
 */
export async function channelBlockFor(
  graph: Graph,
  options: EngineOptions,
  binding: Promise<Binding>,
): Promise<number | undefined> {
  const { device = "cpu", blockedConvolutions = true } = options;
  const hasConvolutions = () =>
    topologicalOrder(rootsOf(graph)).some(({ op }) => op === "conv" || op === "convTranspose");
  if (device !== "cpu" || !blockedConvolutions || !hasConvolutions()) return undefined;
  found ??= binding.then(trial).catch(() => undefined);
  return found;
}

/** The size of a block, if convolutions of each kind that is given to such kernels are right here. */
async function trial(binding: Binding): Promise<number | undefined> {
  const engine = await planEngine({ threads: 1 }, binding);
  const run = async (plan: Plan, feeds: NamedArrays) => (await engine.compile(plan)).run(feeds);
  try {
    const { y: filled } = await run(fourChannels(), { x: float32([1, 2, 3, 4], [1, 4, 1, 1]) });
    // Four channels are filled up to a block.
    const block = filled?.shape[1] ?? 0;
    if (block <= 4) return undefined;
    const shapes = { x: [2, block, 5, 6], w: [block, block, 3, 3], each: [block, 1, 3, 3] };
    const [x, w, each] = Object.entries(shapes).map(([name, shape]) => input(name, shape)) as [Tensor, Tensor, Tensor];
    const outputs = {
      forward: conv(x, w, { pads: 1 }),
      back: convTranspose(x, w, { pads: 1 }),
      apart: conv(x, w, { pads: 2, strides: 2, dilations: 2 }),
      depthwise: conv(x, each, { pads: 1, groups: block }),
    };
    const graph = { outputs, updates: {} };
    const feeds = mapValues(shapes, someNumbers);
    const plain = await run(planOf(graph), feeds);
    const blocked = await run(planOf(graph, { channelBlock: block }), feeds);
    const isRight = Object.entries(plain).every(([name, { data }]) =>
      data.every((value, i) => Math.abs(Number(value) - Number(blocked[name]?.data[i])) < TOLERANCE),
    );
    return isRight ? block : undefined;
  } finally {
    await engine.close();
  }
}

/** Of sums of at most 144 products of numbers below 1. */
const TOLERANCE = 1e-4;

/** A model that rearranges images into blocks of channels. */
function fourChannels(): Plan {
  const info = (name: string, channels: { readonly dimValue: number } | { readonly dimParam: string }) => {
    const dim = [{ dimValue: 1 }, channels, { dimValue: 1 }, { dimValue: 1 }];
    return { name, type: { tensorType: { elemType: 1, shape: { dim } } } };
  };
  const onnx = encodeModel({
    irVersion: 8,
    producerName: "codistill",
    opsetImport: [
      { domain: "", version: 18 },
      { domain: BLOCKED, version: 1 },
    ],
    metadataProps: [],
    graph: {
      name: "codistill",
      node: [onnxNode("ReorderInput", ["x"], ["y"], {}, BLOCKED)],
      initializer: [],
      input: [info("x", { dimValue: 4 })],
      output: [info("y", { dimParam: "filled" })],
    },
  });
  return { onnx, inputs: ["x"], outputs: ["y"], updates: [], isGuarded: false };
}

/** Of both signs, below 1. */
function someNumbers(shape: readonly number[]) {
  return float32(
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + i)),
    shape,
  );
}
