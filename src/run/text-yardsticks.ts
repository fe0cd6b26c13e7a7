/**
 * Yardsticks for a language model: guessing, the frequencies of tokens, and an n-gram. A model that has learned
 * something is better than these.
 */
import type { Corpus } from "../data/text/corpus.js";
import { Ngram } from "../data/text/ngram.js";
import type { TextSize } from "../data/text/text.js";
import type { TestMetrics, Yardstick } from "../log/events.js";
import { count, loss } from "../report/format.js";
import { RATE_TOO_HIGH } from "./learning-watch.js";
import { breath } from "./score.js";
import { textMetrics } from "./text-spec.js";

export interface YardstickText {
  /** The size of the vocabulary: how many different tokens there are. */
  readonly vocabulary: number;
  readonly train: Corpus;
  /** How many of each token the training documents have. */
  readonly tokenCounts: Float64Array;
  readonly test: Corpus;
  /** How much `test` is. */
  readonly size: TextSize;
}

/** Training and test tokens of the n-gram at most, from documents all over the text: its tables stay below 200 MB, its time at seconds. */
const NGRAM_TOKENS = 1 << 20;
/** How many previous tokens an n-gram looks at: more of bytes, as each says less. */
const ORDERS = { bytes: 5, larger: 3 };
const BYTES_AND_END = 257;

/** The losses on the test documents of guessing, of the frequencies of tokens, and of an n-gram, in nats per token. */
export async function yardsticks(text: YardstickText, signal?: AbortSignal): Promise<Yardstick[]> {
  const { vocabulary, tokenCounts, test, size } = text;
  const ngram = await ngramLoss(text, signal);
  const of = (name: string, nats: number): Yardstick => {
    const { perplexity, bitsPerByte } = textMetrics({ loss: nats, accuracy: Number.NaN }, size);
    return {
      name,
      testLoss: nats,
      testPerplexity: perplexity,
      ...(bitsPerByte !== undefined && { testBitsPerByte: bitsPerByte }),
    };
  };
  return [
    of(`guessing among ${count(vocabulary)}`, Math.log(vocabulary)),
    of("frequencies of tokens", frequencyLoss(tokenCounts, test)),
    of(`n-gram, ${ngram.before} before`, ngram.loss),
  ];
}

/**
 * Remarks on a model beside the yardsticks, given in their order: that it is no better than one of them, and what may
 * help.
 */
export function remarksOn(
  { testLoss }: TestMetrics,
  [guessing, frequencies, ngram]: readonly Yardstick[],
): readonly string[] {
  const nats = (of: TestMetrics) => `${loss(of.testLoss)} nats per token`;
  const than = (yardstick: Yardstick) => `${loss(testLoss)} where ${yardstick.name} comes to ${nats(yardstick)}`;
  if (guessing && !(testLoss < ALMOST * guessing.testLoss))
    return [
      `the model is no better than guessing: ${than(guessing)}. It has learned nothing. ${RATE_TOO_HIGH}, or train for more steps.`,
    ];
  if (frequencies && !(testLoss < ALMOST * frequencies.testLoss))
    return [
      `the model is no better than the frequencies of tokens alone: ${than(frequencies)}. It has learned nothing of their order. Train for more steps (numSteps); if the loss no longer falls, ${lower(RATE_TOO_HIGH)}.`,
    ];
  if (ngram && !(testLoss < ngram.testLoss))
    return [
      `an n-gram is better than the model: ${than(ngram)}. Train for more steps, on more text, or with another learning rate.`,
    ];
  return [];
}

/** A remark where teachers that do not change tell less of a text than the frequencies of its tokens, and what may be wrong with them. */
export function remarksOnTeachers({ testLoss }: TestMetrics, [, frequencies]: readonly Yardstick[]): readonly string[] {
  if (!frequencies || testLoss < frequencies.testLoss) return [];
  return [
    `the teachers are no better than the frequencies of tokens: ${loss(testLoss)} where ${frequencies.name} comes to ${loss(frequencies.testLoss)} nats per token. Check that they were trained on such text; if they were, let them make less of the loss (teacherWeight).`,
  ];
}

/** A model whose loss is above this share of a yardstick's is no better than it. */
const ALMOST = 0.995;

const lower = (text: string) => `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;

/**
 * The loss in nats per token of predicting tokens by their frequency in training, with 1 added to every count so that
 * no token has probability 0.
 */
export function frequencyLoss(tokenCounts: Float64Array, test: Corpus): number {
  const total = tokenCounts.reduce((sum, times) => sum + times, tokenCounts.length);
  let [nats, numTokens] = [0, 0];
  for (const tokens of parts(test, Number.POSITIVE_INFINITY)) {
    for (const token of tokens) nats -= Math.log(((tokenCounts[token] as number) + 1) / total);
    numTokens += tokens.length;
  }
  return nats / numTokens;
}

/** The best of n-grams of several orders, and its order. */
async function ngramLoss(
  { vocabulary, train, test }: YardstickText,
  signal?: AbortSignal,
): Promise<{ readonly loss: number; readonly before: number }> {
  const order = vocabulary <= BYTES_AND_END ? ORDERS.bytes : ORDERS.larger;
  const ngram = new Ngram(order, Math.min(NGRAM_TOKENS, train.starts.at(-1) ?? 0), vocabulary);
  for (const tokens of parts(train, NGRAM_TOKENS)) {
    ngram.add(tokens);
    await breath(signal);
  }
  const bits = new Float64Array(order + 1);
  let numTokens = 0;
  for (const tokens of parts(test, NGRAM_TOKENS)) {
    ngram.addBits(tokens, bits);
    numTokens += tokens.length;
    await breath(signal);
  }
  const before = bits.indexOf(Math.min(...bits));
  return { loss: ((bits[before] as number) * Math.LN2) / numTokens, before };
}

/** The tokens of documents spread over a corpus, a long document in parts, up to about `mostTokens` tokens. */
function* parts({ numDocuments, starts, read }: Corpus, mostTokens: number): Generator<Int32Array, void, void> {
  const stride = Math.max(1, Math.floor((starts[numDocuments] as number) / mostTokens));
  let left = mostTokens;
  for (let d = 0; d < numDocuments && left > 0; d += stride) {
    const end = starts[d + 1] as number;
    for (let from = starts[d] as number; from < end && left > 0; from += PART_TOKENS) {
      const tokens = new Int32Array(Math.min(PART_TOKENS, end - from, left));
      read(from, tokens.length, tokens, 0);
      left -= tokens.length;
      yield tokens;
    }
  }
}

const PART_TOKENS = 1 << 16;
