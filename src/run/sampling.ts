/** Choosing what comes next from what a language model says of it. */
import { ConfigError } from "../errors.js";

export interface SamplingOptions {
  /** Log probabilities are divided by it: below 1 the probable becomes more so; 0 takes the most probable. 1 by default. */
  readonly temperature?: number;
  /** Choose among so many of the most probable; all by default. */
  readonly topK?: number;
  /** Choose among the fewest whose probabilities come to at least so much (Holtzman et al. 2020); 1, all, by default. */
  readonly topP?: number;
}

/** Throws {@link ConfigError} for options that are none. */
export function checkSampling({ temperature = 1, topK = 1, topP = 1 }: SamplingOptions): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new ConfigError(`sample: the temperature is a number of 0 or more, got ${temperature}`);
  if (!(Number.isInteger(topK) && topK > 0))
    throw new ConfigError(`sample: topK is a whole number above 0, got ${topK}`);
  if (!(topP > 0 && topP <= 1)) throw new ConfigError(`sample: topP is above 0 and at most 1, got ${topP}`);
}

/**
 * A unit by its probability, from log probabilities [units] and a number `u` that is uniform in [0, 1). The most probable
 * are kept by `topK` first and then, of their probabilities, by `topP`; equal ones in the order of their ids.
 */
export function chooseUnit(logProbs: Float32Array, u: number, options: SamplingOptions = {}): number {
  const { temperature = 1, topK = logProbs.length, topP = 1 } = options;
  const order = Array.from(logProbs.keys()).sort((a, b) => logProbs[b]! - logProbs[a]! || a - b);
  const [best = 0] = order;
  if (temperature === 0) return best;
  const kept = order.slice(0, topK);
  const weights = kept.map((unit) => Math.exp((logProbs[unit]! - logProbs[best]!) / temperature));
  const total = sumOf(weights);
  let numKept = 0;
  for (let share = 0; numKept < kept.length && share < topP * total; numKept++) share += weights[numKept] as number;
  const nucleus = weights.slice(0, Math.max(1, numKept));
  let left = u * sumOf(nucleus);
  for (const [i, weight] of nucleus.entries()) {
    left -= weight;
    if (left < 0) return kept[i] as number;
  }
  return kept[nucleus.length - 1] as number;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
