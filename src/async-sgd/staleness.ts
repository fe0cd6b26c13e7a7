/** What follows from the staleness of gradients: learning rates by it, and how often each was seen. */

/** The learning rate by staleness: as it is, or divided by 1 + staleness. */
export type StaleLearningRate = "same" | "inverse";

/**
 * The learning rate for a gradient of this staleness. "inverse" is the rate of Zhang et al. (2016,
 * "Staleness-aware async-SGD for distributed deep learning", equation 6), who divide by the staleness tau where it is not 0;
 * here by 1 + tau, so that a gradient that is one update late counts half.
 */
export function staleRate(policy: StaleLearningRate, rate: number, staleness: number): number {
  return policy === "inverse" ? rate / (1 + staleness) : rate;
}

/** Stalenesses that are told apart; larger ones count as this one. */
export const MOST_STALE = 255;

/** How many gradients had each staleness, from 0 on. */
export type StalenessCounts = readonly number[];

/** The counts with one more gradient. */
export function counted(counts: StalenessCounts, staleness: number): StalenessCounts {
  const at = Math.min(staleness, MOST_STALE);
  return Array.from({ length: Math.max(counts.length, at + 1) }, (_, i) => (counts[i] ?? 0) + Number(i === at));
}
