/** Steps of blocks with convolutions and batch norms: PyTorch's, by the interpreter in double precision and by the engine. */
import { after, describe, test } from "node:test";
import { gradients } from "../../src/graph/grad.js";
import type { Graph } from "../../src/graph/graph.js";
import { input, mul, reduceMean, sub } from "../../src/graph/ops.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { inputTensors, type Model, paramTensors, train, weightTensors } from "../../src/nn/model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { withPrefix } from "../../src/runtime/named.js";
import { checkBlockSteps, singles } from "../fixtures/block-steps.js";
import { residualBlock, separableBlock } from "../fixtures/convolution-blocks.js";
import { type BlockName, blockCases } from "../golden/blocks.js";
import { GRADS } from "./gradcheck.js";
import { interpret } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const blocks = { residual: residualBlock(3, [6, 6]), separable: separableBlock(3, 5, [6, 6]) };

/** Loss, gradients and new buffers of a batch. */
function blockGraph(model: Model, targetShape: readonly number[]): Graph {
  const params = paramTensors(model, "params");
  const { logits, buffers } = train(
    model,
    { ...weightTensors(model, "params", "kept"), ...params },
    inputTensors(model),
  );
  const error = sub(logits, input("target", ["batch", ...targetShape.slice(1)]));
  const loss = reduceMean(mul(error, error));
  const grads = gradients(loss, Object.values(params));
  const byName = Object.fromEntries(Object.keys(params).map((name, i) => [name, grads[i] as Tensor]));
  return { outputs: { loss, ...withPrefix(GRADS, byName), ...withPrefix("moved", buffers) }, updates: {} };
}

describe("three steps are PyTorch's", () => {
  for (const name of ["residual", "separable"] satisfies BlockName[]) {
    const graph = blockGraph(blocks[name], blockCases[name].floats.target);

    test(`${name}, in double precision`, () =>
      // The running statistics are moved by 0.1 and 0.9 in float32.
      checkBlockSteps(name, async (feeds) => interpret(graph, feeds).outputs, 1e-7));

    test(`${name}, by the engine`, async () => {
      const program = await engine.compile(graph);
      await checkBlockSteps(name, (feeds) => program.run(singles(feeds)), 1e-4);
    });
  }
});
