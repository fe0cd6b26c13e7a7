/** Procedures that were repeated, as a table for the terminal. */
import { fittedTable, wrapped } from "./format.js";

/** A procedure as a row: its name, its number of retrainings, and its figures in words. */
export interface ProcedureRow {
  readonly arm: string;
  readonly retrainings: number;
  readonly loss: string;
  readonly distance: string;
  readonly ratio: string;
  readonly changed: string;
}

/** The rows, and below them the sentences. */
export function procedureLines(
  rows: readonly ProcedureRow[],
  { reference, sentences }: { readonly reference: string; readonly sentences: readonly string[] },
  width = Number.POSITIVE_INFINITY,
): string[] {
  const head = ["procedure", "retrainings", "test loss", "mean difference", `over ${reference}`, "decisions changed"];
  const cells = rows.map(({ arm, retrainings, loss, distance, ratio, changed }) => [
    ...[arm, String(retrainings), loss, distance, ratio, changed],
  ]);
  return [
    ...fittedTable([head, ...cells], width),
    "",
    ...sentences.flatMap((sentence) => wrapped(sentence, Math.min(width, 120))),
  ];
}
