/** A comparison as a table for the terminal. */
import { fittedTable, wrapped } from "./format.js";

/** An arm as a row: its name, its number of seeds, and its figures in words. */
export interface ComparisonRow {
  readonly arm: string;
  readonly seeds: number;
  readonly loss: string;
  readonly less: string;
  readonly steps: string;
  readonly changed: string;
}

/** The rows, and below them the sentences. */
export function comparisonLines(
  rows: readonly ComparisonRow[],
  { reference, sentences }: { readonly reference: string; readonly sentences: readonly string[] },
  width = Number.POSITIVE_INFINITY,
): string[] {
  const head = [
    "arm",
    "seeds",
    "test loss",
    `less ${reference}`,
    `steps to the target over ${reference}`,
    "decisions changed",
  ];
  const cells = rows.map(({ arm, seeds, loss, less, steps, changed }) => [
    arm,
    String(seeds),
    loss,
    less,
    steps,
    changed,
  ]);
  return [
    ...fittedTable([head, ...cells], width),
    "",
    ...sentences.flatMap((sentence) => wrapped(sentence, Math.min(width, 120))),
  ];
}
