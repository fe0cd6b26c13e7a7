/** The network of a run on text, and its batches. */
import type { ReadyStream } from "../data/stream.js";
import { laneStream, sequenceStream, type TextStreamOptions } from "../data/text/streams.js";
import { lstmLanguageModel, lstmReader } from "../nn/lstm-language-model.js";
import type { Model } from "../nn/model.js";
import type { TokenReader } from "../nn/token-reader.js";
import { transformerLanguageModel, transformerReader } from "../nn/transformer-language-model.js";
import { numChunksOf } from "../train/chunked-loss.js";
import type { TextBatch } from "../train/evaluate-text.js";
import type { TextRunConfig } from "./kinds/text.js";
import { sharersOf } from "./workers.js";

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
