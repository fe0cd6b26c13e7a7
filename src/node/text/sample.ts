/** Texts that a language model goes on with. */
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
 * What follows a prompt, as it comes. The model reads the end of the text before, where its tokenizer has one, and the prompt.
 *
 * Throws {@link ConfigError} for options that are none, and {@link DataError} for an empty prompt of a tokenizer that has no
 * end of a text.
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
  // An end of a text before it is no part of the text, which may begin in a way of its own.
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
