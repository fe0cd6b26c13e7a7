/** Which classes are taken for which, as a table of text. */
import { count, percent, shortened, table } from "./format.js";

/** Classes up to which all pairs are shown. */
const WHOLE = 12;
/** Pairs that are shown of more classes. */
const PAIRS = 15;
const LONGEST_NAME = 24;

/**
 * The counts [label][decision] as lines: of few classes all, a row for each label, under the numbers of the classes; of
 * many classes the pairs that are confused most.
 */
export function confusionLines(counts: readonly (readonly number[])[], classes: readonly string[]): string[] {
  const nameOf = (k: number) => shortened(classes[k] ?? "", LONGEST_NAME);
  if (classes.length <= WHOLE) {
    return table([
      ["label \\ decided", ...classes.map((_, k) => String(k))],
      ...counts.map((row, k) => [`${k} ${nameOf(k)}`, ...row.map((n) => (n === 0 ? "." : count(n)))]),
    ]);
  }
  const pairs = counts.flatMap((row, label) =>
    row.flatMap((n, decided) => (n === 0 || decided === label ? [] : [{ label, decided, n, of: sumOf(row) }])),
  );
  pairs.sort((a, b) => b.n - a.n || a.label - b.label || a.decided - b.decided);
  if (pairs.length === 0) return ["no class is taken for another"];
  return table([
    ["label", "decided", "images", "of the label's"],
    ...pairs
      .slice(0, PAIRS)
      .map(({ label, decided, n, of }) => [nameOf(label), nameOf(decided), count(n), percent(n / of)]),
  ]);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
