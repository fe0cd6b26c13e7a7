/** Evaluates an exported language model on texts. */

import { idsName, labelsName } from "../../data/batch.js";
import { corpusOf } from "../../data/text/corpus.js";
import type { TextSize } from "../../data/text/text.js";
import { NO_LABEL, wholeText } from "../../data/text/whole.js";
import { DataError } from "../../errors.js";
import type { TextEvaluationView } from "../../report/evaluation.js";
import { textMetrics } from "../../run/text-spec.js";
import { joined, type NamedArrays } from "../../runtime/array.js";
import { named } from "../../runtime/named.js";
import { type DocumentsOptions, documents, findTexts } from "./documents.js";
import { openLanguageModel } from "./language-model.js";
import { lostText } from "./lost-text.js";
import type { Tokenizer } from "./tokenizer.js";

export interface EvaluateTextOptions extends Omit<DocumentsOptions, "onProgress"> {
  /** Called from time to time with the number of tokens read so far, and of all tokens. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface TextEvaluation extends TextEvaluationView {
  readonly model: string;
}

/**
 * The most parts of a text that are read side by side, and the fewest tokens of a part, so that beginning anew hardly
 * changes the loss.
 */
const MOST_LANES = 32;
const LEAST_TOKENS_OF_A_LANE = 2000;
/** Tokens of each lane that the model reads in a call. */
const TOKENS_OF_A_CALL = 64;

/**
 * Evaluate a language model, of a `model.onnx` or a run folder, on all documents of files as one text. A long text is
 * divided into up to 32 parts that are read side by side, each from the model's initial state on.
 *
 * Throws what {@link openLanguageModel} and {@link documents} throw, and {@link DataError} when there is too little
 * text.
 */
export async function evaluateText(
  path: string,
  source: string | readonly string[],
  { onProgress = () => {}, ...options }: EvaluateTextOptions,
): Promise<TextEvaluation> {
  const started = performance.now();
  const model = await openLanguageModel(path);
  try {
    const { tokens, notes, ...size } = await tokensOf(model.tokenizer, source, options);
    if (tokens.length < 2)
      throw new DataError(
        `evaluate: a token is predicted from those before it, and this text has ${tokens.length}. Give more text, and check --field.`,
      );
    const corpus = corpusOf(Float64Array.of(0, tokens.length), tokens);
    const numLanes = Math.max(1, Math.min(MOST_LANES, Math.floor(tokens.length / LEAST_TOKENS_OF_A_LANE)));
    let state = model.begin(numLanes);
    let [sum, hits, count] = [0, 0, 0];
    for (const batch of wholeText.lanes(corpus, numLanes, TOKENS_OF_A_CALL)) {
      options.signal?.throwIfAborted();
      const labels = dataOf(batch, labelsName);
      const read = await model.score(dataOf(batch, idsName), labels, TOKENS_OF_A_CALL, state);
      for (const [place, label] of labels.entries()) {
        if (label === NO_LABEL) continue;
        sum -= read.logProbs[place] as number;
        hits += Number(Number(read.best[place]) === label);
        count++;
      }
      ({ state } = read);
      onProgress(count, tokens.length);
    }
    const scored = { loss: sum / count, accuracy: hits / count };
    const { isLossy, ...shown } = size;
    const amount = { ...shown, tokens: tokens.length };
    return {
      model: path,
      ...amount,
      ...textMetrics(scored, { ...amount, isLossy }),
      notes,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await model.close();
  }
}

/** All documents as tokens, one after the other. */
async function tokensOf(
  tokenizer: Tokenizer,
  source: string | readonly string[],
  options: DocumentsOptions,
): Promise<Omit<TextSize, "tokens"> & { readonly tokens: Uint32Array; readonly notes: readonly string[] }> {
  const { files } = await findTexts(source, options);
  const parts: ArrayLike<number>[] = [];
  const lost = lostText(tokenizer, "the text");
  let [numDocuments, bytes] = [0, 0];
  for await (const { text, isLast } of documents(files, options)) {
    const ids = tokenizer.encode(text);
    lost.see(text, ids);
    parts.push(ids);
    bytes += Buffer.byteLength(text);
    if (!isLast) continue;
    numDocuments++;
    if (tokenizer.endOfText !== null) parts.push([tokenizer.endOfText]);
  }
  const tokens = joined(Uint32Array, parts);
  return { tokens, documents: numDocuments, bytes, isLossy: !lost.isGivenBack(), notes: lost.notes() };
}

function dataOf(batch: NamedArrays, name: string): Int32Array {
  return named(batch, name).data as Int32Array;
}
