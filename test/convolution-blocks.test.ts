/** Steps of blocks with convolutions and batch norms: PyTorch's, by the interpreter in double precision and by the engine. */
import { after, describe, test } from "node:test";
import { gradients } from "../src/graph/grad.js";
import { input, mul, reduceMean, sub } from "../src/graph/ops.js";
import type { Graph, Tensor } from "../src/graph/tensor.js";
import { bufferTensors, inputTensors, type Model, paramTensors, train } from "../src/nn/model.js";
import { onnxRuntimeEngine } from "../src/node/onnxruntime.js";
import { float32, type NamedArrays } from "../src/runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../src/runtime/named.js";
import { assertClose } from "./close.js";
import { residualBlock, separableBlock } from "./convolution-blocks.js";
import {
  type BlockName,
  type BlockResult,
  blockBatch,
  blockCases,
  blockKept,
  blockParams,
  LEARNING_RATE,
  MOMENTUM,
  NUM_STEPS,
} from "./golden/blocks.js";
import { readGolden, resultOf } from "./golden/golden.js";
import { GRADS } from "./gradcheck.js";
import { interpret, type Values } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const golden = readGolden<BlockResult>("blocks");
const blocks = { residual: residualBlock(3, [6, 6]), separable: separableBlock(3, 5, [6, 6]) };

type Run = (feeds: Readonly<Record<string, Values>>) => Promise<Readonly<Record<string, Values>>>;

/** Loss, gradients and new buffers of a batch. */
function blockGraph(model: Model, targetShape: readonly number[]): Graph {
  const params = paramTensors(model, "params");
  const { logits, buffers } = train(model, { ...params, ...bufferTensors(model, "kept") }, inputTensors(model));
  const error = sub(logits, input("target", ["batch", ...targetShape.slice(1)]));
  const loss = reduceMean(mul(error, error));
  const grads = gradients(loss, Object.values(params));
  const byName = Object.fromEntries(Object.keys(params).map((name, i) => [name, grads[i] as Tensor]));
  return { outputs: { loss, ...withPrefix(GRADS, byName), ...withPrefix("moved", buffers) }, updates: {} };
}

/** Stochastic gradient descent with momentum in JavaScript; only what it descends on is what is tested. */
async function checkSteps(name: "residual" | "separable", run: Run, tolerance: number): Promise<void> {
  const expected = resultOf(golden, name);
  let [params, kept] = [mapValues(blockParams(name), doubles), mapValues(blockKept(name), doubles)];
  const velocity = mapValues(params, ({ data }) => new Float64Array(data.length));
  for (let step = 0; step < NUM_STEPS; step++) {
    const feeds = { ...withPrefix("params", params), ...withPrefix("kept", kept), ...blockBatch(name, step) };
    const out = await run(feeds);
    assertClose(flat(named(out, "loss").data), flat([expected.losses[step] ?? Number.NaN]), tolerance, `loss ${step}`);
    const grads = underPrefix(GRADS, out);
    params = mapValues(params, ({ shape, data }, path) => {
      const [v, g] = [named(velocity, path), named(grads, path).data];
      for (let i = 0; i < v.length; i++) v[i] = MOMENTUM * (v[i] ?? 0) + Number(g[i]);
      return { shape, data: data.map((value, i) => value - LEARNING_RATE * (v[i] ?? 0)) };
    });
    kept = mapValues(underPrefix("moved", out), doubles);
  }
  for (const [path, data] of Object.entries(expected.params))
    assertClose(flat(named(params, path).data), flat(data), tolerance, path);
  for (const [path, data] of Object.entries(expected.kept))
    assertClose(flat(named(kept, path).data), flat(data), tolerance, path);
}

function doubles({ shape, data }: Values) {
  return { shape, data: Float64Array.from(data as ArrayLike<number>) };
}

function flat(data: Values["data"]): Values {
  return { shape: [data.length], data };
}

describe("three steps are PyTorch's", () => {
  for (const name of ["residual", "separable"] satisfies BlockName[]) {
    const graph = blockGraph(blocks[name], blockCases[name].floats.target);

    test(`${name}, in double precision`, () =>
      // The running statistics are moved by 0.1 and 0.9 in float32.
      checkSteps(name, async (feeds) => interpret(graph, feeds).outputs, 1e-7));

    test(`${name}, by the engine`, async () => {
      const program = await engine.compile(graph);
      const single = (feeds: Readonly<Record<string, Values>>): NamedArrays =>
        mapValues(feeds, ({ shape, data }) => float32(Float32Array.from(data as ArrayLike<number>), shape));
      await checkSteps(name, (feeds) => program.run(single(feeds)), 1e-4);
    });
  }
});
