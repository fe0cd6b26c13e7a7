/** Draws of Beta distributions, as pure functions of a key. */
import { fold, type Key, normal, uniform } from "./random.js";

/**
 * A number from Beta(a, b), for positive a and b: x / (x + y) for x of Gamma(a) and y of Gamma(b), computed from their
 * logarithms, so that small a and b, of which nearly all draws are close to 0 or 1, give no 0 / 0.
 */
export function beta(key: Key, a: number, b: number): number {
  return 1 / (1 + Math.exp(logGamma(fold(key, 1), b) - logGamma(fold(key, 0), a)));
}

/**
 * The logarithm of a number from Gamma(shape, 1), by Marsaglia and Tsang 2000: of a shape of 1 and more by rejection, of a
 * lower one as Gamma(shape + 1) times u^(1 / shape).
 */
function logGamma(key: Key, shape: number): number {
  if (shape < 1) {
    const [u = 0] = uniform(fold(key, "power"), 1);
    return logGamma(key, shape + 1) + Math.log(u + 2 ** -25) / shape;
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  // More than nineteen in twenty tries are taken.
  for (let tries = 0; ; tries++) {
    const own = fold(key, tries);
    const [x = 0] = normal(fold(own, 0), 1);
    const [u = 0] = uniform(fold(own, 1), 1);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(u + 2 ** -25) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
