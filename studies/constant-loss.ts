/** The least that a model must do: say the same of every row. */
import { gatherBatch, labelsName, type Rows } from "../src/data/table.js";
import type { CachedTable } from "../src/node/table/ingest.js";

/**
 * The loss on the test split of the training split's shares of the classes, -mean log p(label), or, of numbers, of its mean:
 * the mean square of what is left over the training split's variance, as a run's "standardised squared error".
 */
export function constantLoss({ train, test, preprocessing }: CachedTable): number {
  if (!test) throw new Error("internal: the test split was left out");
  const [seen, asked] = [labelsOf(train), labelsOf(test)];
  if (preprocessing.labels?.kind === "numbers") {
    const { mean, deviation } = preprocessing.labels;
    return asked.reduce((sum, value) => sum + ((value - mean) / deviation) ** 2, 0) / asked.length;
  }
  const shares = new Map<number, number>();
  for (const label of seen) shares.set(label, (shares.get(label) ?? 0) + 1 / seen.length);
  return asked.reduce((sum, label) => sum - Math.log(shares.get(label) ?? 0), 0) / asked.length;
}

function labelsOf(rows: Rows): number[] {
  return Array.from(gatherBatch(rows, { start: 0, end: rows.numRows })[labelsName]?.data as Float32Array);
}
