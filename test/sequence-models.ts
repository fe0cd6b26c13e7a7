/** The networks over sequences of `golden/blocks_torch.py` as models of ours. */
import { transformerBlock, transformerBlockParams } from "../src/nn/attention.js";
import { type LstmLanguageModelOptions, lstmLanguageModel } from "../src/nn/lstm-language-model.js";
import type { Model } from "../src/nn/model.js";
import { categorical } from "../src/nn/objectives.js";
import { int32, type NamedArrays, sizeOf } from "../src/runtime/array.js";
import { named } from "../src/runtime/named.js";
import { type Key, uniform } from "../src/runtime/random.js";
import type { Learner } from "../src/train/graphs.js";

/** The recurrent language model, and the objective of its labels [sequenceLength x batch]. */
export function languageModel(sizes: LstmLanguageModelOptions): Pick<Learner, "model" | "objective"> {
  return languageTask(lstmLanguageModel(sizes), sizes.vocabulary);
}

/** A language model, and the objective of its labels, one for each of its ids. */
export function languageTask(model: Model, vocabulary: number): Pick<Learner, "model" | "objective"> {
  const labels = { shape: [sizeOf(named(model.inputs, "ids").shape as number[])], dtype: "int32" } as const;
  return { model, objective: { ...categorical({ numClasses: vocabulary }), labels } };
}

/** A batch for it: ids and labels, each drawn from its own key. */
export function randomTokens(
  sizes: Pick<LstmLanguageModelOptions, "sequenceLength" | "batchSize" | "vocabulary">,
  keyOf: (name: string) => Key,
): NamedArrays {
  const { sequenceLength, batchSize, vocabulary } = sizes;
  const draw = (name: string, shape: readonly number[]) =>
    int32(
      Int32Array.from(uniform(keyOf(name), sequenceLength * batchSize), (u) => Math.floor(u * vocabulary)),
      shape,
    );
  return { ids: draw("ids", [sequenceLength, batchSize]), labels: draw("labels", [sequenceLength * batchSize]) };
}

/** A block of x [batch, time, width]. */
export function transformerModel(shape: readonly number[], numHeads: number): Model {
  return {
    params: transformerBlockParams("", shape.at(-1) as number),
    inputs: { x: { shape, dtype: "float32" } },
    apply: (weights, inputs) => transformerBlock(weights, "", named(inputs, "x"), { numHeads }),
  };
}
