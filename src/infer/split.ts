/** The split of a configuration: which rows train, choose the best checkpoint, and are scored once at the end. */
import type { RowSplit } from "../data/split.js";
import { count } from "../report/format.js";
import type { TableRunInput } from "../run/input/run.js";

/** A split of a configuration, and why. */
export interface SplitChoice {
  readonly kind: "rows" | "groups" | "time";
  readonly reason: string;
  readonly split: RowSplit | Predicates;
}

export type SplitName = "train" | "validation" | "test";
type Predicates = Readonly<Record<SplitName, string>>;

export const splitNames = ["train", "validation", "test"] as const satisfies SplitName[];

const SHARES = { validation: 0.1, test: 0.1 };
const SEED = 1;

/** 80 / 10 / 10 by rank of a hash of the row, or of an expression, so that rows with one value of it stay together. */
export function rankSplit(isOfClasses: boolean, condition: string | null, groupBy?: string): SplitChoice {
  const classes = isOfClasses ? ", each class likewise" : "";
  return {
    kind: groupBy === undefined ? "rows" : "groups",
    reason: `80 / 10 / 10 by chance${classes}${groupBy === undefined ? "" : `; rows of one ${groupBy} stay together`}`,
    split: {
      kind: "rows",
      shares: SHARES,
      seed: SEED,
      ...(groupBy !== undefined && { groupBy }),
      keepEqual: groupBy === undefined,
      stratify: isOfClasses,
      ...(condition !== null && { where: condition }),
    },
  };
}

/** The same split for a table with rows equal in all features, of which up to `most` stay together. */
export function withEqualRows(choice: SplitChoice, most: number, areParted: boolean): SplitChoice {
  if (choice.kind !== "rows") return choice;
  const unless = areParted ? `, unless more than ${count(most)} are` : "";
  return { ...choice, reason: `${choice.reason}; rows that are equal in all features stay together${unless}` };
}

/** A split by time: rows from `first` on are for validation, rows from `second` on for test. Both are SQL literals. */
export function timeSplit(sql: string, first: string, second: string, condition: string | null): SplitChoice {
  const and = condition === null ? "" : ` and ${condition}`;
  return {
    kind: "time",
    reason: `by time: validation from ${plain(first)}, test from ${plain(second)}`,
    split: {
      train: `${sql} < ${first}${and}`,
      validation: `${sql} >= ${first} and ${sql} < ${second}${and}`,
      test: `${sql} >= ${second}${and}`,
    },
  };
}

/** The split as a configuration has it, less what it says by default. */
export function splitInput({ split }: SplitChoice): TableRunInput["data"]["split"] {
  if (!("kind" in split)) return split;
  const { stratify: _, keepEqual, groupBy, where, ...rest } = split;
  return {
    ...rest,
    ...(groupBy === undefined ? { keepEqual } : { groupBy }),
    ...(where !== undefined && { where }),
  };
}

/** A cut at midnight where the span has many days, else to the second. */
export function roundedTime(time: string, spanDays: number): string {
  return spanDays >= 20 ? time.slice(0, 10) : time.slice(0, 19);
}

function plain(literal: string): string {
  return literal.replaceAll("'", "");
}
