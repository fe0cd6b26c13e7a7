/** Student's t distribution: the share of it below a value, and its quantiles. */
import { DataError } from "../errors.js";

/** The coefficients of Lanczos's approximation with g = 7 (Godfrey 2001), right to about 15 digits. */
const LANCZOS: readonly number[] = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
const LANCZOS_G = 7;

/** ln Gamma(x) for x >= 1/2. */
function logGamma(x: number): number {
  const sum = LANCZOS.reduce((total, coefficient, i) => total + (i === 0 ? coefficient : coefficient / (x + i - 1)), 0);
  const t = x - 1 + LANCZOS_G + 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

const MOST_TERMS = 20_000;
const CLOSE = 1e-16;
/** In place of a denominator of 0. */
const TINY = 1e-300;

/** The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method as Thompson and Barnett have it. */
function betaFraction(a: number, b: number, x: number): number {
  const apart = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / apart(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / apart(1 + even * d);
    c = apart(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / apart(1 + odd * d);
    c = apart(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < CLOSE) break;
  }
  return value;
}

/** The regularised incomplete beta function I_x(a, b), given with y = 1 - x, which may be too small to be told from it. */
function betaShare(a: number, b: number, x: number, y: number): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(y);
  if (x < (a + 1) / (a + b + 2)) return (Math.exp(logFront) * betaFraction(a, b, x)) / a;
  return 1 - (Math.exp(logFront) * betaFraction(b, a, y)) / b;
}

/** P(T > t) for t >= 0: half of I_{v / (v + t^2)}(v / 2, 1 / 2) (DLMF 8.17). */
function upperTail(t: number, degrees: number): number {
  const squares = degrees + t * t;
  return betaShare(degrees / 2, 0.5, degrees / squares, (t * t) / squares) / 2;
}

/**
 * The share of Student's t distribution that is below t.
 *
 * @param degrees - of freedom, more than 0
 */
export function studentShare(t: number, degrees: number): number {
  checkDegrees(degrees);
  return t >= 0 ? 1 - upperTail(t, degrees) : upperTail(-t, degrees);
}

/** Halvings after which an interval of doubles has no inner number left. */
const MOST_HALVINGS = 2200;

/**
 * The t below which a share of Student's t distribution lies, by halving: SciPy's `stats.t.ppf` to 1e-12 of its value.
 *
 * Throws {@link DataError} unless the share is above 0 and below 1, and there are degrees of freedom.
 */
export function studentQuantile(share: number, degrees: number): number {
  checkDegrees(degrees);
  if (!(share > 0 && share < 1))
    throw new DataError(
      `a quantile is of a share above 0 and below 1, got ${share}; give 0.975 for an interval of 95 %`,
    );
  if (share === 0.5) return 0;
  if (share < 0.5) return -studentQuantile(1 - share, degrees);
  const tail = 1 - share;
  let [low, high] = [0, 1];
  while (upperTail(high, degrees) > tail) [low, high] = [high, 2 * high];
  for (let halving = 0; halving < MOST_HALVINGS; halving++) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (upperTail(middle, degrees) > tail) low = middle;
    else high = middle;
  }
  return low + (high - low) / 2;
}

function checkDegrees(degrees: number): void {
  if (degrees > 0) return;
  throw new DataError(
    `Student's distribution has more than 0 degrees of freedom, got ${degrees}; take two values or more`,
  );
}
