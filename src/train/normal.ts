/** The tail of the normal distribution. */

/** From here on the continued fraction takes few terms, and below it the series loses no digits. */
const FAR = 2.5;
const FRACTION_TERMS = 120;

/**
 * The share of a standard normal distribution above z, right to about 14 digits: by the series of Marsaglia 2004 for small z, by the
 * continued fraction of Laplace (DLMF 7.9.3) for large ones.
 */
export function normalTail(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z >= FAR) {
    let below = z;
    for (let k = FRACTION_TERMS; k >= 1; k--) below = z + k / below;
    return z === Number.POSITIVE_INFINITY ? 0 : density / below;
  }
  let [term, sum] = [z, z];
  for (let k = 3; term > sum * Number.EPSILON; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return 0.5 - density * sum;
}

/** The p value of the two-sided test that the mean is 0, of an estimate and its standard error: 1 where both are 0. */
export function twoSided(value: number, error: number): number {
  return value === 0 && error === 0 ? 1 : 2 * normalTail(Math.abs(value) / error);
}
