/** Continues texts by a language model. */
import { DataError } from "../../errors.js";
import { checkSampling, chooseToken, type SamplingOptions } from "../../run/sampling.js";
import { fold, rootKey, uniform } from "../../runtime/random.js";
import { decodeStream } from "./decode-stream.js";
import type { LanguageModel } from "./language-model.js";

export interface SampleOptions extends SamplingOptions {
  readonly prompt: string;
  /** Tokens at most; fewer where the text ends before. */
  readonly length: number;
  /** The same seed gives the same text. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The continuation of a prompt, piece by piece. The model first reads an end-of-text token, where its tokenizer has
 * one, and the prompt.
 *
 * Throws {@link ConfigError} for invalid options, and {@link DataError} for an empty prompt when the tokenizer has no
 * end-of-text token.
 */
export async function* sample(model: LanguageModel, options: SampleOptions): AsyncGenerator<string, void, void> {
  const { prompt, length, seed, signal } = options;
  checkSampling(options);
  const { tokenizer } = model;
  const { endOfText } = tokenizer;
  const given = Array.from(tokenizer.encode(prompt));
  const read = endOfText === null ? given : [endOfText, ...given];
  if (read.length === 0)
    throw new DataError("sample: the prompt is empty, and this tokenizer has no token to begin with. Give one.");
  let state = model.begin();
  let logProbs: Float32Array = new Float32Array();
  for (const token of read) {
    signal?.throwIfAborted();
    ({ logProbs, state } = await model.read(Int32Array.of(token), state));
  }
  // Without the end-of-text token before it, as some tokenizers decode the beginning of a text differently.
  const text = decodeStream(tokenizer, given);
  for (let i = 0; i < length; i++) {
    signal?.throwIfAborted();
    const [u = 0] = uniform(fold(fold(rootKey(seed), "sample"), i), 1);
    const token = chooseToken(logProbs, u, options);
    if (token === endOfText) break;
    const part = text.push(token);
    if (part !== "") yield part;
    if (i + 1 < length) ({ logProbs, state } = await model.read(Int32Array.of(token), state));
  }
  const rest = text.end();
  if (rest !== "") yield rest;
}
