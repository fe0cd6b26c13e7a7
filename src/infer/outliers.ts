/** Values that are absurdly far from all others of their column, as 1e12 among values near 10: most are slips. */
import { argument } from "../reading/names.js";
import { counted, short } from "../report/format.js";
import { type ColumnFigures, type Hint, type NumberFigures, QUANTILES } from "./column.js";
import { numberSql } from "./sql.js";

/**
 * How many times as far from the median as all others such a value is at least. Of a million values of a log-normal
 * distribution the farthest is some times as far as the next one.
 */
export const FAR = 100;
/** More such values than this share of the rows, where they are more than these, are no slip but a part of the data. */
const MOST = { rows: 3, share: 0.01 };

/** The values of a column of numbers that are farthest from its median, and the others. */
export interface Farthest {
  readonly numFar: number;
  /** The first of them: its row from 1, its value, and the same as the file has it. */
  readonly row: number;
  readonly value: number;
  readonly text: string;
  /** The least distance of them from the median, and the largest of the others. */
  readonly nearest: number;
  readonly others: { readonly distance: number; readonly min: number; readonly max: number };
}

/** The median of numbers, where one of them may be absurdly far from it, by the quantiles alone; else null. */
export function medianOfFar({ numbers }: Pick<ColumnFigures, "numbers">): number | null {
  if (numbers === null || numbers.count === 0) return null;
  const [low, median, high] = ([0.1, 0.5, 0.9] as const).map((share) => at(numbers, share)) as [number, number, number];
  const usual = Math.max(median - low, high - median);
  return Math.max(median - numbers.min, numbers.max - median) >= FAR * usual ? median : null;
}

function at({ quantiles }: NumberFigures, share: (typeof QUANTILES)[number]): number {
  return quantiles[QUANTILES.indexOf(share)] ?? 0;
}

/** Whether the farthest values are absurd: few, and {@link FAR} times as far from the median as all others. */
export function areAbsurd({ numFar, nearest, others }: Farthest, numRows: number): boolean {
  return numFar <= Math.max(MOST.rows, MOST.share * numRows) && others.distance > 0 && nearest >= FAR * others.distance;
}

/** A line that names column, row and value, and how to say that the value stands for a missing one. */
export function outlierHint(
  name: string,
  { numFar, row, value, text, others }: Farthest,
  { isLabel, isText }: { readonly isLabel: boolean; readonly isText: boolean },
): Hint {
  const nulled = `nullif(${name}, ${numberSql(value, 17)})`;
  const more = numFar > 1 ? ` (and ${counted(numFar - 1, "row")} like it)` : "";
  const cure = isLabel
    ? `add --label ${JSON.stringify(nulled)}`
    : isText
      ? `add --null-values ${/[,"]/.test(text) ? `'${JSON.stringify(text)}'` : argument(text)}, with the other marks of the file, as NA, whose place it takes`
      : `make it empty in the data, or write ${nulled} in the configuration`;
  return {
    kind: "outlier",
    text: `${name} is ${text} in row ${row}${more}, where all others are from ${short(others.min)} to ${short(others.max)}: if that is a slip, mend it; if it means that the value is missing, ${cure}`,
  };
}
