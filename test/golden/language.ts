/** What the PyTorch twin of the language model is given: settings, params of the student and of two teachers, a text. */
import { lstmLanguageModel } from "../../src/nn/lstm-language-model.js";
import { initParams } from "../../src/nn/model.js";
import { int32, type NamedArrays } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { fold, key, uniform } from "../../src/runtime/random.js";

/** 50 steps of Adam; from step 15 on a teacher, from step 35 on a fresher snapshot of it, which goes on with its state. */
export const languageRun = {
  sizes: { times: 5, batchSize: 4, vocabulary: 13, width: 6, hidden: 8 },
  numSteps: 50,
  learningRate: 0.01,
  distillWeight: 0.75,
  teachers: [
    { from: 15, params: 1 },
    { from: 35, params: 2 },
  ],
} as const;

/** The student begins from params 0; the teachers have 1 and 2. */
export function languageParams(index: number): NamedArrays {
  return initParams(lstmLanguageModel(languageRun.sizes), fold(key(21), index));
}

/** Ids [times, batch] and labels [times x batch] of a step: lanes of a text in which units follow one another in a hidden order. */
export function languageBatch(step: number): NamedArrays {
  const { times, batchSize, vocabulary } = languageRun.sizes;
  const unitAt = (lane: number, place: number) => {
    const [u = 0] = uniform(fold(fold(fold(key(22), "noise"), lane), place), 1);
    return u < 0.3 ? Math.floor((u / 0.3) * vocabulary) : (7 * lane + 5 * place) % vocabulary;
  };
  const of = (after: number) =>
    Int32Array.from({ length: times * batchSize }, (_, i) =>
      unitAt(i % batchSize, step * times + Math.floor(i / batchSize) + after),
    );
  return { ids: int32(of(0), [times, batchSize]), labels: int32(of(1)) };
}

/** The data that `language.py` reads. */
export function languageData(): object {
  const plain = (arrays: NamedArrays) => mapValues(arrays, ({ shape, data }) => ({ shape, data: [...data] }));
  return {
    ...languageRun,
    params: [0, 1, 2].map((index) => plain(languageParams(index))),
    batches: Array.from({ length: languageRun.numSteps }, (_, step) => plain(languageBatch(step))),
  };
}
