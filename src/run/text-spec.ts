/** Next-token prediction: the network, the batches and the metrics of a run on text. */
import type { Corpus } from "../data/text/corpus.js";
import type { TextSize } from "../data/text/text.js";
import { ConfigError } from "../errors.js";
import type { LabelSmoothing } from "../nn/label-losses.js";
import { withConfidencePenalty } from "../nn/losses.js";
import { categorical } from "../nn/objectives.js";
import { type TextScore, textScorer } from "../train/evaluate-text.js";
import { shippedName, stateNames } from "../train/graphs.js";
import type { TextRunConfig } from "./kinds/text.js";
import { learnerOf } from "./learner.js";
import { levelsOf } from "./learning-watch.js";
import type { GroupSpec, RunSpec } from "./specs.js";
import { streamSizes, textBatch, textNetwork } from "./text-network.js";
import { fixedTeachersOf, notedTeachers } from "./text-teachers.js";

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
  const fixedTeachers = fixedTeachersOf(config, tokenizer.size);
  const numChunks = model.head?.numChunks ?? 1;
  if (learner.distillation?.taught && numChunks > 1) {
    throw new ConfigError(
      `${learner.distillation.taught.isShuffled ? 'algorithm.control: must not be "shuffled"' : "algorithm.distillShare: must be 1"} where the logits of a batch are computed in chunks, as here in ${numChunks} for ${tokenizer.size} tokens; use fewer texts at once (accumulate, workers), or a smaller vocabulary`,
    );
  }
  if (!fixedTeachers) return { digest, declared: { tokenizer }, learner };
  const ofTeachers = notedTeachers(config).map(({ sha256, network, weight }) => ({ sha256, network, weight }));
  return {
    digest,
    declared: { tokenizer, teachers: ofTeachers, teacherWeight: fixedTeachers.weight },
    learner: { ...learner, fixedTeachers },
  };
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
