/** A sweep as a table for the terminal. */
import { fittedTable, wrapped } from "./format.js";

/** A value of a setting as a row: its figures in words. */
export interface SweepRow {
  readonly arm: string;
  readonly value: string;
  readonly loss: string;
  readonly less: string;
  readonly steps: string;
}

/** The rows, and below them the sentences. `over` is the setting, `reference` the value that others are compared with. */
export function sweepTable(
  rows: readonly SweepRow[],
  {
    over,
    reference,
    sentences,
  }: { readonly over: string; readonly reference: string; readonly sentences: readonly string[] },
  width = Number.POSITIVE_INFINITY,
): string[] {
  const head = ["arm", over, "test loss", `less ${reference}`, `steps to the target over ${reference}`];
  const cells = rows.map(({ arm, value, loss, less, steps }) => [arm, value, loss, less, steps]);
  return [
    ...fittedTable([head, ...cells], width),
    "",
    ...sentences.flatMap((sentence) => wrapped(sentence, Math.min(width, 120))),
  ];
}
