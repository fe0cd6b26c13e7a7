/** How well one column alone predicts the label: learned by its values on one half of a sample, tested on the other. */

/** Rows of one value in one half that have one label. A missing value is a value too. */
export interface ClassCell {
  readonly value: string | null;
  readonly half: 0 | 1;
  readonly label: string;
  readonly count: number;
}

/** Rows of one value in one half, with the sum of their labels and of the squares of these. */
export interface NumberCell {
  readonly value: string | null;
  readonly half: 0 | 1;
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}

/**
 * 0 for no better than the most frequent label, 1 for always right. For two labels it is the area under the ROC curve
 * instead, with the share of `positive` among a value's rows in the first half as the score: 0.5 by chance, a tie
 * counting half.
 */
export function classPower(cells: readonly ClassCell[], positive: string | null): number {
  const learned = new Map<string | null, Map<string, number>>();
  const all = new Map<string, number>();
  for (const { value, label, count } of cells.filter(({ half }) => half === 0)) {
    const labels = learned.get(value) ?? new Map<string, number>();
    learned.set(value, labels.set(label, (labels.get(label) ?? 0) + count));
    all.set(label, (all.get(label) ?? 0) + count);
  }
  const tried = cells.filter(({ half }) => half === 1);
  const labelsOf = (value: string | null) => learned.get(value) ?? all;
  if (positive !== null) {
    return auc(
      tried.map(({ value, label, count }) => {
        const labels = labelsOf(value);
        return { score: (labels.get(positive) ?? 0) / sumOf(labels.values()), isPositive: label === positive, count };
      }),
    );
  }
  const right = (guess: (value: string | null) => string | undefined) =>
    sumOf(tried.filter(({ value, label }) => guess(value) === label).map(({ count }) => count)) /
    sumOf(tried.map(({ count }) => count));
  const byChance = right(() => mostFrequent(all));
  const byValue = right((value) => mostFrequent(labelsOf(value)));
  return byChance === 1 ? 0 : (byValue - byChance) / (1 - byChance);
}

/** The share of the labels' variance that the means by value, of the first half, explain in the second: R squared. */
export function numberPower(cells: readonly NumberCell[]): number {
  const first = cells.filter(({ half }) => half === 0);
  const means = new Map(first.map(({ value, sum, count }) => [value, sum / count]));
  const overall = sumOf(first.map(({ sum }) => sum)) / sumOf(first.map(({ count }) => count));
  const second = cells.filter(({ half }) => half === 1);
  const error = (mean: (value: string | null) => number) =>
    sumOf(second.map(({ value, squares, sum, count }) => squares - 2 * mean(value) * sum + count * mean(value) ** 2));
  const total = error(() => overall);
  return total > 0 ? 1 - error((value) => means.get(value) ?? overall) / total : 0;
}

interface Scored {
  readonly score: number;
  readonly isPositive: boolean;
  readonly count: number;
}

/** The chance that a positive has a higher score than a negative, a tie counting half (Mann and Whitney 1947). */
function auc(scored: readonly Scored[]): number {
  let [below, pairs, numPositive, numNegative] = [0, 0, 0, 0];
  const sorted = [...scored].sort((a, b) => a.score - b.score);
  for (let at = 0; at < sorted.length; ) {
    const score = sorted[at]?.score;
    let [positive, negative] = [0, 0];
    for (; at < sorted.length && sorted[at]?.score === score; at++) {
      if (sorted[at]?.isPositive) positive += sorted[at]?.count ?? 0;
      else negative += sorted[at]?.count ?? 0;
    }
    pairs += positive * (below + negative / 2);
    below += negative;
    numPositive += positive;
    numNegative += negative;
  }
  return numPositive * numNegative === 0 ? 0.5 : pairs / (numPositive * numNegative);
}

function mostFrequent(labels: ReadonlyMap<string, number>): string | undefined {
  return [...labels].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0];
}

function sumOf(values: Iterable<number>): number {
  return [...values].reduce((sum, value) => sum + value, 0);
}
