/** Choosing the next token from the probabilities of a language model. */
import { ConfigError } from "../errors.js";

export interface SamplingOptions {
  /** Log probabilities are divided by it: below 1 the probable becomes more so; 0 takes the most probable. 1 by default. */
  readonly temperature?: number | undefined;
  /** Choose among this many of the most probable tokens; all by default. */
  readonly topK?: number | undefined;
  /**
   * Choose among the fewest tokens whose probabilities sum to at least this (nucleus sampling, Holtzman et al. 2020);
   * 1, which is all tokens, by default.
   */
  readonly topP?: number | undefined;
}

/** Throws {@link ConfigError} for invalid options. */
export function checkSampling({ temperature = 1, topK = 1, topP = 1 }: SamplingOptions): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new ConfigError(`sample: the temperature is a number of 0 or more, got ${temperature}`);
  if (!(Number.isInteger(topK) && topK > 0))
    throw new ConfigError(`sample: topK is a whole number above 0, got ${topK}`);
  if (!(topP > 0 && topP <= 1)) throw new ConfigError(`sample: topP is above 0 and at most 1, got ${topP}`);
}

/**
 * Draw a token by its probability, from log probabilities [vocabulary] and a number `u` that is uniform in [0, 1).
 * `topK` first keeps the most probable tokens, then `topP` keeps some of these, by their share of what `topK` kept;
 * equal tokens come in the order of their ids. Only as many tokens are sorted as are looked at.
 */
export function chooseToken(logProbs: Float32Array, u: number, options: SamplingOptions = {}): number {
  const { temperature = 1, topK = logProbs.length, topP = 1 } = options;
  const order = inOrder(logProbs);
  const best = order.at(0);
  if (temperature === 0) return best;
  const most = logProbs[best] as number;
  const weightOf = (token: number) => Math.exp(((logProbs[token] as number) - most) / temperature);
  const numKept = Math.min(topK, logProbs.length);
  let total = 0;
  if (numKept === logProbs.length) for (const token of logProbs.keys()) total += weightOf(token);
  else for (let i = 0; i < numKept; i++) total += weightOf(order.at(i));
  let nucleus = total;
  let numNucleus = numKept;
  if (topP < 1) {
    for (nucleus = 0, numNucleus = 0; numNucleus < numKept && nucleus < topP * total; numNucleus++)
      nucleus += weightOf(order.at(numNucleus));
  }
  let left = u * nucleus;
  for (let i = 0; i < numNucleus; i++) {
    left -= weightOf(order.at(i));
    if (left < 0) return order.at(i);
  }
  return order.at(Math.max(0, numNucleus - 1));
}

/**
 * Tokens from the most probable on, sorted as they are asked for: a heap, from which each token takes log(vocabulary)
 * time.
 */
function inOrder(logProbs: Float32Array): { at(index: number): number } {
  const heap = Int32Array.from(logProbs.keys());
  const taken: number[] = [];
  let size = heap.length;
  const isBefore = (a: number, b: number) => {
    const [x, y] = [logProbs[a] as number, logProbs[b] as number];
    return x === y ? a < b : x > y;
  };
  const sink = (from: number) => {
    const token = heap[from] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1] as number, heap[child] as number)) child++;
      if (!isBefore(heap[child] as number, token)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = token;
  };
  for (let i = (size >> 1) - 1; i >= 0; i--) sink(i);
  return {
    at(index) {
      while (taken.length <= index && size > 0) {
        taken.push(heap[0] as number);
        heap[0] = heap[--size] as number;
        sink(0);
      }
      return taken[index] ?? 0;
    },
  };
}
