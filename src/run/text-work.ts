/** Learning what comes next in a text. */
import type { Corpus } from "../data/text/corpus.js";
import { laneStream } from "../data/text/streams.js";
import type { TextSize } from "../data/text/text.js";
import { lstmLanguageModel } from "../nn/lstm-language-model.js";
import type { Model } from "../nn/model.js";
import { categorical } from "../nn/objectives.js";
import { type TextBatch, type TextScore, textScorer } from "../train/evaluate-text.js";
import type { Metrics } from "../train/events.js";
import { kept, shippedName } from "../train/graphs.js";
import { learnerOf } from "./learner.js";
import type { TextRunConfig } from "./schema.js";
import type { Work, Workload } from "./workload.js";

/** Text that is units, and what made them. */
export interface TokenisedText {
  readonly digest: string;
  readonly tokenizer: { readonly digest: string; readonly size: number };
}

/** A group's part of a text. */
export interface TextShard extends TokenisedText {
  readonly train: Corpus;
  /** The documents of this group's shard. */
  readonly shard: Uint32Array;
  readonly validation: Corpus;
  /** How much `validation` is. */
  readonly size: TextSize;
}

/** The batches of a run: texts side by side, of so many units. */
export function textBatch({ data, globalBatchSize, accumulate }: TextRunConfig): TextBatch {
  return { batchSize: globalBatchSize / accumulate, times: data.sequenceLength };
}

/** The network of a run, for so many different units. */
export function textModel(config: TextRunConfig, vocabulary: number): Model {
  const { width, hidden, layers, tied } = config.model;
  return lstmLanguageModel({ ...textBatch(config), vocabulary, width, hidden, numLayers: layers, isTied: tied });
}

/** What all groups share. Throws {@link ConfigError} when a pattern of the optimizer is of no param. */
export function textWork(config: TextRunConfig, { digest, tokenizer }: TokenisedText): Work {
  const model = textModel(config, tokenizer.size);
  const { batchSize, times } = textBatch(config);
  const objective = categorical({ numClasses: tokenizer.size });
  const labels = { shape: [times * batchSize], dtype: "int32" } as const;
  return { digest, declared: { tokenizer }, learner: learnerOf(config, model, { ...objective, labels }) };
}

/** The work of a group. Throws what {@link textWork} throws. */
export function textWorkload(config: TextRunConfig, data: TextShard): Workload {
  const work = textWork(config, data);
  const { learner } = work;
  return {
    ...work,
    numExamples: data.shard.length,
    stream: (key, cursor) =>
      laneStream({ corpus: data.train, documents: data.shard, ...textBatch(config), key, ...(cursor && { cursor }) }),
    async validator(engine) {
      const prefixes = { params: shippedName(learner), buffers: kept.buffers };
      const score = await textScorer(engine, learner.model, [prefixes], textBatch(config));
      return async (signal) => {
        const { models } = await score(data.validation, signal);
        return textMetrics(models[0] as TextScore, data.size);
      };
    },
  };
}

/**
 * The loss in nats per unit, and what follows from it: the perplexity e^loss, and bits per byte, loss x units / (ln 2 x
 * bytes), which is comparable between tokenizers. The ends of documents count as units and not as bytes.
 */
export function textMetrics(
  { loss, accuracy }: TextScore,
  { units, bytes }: TextSize,
): { readonly loss: number } & Metrics {
  const bitsPerByte = (loss * (units - 1)) / (Math.LN2 * bytes);
  return { loss, perplexity: Math.exp(loss), bitsPerByte, accuracy };
}
