/** Permutation importance: how much a model's loss rises when one column tells nothing of the row any more. */
import { fold, type Key, permutation } from "../runtime/random.js";
import { around, type Estimate } from "./estimates.js";

/**
 * Random donors: example i is given the value of example `donors[i]`, which is another one, and each gives its value
 * once. A uniformly random cycle through all `count` > 1 examples: each other example is equally likely.
 */
export function donors(key: Key, count: number): Uint32Array {
  const order = permutation(key, count);
  const next = new Uint32Array(count);
  order.forEach((row, k) => {
    next[row] = order[(k + 1) % count] as number;
  });
  return next;
}

/** The donors of some repetitions, by a seed. */
export function repeatedDonors(seed: Key, repeats: number, count: number): Uint32Array[] {
  return Array.from({ length: repeats }, (_, repeat) => donors(fold(seed, repeat), count));
}

/**
 * The rise of the mean loss when a column is permuted: in repetition r, example i gets the value of example d_r(i), and
 * rises[r][i] is its loss then less its loss before, l(i, d_r(i)) - l(i). The mean over examples and repetitions
 * estimates without bias the rise when a column's value is drawn from the other examples (Breiman 2001, "Random
 * forests", section 10; e_switch - e_orig of Fisher, Rudin and Dominici 2019, "All models are wrong, but many are
 * useful").
 *
 * The 95 % interval is over examples and repetitions. An example counts twice in the mean, as the one whose loss rises
 * and as the one that gives its value, so the standard error is sd(u) / sqrt(n) with
 *
 *     u(i) = mean over r of rises[r][i] + mean over r of rises[r][the example that i gave its value to],
 *
 * the projection of the mean on single examples (Hoeffding 1948). The standard deviation of the rises alone leaves out
 * what the givers vary by, and can be half of the true one. That of u errs to the other side: single rises vary in it
 * as much as 1 / repeats lets them.
 *
 * @param rises - [repeats][n], n > 1
 * @param givers - the donors d_r of each repetition, as {@link donors} has them: [repeats][n]
 */
export function riseEstimate(rises: readonly Float64Array[], givers: readonly Uint32Array[]): Estimate {
  const n = rises[0]?.length ?? 0;
  const repeats = rises.length;
  const projected = new Float64Array(n);
  rises.forEach((own, repeat) => {
    own.forEach((rise, i) => {
      projected[i]! += rise / repeats;
      projected[givers[repeat]?.[i] as number]! += rise / repeats;
    });
  });
  const mean = projected.reduce((sum, u) => sum + u, 0) / n;
  const variance = projected.reduce((sum, u) => sum + (u - mean) ** 2, 0) / (n - 1);
  return around(mean / 2, Math.sqrt(variance / n));
}
