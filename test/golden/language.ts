/** What the PyTorch twins of language models are given: settings, params of the student and of two teachers, a text. */
import { lstmLanguageModel } from "../../src/nn/lstm-language-model.js";
import { initWeights, type Model } from "../../src/nn/model.js";
import { transformerLanguageModel } from "../../src/nn/transformer-language-model.js";
import { float32, int32, type NamedArrays } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { fold, rootKey, uniform } from "../../src/runtime/random.js";

/** 50 steps of Adam; from step 15 on a teacher, from step 35 on a fresher snapshot of it, which goes on with its state. */
export const languageRun = {
  sequenceLength: 6,
  batchSize: 4,
  vocabulary: 13,
  lstm: { width: 8, hidden: 16 },
  transformer: { width: 8, numHeads: 2, numLayers: 2 },
  numSteps: 50,
  learningRate: 0.002,
  distillWeight: 0.75,
  teachers: [
    { from: 15, params: 1 },
    { from: 35, params: 2 },
  ],
} as const;

const sizes = {
  sequenceLength: languageRun.sequenceLength,
  batchSize: languageRun.batchSize,
  vocabulary: languageRun.vocabulary,
};

/** The networks, and whether a batch has lanes, [sequenceLength, batch], or sequences, [batch, sequenceLength]. */
export const languageNetworks = {
  lstm: { model: lstmLanguageModel({ ...sizes, ...languageRun.lstm }), hasLanes: true },
  llama: { model: transformerLanguageModel({ ...sizes, ...languageRun.transformer, style: "llama" }), hasLanes: false },
  gpt: {
    model: transformerLanguageModel({ ...sizes, ...languageRun.transformer, style: "gpt", isTied: false }),
    hasLanes: false,
  },
} as const satisfies Readonly<Record<string, { readonly model: Model; readonly hasLanes: boolean }>>;

export type LanguageNetwork = keyof typeof languageNetworks;

/** The student begins from params 0; the teachers have 1 and 2. */
export function languageParams(network: LanguageNetwork, index: number): NamedArrays {
  return initWeights(languageNetworks[network].model, fold(rootKey(21), index));
}

/** Ids and labels of a step: texts in which tokens follow one another in a hidden order. */
export function languageBatch(network: LanguageNetwork, step: number): NamedArrays {
  const { sequenceLength, batchSize, vocabulary } = languageRun;
  const { hasLanes } = languageNetworks[network];
  const tokenAt = (text: number, place: number) => {
    const [u = 0] = uniform(fold(fold(fold(rootKey(22), "noise"), text), place), 1);
    return u < 0.3 ? Math.floor((u / 0.3) * vocabulary) : (7 * text + 5 * place) % vocabulary;
  };
  const of = (after: number) =>
    Int32Array.from({ length: sequenceLength * batchSize }, (_, i) => {
      const [text, time] = hasLanes
        ? [i % batchSize, Math.floor(i / batchSize)]
        : [Math.floor(i / sequenceLength), i % sequenceLength];
      return tokenAt(text, step * sequenceLength + time + after);
    });
  return {
    ids: int32(of(0), hasLanes ? [sequenceLength, batchSize] : [batchSize, sequenceLength]),
    labels: int32(of(1)),
  };
}

/**
 * Steps of Adam with a teacher that does not change, of another network than the student: wider, of another depth and style. Of an LSTM
 * fewer, as its state carries differences of rounding on, which grow.
 */
export const fixedRun = {
  numSteps: { llama: 200, lstm: 40 },
  weight: 0.6,
  transformer: { width: 16, numHeads: 4, numLayers: 3 },
  lstm: { width: 12, hidden: 24, numLayers: 1 },
} as const;

/** The teachers of the students that have one which does not change. */
export const fixedNetworks = {
  lstm: lstmLanguageModel({ ...sizes, ...fixedRun.lstm }),
  llama: transformerLanguageModel({ ...sizes, ...fixedRun.transformer, style: "gpt", isTied: false }),
} as const satisfies Partial<Readonly<Record<LanguageNetwork, Model>>>;

export type FixedNetwork = keyof typeof fixedNetworks;
export const fixedNetworkNames = Object.keys(fixedNetworks) as FixedNetwork[];

/**
 * The teacher's params, with outputs larger than fresh ones, so that what it predicts is far from uniform. Larger weights of an LSTM's
 * layers would make its state chaotic: differences of rounding would grow from step to step.
 */
export function fixedParams(network: FixedNetwork): NamedArrays {
  return mapValues(initWeights(fixedNetworks[network], fold(rootKey(23), network)), (own, name) =>
    name === "output.weight"
      ? float32(
          Float32Array.from(own.data, (value) => 6 * Number(value)),
          own.shape,
        )
      : own,
  );
}

/** The data that `language.py` reads. */
export function languageData(): object {
  const plain = (arrays: NamedArrays) => mapValues(arrays, ({ shape, data }) => ({ shape, data: [...data] }));
  const networks = Object.keys(languageNetworks) as LanguageNetwork[];
  const batchesOf = (network: LanguageNetwork, numSteps: number) =>
    Array.from({ length: numSteps }, (_, step) => plain(languageBatch(network, step)));
  return {
    ...languageRun,
    fixed: {
      ...fixedRun,
      networks: Object.fromEntries(
        fixedNetworkNames.map((network) => [
          network,
          {
            student: plain(languageParams(network, 0)),
            teacher: plain(fixedParams(network)),
            batches: batchesOf(network, fixedRun.numSteps[network]),
          },
        ]),
      ),
    },
    networks: Object.fromEntries(
      networks.map((network) => [
        network,
        {
          params: [0, 1, 2].map((index) => plain(languageParams(network, index))),
          batches: batchesOf(network, languageRun.numSteps),
        },
      ]),
    ),
  };
}
