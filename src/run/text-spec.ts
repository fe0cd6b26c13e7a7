/** Next-token prediction: the network, the batches and the metrics of a run on text. */
import type { ReadyStream } from "../data/stream.js";
import type { Corpus } from "../data/text/corpus.js";
import { laneStream, sequenceStream, type TextStreamOptions } from "../data/text/streams.js";
import type { TextSize } from "../data/text/text.js";
import { ConfigError } from "../errors.js";
import type { LabelSmoothing } from "../nn/label-losses.js";
import { withConfidencePenalty } from "../nn/losses.js";
import { lstmLanguageModel, lstmReader } from "../nn/lstm-language-model.js";
import type { Model } from "../nn/model.js";
import { categorical } from "../nn/objectives.js";
import type { TokenReader } from "../nn/token-reader.js";
import { transformerLanguageModel, transformerReader } from "../nn/transformer-language-model.js";
import { numChunksOf } from "../train/chunked-loss.js";
import { type TextBatch, type TextScore, textScorer } from "../train/evaluate-text.js";
import { shippedName, stateNames } from "../train/graphs.js";
import type { TextRunConfig } from "./kinds/text.js";
import { learnerOf } from "./learner.js";
import { levelsOf } from "./learning-watch.js";
import type { GroupSpec, RunSpec } from "./specs.js";
import { sharersOf } from "./workers.js";

/** Tokenised text, and its tokenizer. */
export interface TokenisedText {
  readonly digest: string;
  readonly tokenizer: { readonly digest: string; readonly size: number };
  /** How many of each token the training documents of all groups have. */
  readonly tokenCounts: Float64Array;
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

/** The batches of a worker: texts side by side, of so many tokens. */
export function textBatch(config: TextRunConfig): TextBatch {
  const { data, model, globalBatchSize, accumulate } = config;
  const layout = model.kind === "lstm" ? "lanes" : "sequences";
  return { batchSize: globalBatchSize / accumulate / sharersOf(config), sequenceLength: data.sequenceLength, layout };
}

/** How much text a step reads, of all workers together, and in how many pieces. */
export function streamSizes({ globalBatchSize, accumulate }: Pick<TextRunConfig, "globalBatchSize" | "accumulate">) {
  return { batchSize: globalBatchSize, pieces: accumulate };
}

/** A network of a run, and how it is served. */
export interface TextNetwork {
  readonly model: Model;
  readonly reader: TokenReader;
  readonly stream: (options: TextStreamOptions) => ReadyStream;
}

/** The network of a run, for a vocabulary of this size. */
export function textNetwork(config: TextRunConfig, vocabulary: number): TextNetwork {
  const { batchSize, sequenceLength } = textBatch(config);
  const { model } = config;
  const numChunks = numChunksOf(batchSize * sequenceLength, vocabulary);
  const sizes = {
    batchSize,
    sequenceLength,
    vocabulary,
    numChunks,
    width: model.width,
    numLayers: model.layers,
    isTied: model.tied,
    dropout: model.dropout,
  };
  if (model.kind === "lstm") {
    const options = { ...sizes, hidden: model.hidden };
    return { model: lstmLanguageModel(options), reader: lstmReader(options), stream: laneStream };
  }
  const options = { ...sizes, numHeads: model.heads, style: model.style };
  return { model: transformerLanguageModel(options), reader: transformerReader(options), stream: sequenceStream };
}

/**
 * What all groups of a run on text share. Throws {@link ConfigError} when a pattern of the optimizer matches no param.
 */
export function textRunSpec(config: TextRunConfig, { digest, tokenizer, tokenCounts }: TokenisedText): RunSpec {
  const { model } = textNetwork(config, tokenizer.size);
  const { batchSize, sequenceLength } = textBatch(config);
  const { labelSmoothing, confidencePenalty = 0, distillLoss } = config.task;
  const plain = categorical({
    numClasses: tokenizer.size,
    ...(labelSmoothing && { smoothing: smoothingOf(labelSmoothing, tokenCounts) }),
    ...(distillLoss && { distillLoss }),
  });
  const objective = confidencePenalty > 0 ? withConfidencePenalty(plain, confidencePenalty) : plain;
  const labels = { shape: [sequenceLength * batchSize], dtype: "int32" } as const;
  const learner = learnerOf(config, model, { ...objective, labels });
  const numChunks = model.head?.numChunks ?? 1;
  if (learner.distillation?.taught && numChunks > 1) {
    throw new ConfigError(
      `algorithm.distillShare: must be 1 where the logits of a batch are computed in chunks, as here in ${numChunks} for ${tokenizer.size} tokens; use fewer texts at once (accumulate, workers), or a smaller vocabulary`,
    );
  }
  return { digest, declared: { tokenizer }, learner };
}

/**
 * Label smoothing with the frequencies of tokens as its prior ("unigram"), or without a prior, which is the uniform
 * one.
 */
function smoothingOf(
  { amount, prior }: NonNullable<TextRunConfig["task"]["labelSmoothing"]>,
  counts: Float64Array,
): LabelSmoothing {
  if (prior === "uniform") return { amount };
  const total = counts.reduce((sum, count) => sum + count, 0);
  return { amount, prior: Array.from(counts, (count) => count / total) };
}

/** What a group of a run on text trains. Throws what {@link textRunSpec} throws. */
export function textGroupSpec(config: TextRunConfig, data: TextShard): GroupSpec {
  const spec = textRunSpec(config, data);
  const { learner } = spec;
  const { stream } = textNetwork(config, data.tokenizer.size);
  return {
    ...spec,
    numExamples: data.shard.length,
    levels: levelsOf(data.tokenCounts),
    stream: (key, cursor, part) =>
      stream({
        corpus: data.train,
        documents: data.shard,
        ...textBatch(config),
        ...streamSizes(config),
        key,
        ...(cursor && { cursor }),
        ...(part && { part }),
      }),
    async validator(engine) {
      const prefixes = { params: shippedName(learner), buffers: stateNames.buffers };
      const score = await textScorer(engine, learner.model, [prefixes], textBatch(config));
      return async (signal) => {
        const { models } = await score(data.validation, signal);
        return textMetrics(models[0] as TextScore, data.size);
      };
    },
  };
}

/**
 * The loss in nats per token, and what follows from it: the perplexity e^loss, and bits per byte, loss x tokens / (ln 2
 * x bytes), which is comparable between tokenizers. The ends of documents count as tokens and not as bytes. A text that
 * cannot be decoded from its tokens has no bits per byte, as the bits describe another text.
 */
export function textMetrics(
  { loss, accuracy }: TextScore,
  { tokens, bytes, isLossy = false }: TextSize,
): TextScore & { readonly perplexity: number; readonly bitsPerByte?: number } {
  const bitsPerByte = (loss * (tokens - 1)) / (Math.LN2 * bytes);
  return { loss, perplexity: Math.exp(loss), ...(!isLossy && { bitsPerByte }), accuracy };
}
