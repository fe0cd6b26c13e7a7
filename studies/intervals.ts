/** Intervals for what a few seeds came to. */
import { mean } from "../bench/statistics.js";

/** A value with its 95 % confidence interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Quantiles of Student's t distribution at 97.5 %, for 1 to 30 degrees of freedom. */
const T = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604, 2.1448, 2.1314,
  2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
];

/** The same for any number; above 30 by the first terms of its expansion around the normal distribution's 1.96. */
function quantile(degrees: number): number {
  return T[degrees - 1] ?? 1.95996 + 2.3722 / degrees + 2.8225 / degrees ** 2;
}

/** The standard deviation of a sample, with n - 1; NaN of fewer than two. */
export function std(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** The mean with Student's interval: mean +- t s / sqrt(n). Of differences of pairs this is the paired interval. */
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

function around(value: number, error: number, degrees: number): Interval {
  const half = quantile(degrees) * error;
  return { value, low: value - half, high: value + half };
}
