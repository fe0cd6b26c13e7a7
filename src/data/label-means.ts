/**
 * The mean of the label over the rows of a name, as a numeric feature: what a name with few rows can tell, and an
 * embedding of its own would only memorise.
 *
 * Means are shrunken towards the mean of all rows (Micci-Barreca 2001, "A preprocessing scheme for high-cardinality
 * categorical attributes"), and those of training rows are out of fold: a mean that had the row's own label in it would
 * tell that label (Prokhorenkova et al. 2018, "CatBoost: unbiased boosting with categorical features", section 3).
 */

/** Parts of the training rows; the mean of a row is over the rows of the others. */
export const NUM_FOLDS = 5;

/** The most names that have a mean of their own, the most frequent ones; others have the mean of all rows. */
export const MOST_MEANS = 50_000;

/** The most classes of a label of which each has a share of the rows of a name as a feature. */
export const MOST_MEAN_CLASSES = 8;

/** Rows that the mean of all rows counts for, where the data cannot say. */
const USUAL_PRIOR_ROWS = 10;

/** Of the labels of a name's training rows: how many there are, their sum, and the sum of their squares, exactly. */
export interface NameSums {
  readonly count: number;
  readonly sum: bigint;
  readonly squares: bigint;
}

/**
 * The number of rows m for which the mean of all rows counts in a name's mean, (sum + m mean) / (count + m): by
 * empirical Bayes the variance of labels within names over the variance of the true means between them, m = s2 / t2,
 * as in the credibility of Bühlmann and Straub (1970). With k names, n rows in all and n_a of name a,
 *
 *     s2 = sum over rows (y - mean_a)^2 / (n - k)
 *     t2 = (sum over names n_a (mean_a - mean)^2 - (k - 1) s2) / (n - sum over names n_a^2 / n)
 *
 * which are the estimates by the analysis of variance of a random effect (Searle, Casella and McCulloch 1992, section
 * 3.6). At least 1, so that no name is certain; infinite where means differ no more than by chance (t2 <= 0); 10 where
 * all rows are of one name or each has another name.
 */
export function priorRows(names: readonly NameSums[]): number {
  const numRows = names.reduce((sum, { count }) => sum + count, 0);
  if (names.length < 2 || numRows === names.length) return USUAL_PRIOR_ROWS;
  const mean = Number(names.reduce((total, { sum }) => total + sum, 0n)) / numRows;
  let [within, between, squaredCounts] = [0, 0, 0];
  for (const { count, sum, squares } of names) {
    // Whole numbers up to the division: the difference of two large sums loses nothing.
    within += Number(squares * BigInt(count) - sum * sum) / count;
    between += count * (Number(sum) / count - mean) ** 2;
    squaredCounts += count * count;
  }
  const variance = within / (numRows - names.length);
  const ofMeans = (between - (names.length - 1) * variance) / (numRows - squaredCounts / numRows);
  return ofMeans <= 0 ? Number.POSITIVE_INFINITY : Math.max(1, variance / ofMeans);
}
