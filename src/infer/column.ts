/** The figures of a table's column, and the features made of it. Plain data, wherever the figures come from. */
import type { MAX_CLASSES, VocabularyLimits } from "../data/table.js";
import type { TaskKind } from "../log/events.js";

/** The use of a column. A label's columns have no other use. */
export type Role = "label" | "numeric" | "categorical" | "time" | "ignored";

/** The kind of a column's values, by its type in DuckDB. */
export type ValueKind = "number" | "text" | "boolean" | "time" | "timeOfDay" | "other";

/** The shares at which {@link NumberFigures.quantiles} are taken. */
export const QUANTILES = [0.01, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.99] as const;

/** Figures of the values that are numbers, or text that reads as numbers. */
export interface NumberFigures {
  /** How many there are, infinite ones included. */
  readonly count: number;
  readonly numInfinite: number;
  readonly numWhole: number;
  /** Of the finite ones. */
  readonly min: number;
  readonly max: number;
  /** At {@link QUANTILES}, of the finite ones. */
  readonly quantiles: readonly number[];
  /** Of text: how many different values do not read as numbers, and the first of them by the alphabet. */
  readonly numOthers: number;
  readonly other: string | null;
}

/** Figures of the values that are points in time. */
export interface TimeFigures {
  readonly count: number;
  /** As "2001-01-31 23:59:00". */
  readonly min: string;
  readonly max: string;
  readonly spanDays: number;
  /** Values at a full hour, and those at 00:00 exactly: of any day, of the first of a month, of the first of a year. */
  readonly numFullHour: number;
  readonly numMidnight: number;
  readonly numMonthStart: number;
  readonly numYearStart: number;
}

/** Figures of the values that are text. */
export interface TextFigures {
  readonly meanLength: number;
  readonly meanWords: number;
}

/** How often values repeat, in a column of many values; counted for such columns only. */
export interface FrequencyFigures {
  /** Values of at least {@link FREQUENT_ROWS} rows, and the rows that have one of them. */
  readonly numFrequent: number;
  readonly numRowsOfFrequent: number;
  /** Rows of the most frequent value, where it is one of these. */
  readonly mostRows: number;
}

/** Rows that a value needs for an embedding of its own, in a column of many values. */
export const FREQUENT_ROWS = 20;

/** Whether some value has so many rows that its training rows alone are {@link FREQUENT_ROWS} or more. */
export function hasFrequent({ mostRows }: FrequencyFigures): boolean {
  return mostRows >= 2 * FREQUENT_ROWS;
}

/** A value that stands for "none" and counts as missing. */
export interface Sentinel {
  /** As SQL: a number, or a time in quotes. */
  readonly sql: string;
  /** As people read it. */
  readonly shown: string;
  readonly numRows: number;
}

export interface ColumnFigures {
  readonly name: string;
  /** Its type in DuckDB. */
  readonly type: string;
  readonly kind: ValueKind;
  readonly numRows: number;
  /** Nulls and NaNs. */
  readonly numMissing: number;
  /** Different values, missing ones not counted. */
  readonly numDistinct: number;
  /** Whether `numDistinct` is counted; otherwise it is estimated, within some percent. */
  readonly isExact: boolean;
  /** One of the values, as text; null when all are missing. */
  readonly example: string | null;
  readonly numbers: NumberFigures | null;
  readonly times: TimeFigures | null;
  readonly text: TextFigures | null;
  readonly frequencies: FrequencyFigures | null;
  /** Values that stand for "none" and count as missing in all other figures; left out where there are none. */
  readonly sentinels?: readonly Sentinel[];
}

/** A feature of a configuration: SQL over the columns of a row. */
export interface Feature {
  readonly name: string;
  readonly kind: "numeric" | "categorical" | "labelMeans";
  readonly sql: string;
  /** About how many ids its vocabulary has; 0 for a feature that is a number. */
  readonly numIds: number;
  /** The limits of its vocabulary, where not all names have an id. */
  readonly vocabulary?: VocabularyLimits;
  /** Whether its names are the dates of the year, each of which has few rows. */
  readonly isDate?: true;
}

export interface ColumnDescription {
  readonly figures: ColumnFigures;
  readonly role: Role;
  /** Why the column has its role, in words for people. */
  readonly reason: string;
  /** Ignored because it only tells rows apart. */
  readonly isIdentifier?: boolean;
  readonly features: readonly Feature[];
}

/** A value of a label and its rows. */
export interface ClassCount {
  readonly value: string;
  readonly count: number;
}

/** Something that a user should know before training. */
export interface Hint {
  readonly kind:
    | "reading"
    | "malformed"
    | "leakage"
    | "duplicates"
    | "imbalance"
    | "left-out"
    | "time"
    | "label"
    | "few-rows"
    | "identifier"
    | "sentinel"
    | "teacher"
    | "outlier"
    | "groups";
  /** The fact, with figures, and what to do about it. */
  readonly text: string;
}

/** How a number is learned: as it is, or as a logarithm. */
export const targetScales = ["linear", "log"] as const;
export type TargetScale = (typeof targetScales)[number];

/** A label as it is in the table. */
export interface LabelFigures {
  /** The expression as SQL. */
  readonly sql: string;
  readonly figures: ColumnFigures;
  /** The most frequent values as names of classes, at most {@link MAX_CLASSES} + 1. */
  readonly classes: readonly ClassCount[];
  /** Different values as written, where spaces or zero fractions make them more than the classes; else null. */
  readonly numSpellings: number | null;
}

/** A label as it is learned. */
export interface LabelDescription {
  readonly task: TaskKind;
  /** The label of a configuration. */
  readonly sql: string;
  readonly reason: string;
  /** The classes that are learned and their rows, first the positive or else the most frequent; none for numbers. */
  readonly classes: readonly ClassCount[];
  /** Of a binary label: the positive value. */
  readonly positive: string | null;
  /** SQL that is true for rows whose label can be learned; others are in no split. Null when it is true for all. */
  readonly condition: string | null;
  /** Of numbers: options of their task. */
  readonly options?: { readonly scale?: TargetScale; readonly least?: number };
  readonly hints: readonly Hint[];
}

/** Rows that have a value. */
export function numPresent({ numRows, numMissing }: ColumnFigures): number {
  return numRows - numMissing;
}

/** Different values per value, at most 1: an estimate may be above what there is. */
export function distinctShare(figures: ColumnFigures): number {
  const present = numPresent(figures);
  return present === 0 ? 0 : Math.min(1, figures.numDistinct / present);
}

/** The kind of a DuckDB type. */
export function kindOf(type: string): ValueKind {
  if (type.endsWith("]")) return "other";
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL)/.test(type)) return "number";
  // JSON is what DuckDB makes of a column whose values are of several types.
  if (/^(VARCHAR|ENUM|UUID|JSON$)/.test(type)) return "text";
  if (/^(DATE$|TIMESTAMP)/.test(type)) return "time";
  if (/^TIME/.test(type)) return "timeOfDay";
  return type === "BOOLEAN" ? "boolean" : "other";
}
