/** Intervals for what a few seeds came to. */
import { mean, std } from "./statistics.js";
import { studentQuantile } from "./student-t.js";

/** A value with its 95 % confidence interval; ends are NaN where there is none. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What an interval of 95 % leaves out above it. */
const UPPER = 0.975;

/**
 * The mean with Student's interval, mean +- t s / sqrt(n); of differences of pairs this is the paired interval. Of fewer than two
 * values the ends are NaN.
 */
export function studentInterval(values: readonly number[]): Interval {
  return around(mean(values), std(values) / Math.sqrt(values.length), values.length - 1);
}

/**
 * An estimate from n units that it is not a mean of, as one over all pairs of them: its error by the jackknife (Efron and
 * Stein 1981), sqrt((n - 1) / n sum_i (e_i - mean e)^2) over the estimates e_i without unit i.
 */
export function jackknifeInterval<T>(units: readonly T[], estimate: (units: readonly T[]) => number): Interval {
  const n = units.length;
  const without = units.map((_, i) => estimate(units.toSpliced(i, 1)));
  const centre = mean(without);
  const squares = without.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return around(estimate(units), Math.sqrt(((n - 1) / n) * squares), n - 1);
}

/** The ratio of two means over units, with an interval by the jackknife, which leaves one unit out at a time. */
export function ratioInterval<T>(
  units: readonly T[],
  above: (unit: T) => number,
  below: (unit: T) => number,
): Interval {
  return jackknifeInterval(units, (some) => mean(some.map(above)) / mean(some.map(below)));
}

function around(value: number, error: number, degrees: number): Interval {
  const half = degrees > 0 ? studentQuantile(UPPER, degrees) * error : Number.NaN;
  return { value, low: value - half, high: value + half };
}
