/** Steps of recurrent layers and of a transformer block: PyTorch's, in double precision and by the engine. */
import { after, describe, test } from "node:test";
import { gradients } from "../../src/graph/grad.js";
import type { Graph } from "../../src/graph/graph.js";
import { input, logSoftmaxAt, mul, neg, reduceMean, reshape, sub } from "../../src/graph/ops.js";
import type { Tensor, Tensors } from "../../src/graph/tensor.js";
import { lstmLanguageModel } from "../../src/nn/lstm-language-model.js";
import { inputTensors, paramTensors, stateTensors, train } from "../../src/nn/model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { withPrefix } from "../../src/runtime/named.js";
import { checkBlockSteps, type Run, singles } from "../fixtures/block-steps.js";
import { type CellName, cells, inputsFor } from "../fixtures/cells.js";
import { transformerModel } from "../fixtures/sequence-models.js";
import { GRADS } from "./gradcheck.js";
import { interpret } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

function withGradients(loss: Tensor, params: Tensors, moved: Tensors): Graph {
  const grads = gradients(loss, Object.values(params));
  const byName = Object.fromEntries(Object.keys(params).map((name, i) => [name, grads[i] as Tensor]));
  return { outputs: { loss, ...withPrefix(GRADS, byName), ...withPrefix("moved", moved) }, updates: {} };
}

/** 2 layers of 4 units over 5 time steps of 3 examples, a vocabulary of 7. */
function layerNormLstmGraph(): Graph {
  const model = lstmLanguageModel({ sequenceLength: 5, batchSize: 3, vocabulary: 7, width: 5, hidden: 4 });
  const params = paramTensors(model, "params");
  const { logits, state } = train(model, { ...params, ...stateTensors(model, "kept") }, inputTensors(model));
  const labels = reshape(input("labels", [5, 3], "int32"), [15]);
  return withGradients(neg(reduceMean(logSoftmaxAt(logits, labels).at)), params, state);
}

/** 2 layers of 4 units over 5 time steps of 3 examples of width 5. */
function cellGraph(name: CellName): Graph {
  const { paramsOf, layer, stateOf } = cells[name];
  const params = inputsFor({ ...paramsOf("layers.0", 5, 4), ...paramsOf("layers.1", 4, 4) });
  const moved: Record<string, Tensor> = {};
  let x: Tensor = input("x", [5, 3, 5]);
  for (const path of ["layers.0", "layers.1"]) {
    const { outputs, state } = layer(params, path, x, stateOf(`kept.${path}`, 3, 4));
    x = outputs;
    Object.assign(moved, withPrefix(path, state));
  }
  const error = sub(x, input("target", [5, 3, 4]));
  return withGradients(reduceMean(mul(error, error)), params, moved);
}

/** 2 examples of 5 time steps, width 8, 2 heads. */
function transformerGraph(): Graph {
  const model = transformerModel([2, 5, 8], 2);
  const params = paramTensors(model, "params");
  const error = sub(model.apply(params, inputTensors(model)), input("target", [2, 5, 8]));
  return withGradients(reduceMean(mul(error, error)), params, {});
}

const graphs = {
  layerNormLstm: layerNormLstmGraph(),
  lstm: cellGraph("lstm"),
  gru: cellGraph("gru"),
  gruResetBefore: cellGraph("gruResetBefore"),
  elman: cellGraph("elman"),
  elmanRelu: cellGraph("elmanRelu"),
  transformer: transformerGraph(),
} as const;

describe("three steps are PyTorch's", () => {
  for (const name of Object.keys(graphs) as (keyof typeof graphs)[]) {
    test(`${name}, in double precision`, () =>
      checkBlockSteps(name, async (feeds) => interpret(graphs[name], feeds).outputs, 1e-6));

    test(`${name}, by the engine`, async () => {
      const program = await engine.compile(graphs[name]);
      const run: Run = (feeds) => program.run(singles(feeds));
      await checkBlockSteps(name, run, 1e-4);
    });
  }
});
