/** The network of a run on text, and its batches. */
import { decodeJson } from "../checkpoint/json.js";
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

/**
 * A network as the files of its weights say it, in their metadata: without what only training has. The shapes of weights do not
 * tell all of it, such as the number of heads, with which a transformer computes something else by the same weights.
 */
export function networkText({ dropout: _, ...network }: TextRunConfig["model"]): string {
  return JSON.stringify(Object.fromEntries(Object.entries(network).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/**
 * Whether two texts of {@link networkText} are of one network: what both say is alike. An option that one of them lacks came with
 * another version of codistill, which takes its default for what the files before it are.
 */
export function isSameNetwork(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => decodeJson(text));
  if (!isRecord(a) || !isRecord(b)) return false;
  return Object.entries(a).every(([name, value]) => !Object.hasOwn(b, name) || b[name] === value);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

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
