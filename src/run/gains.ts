/** Gains of one prediction over another, row by row, and whether they are more than chance. */
import { type Estimate, meanEstimate, STANDARD_ERRORS } from "../train/estimates.js";

/** The probability with which some gain among many that are chance is taken for more. */
const FALSE_ALARM = 0.05;

/** How much less the losses of rows are than others, on average. */
export function gainOver(others: Float64Array, losses: Float64Array, weights: Float64Array): Estimate {
  return meanEstimate(
    losses.map((own, row) => (others[row] as number) - own),
    weights,
  );
}

/**
 * The number of standard errors that the largest of some gains which are all chance stays below, but for
 * {@link FALSE_ALARM}: by the tail of the normal distribution, P(Z > t) <= exp(-t^2 / 2) / 2, for each.
 */
export function chanceOf(numGains: number): number {
  return Math.sqrt(2 * Math.log(Math.max(1, numGains) / (2 * FALSE_ALARM)));
}

/** Whether a gain is more than so many standard errors; no gain of a single row is. */
export function isBeyond({ value, high }: Estimate, standardErrors: number): boolean {
  return value > (standardErrors * (high - value)) / STANDARD_ERRORS;
}
