/**
 * Tables of examples: what to read, and how a row becomes features.
 */
import type { RowSplit } from "./split.js";

/**
 * What to read and how to turn a row into features. Every string but `source` is a DuckDB SQL expression over the
 * columns of one row of the source: aggregates and window functions are refused.
 */
export interface TableSpec {
  /** Files or globs (`*`, `?`, `[...]`, `**`), or `file:` URLs: Parquet, CSV, TSV, JSON lines; `.gz` is unpacked. */
  readonly source: string | readonly string[];
  /** The names of the columns of CSV or TSV files that have no header. */
  readonly columns?: readonly string[];
  /** The most malformed lines of CSV or TSV that are left out; with more, or by default any, the table is refused. */
  readonly maxBadRows?: number;
  /**
   * By `task`, binary: boolean, 0/1 or true/false, true being the positive class; multiclass: any value, as text;
   * regression: a number.
   */
  readonly label: string;
  /** Of a binary label of any two values: the positive one; {@link LabelStatistics} then has both. */
  readonly positive?: string;
  /** The kind of label, whose statistics are then fitted; left out, the label is binary without statistics. */
  readonly task?: "binary" | "multiclass" | "regression";
  /** Labels that are numbers of 0 and more, learned as logarithms. */
  readonly labelScale?: "log";
  /** The weight of a row in losses and metrics, cast to DOUBLE: 0 or more, and finite. Rows count alike without it. */
  readonly weight?: string;
  /** Teachers that do not change, whose mean prediction for each row, by their weights, is part of its record; none by default. */
  readonly teachers?: readonly TableTeacher[];
  /** Feature name to expression, rendered as text. */
  readonly categorical: Readonly<Record<string, string>>;
  /** Feature name to expression, cast to DOUBLE and kept as float32 ({@link Shift}). */
  readonly numeric: Readonly<Record<string, string>>;
  /**
   * Of categorical features: names with fewer training rows than `minRows`, or beyond the `maxNames` most frequent
   * ones, are unknown.
   */
  readonly vocabularies?: Readonly<Record<string, VocabularyLimits>>;
  /**
   * Feature name to expression, rendered as text: numbers that are the mean of the label over the rows of a name
   * (`label-means.ts`), for a binary label the log-odds of its share; of classes one number for each, named
   * `<name>_<k>`, where they are few.
   */
  readonly labelMeans?: Readonly<Record<string, string>>;
  /** By rank, or by predicates: a row that matches none of them is left out, and one that matches two is an error. */
  readonly split: RowSplit | { readonly train: string; readonly validation: string; readonly test: string };
  /** The value that decides a row's hash slot; by default all columns, so that exact duplicates stay together. */
  readonly shardBy?: string;
  /** A predicate for each group: a training row is of the first group whose predicate holds, or else of no group. */
  readonly filters?: readonly string[];
}

/** A teacher that does not change while a student learns: a served model, or columns that have its predictions. */
export type TableTeacher = { readonly weight: number } & (
  | {
      /** A path, and the SHA-256 of the file, in hex, which tells its predictions from others'. */
      readonly model: string;
      readonly sha256: string;
    }
  | ForeignModel
  /** The probability of the positive label, or the number, as SQL over a row. */
  | { readonly column: string }
  /** The probability of each class, as SQL over a row. */
  | { readonly columns: Readonly<Record<string, string>> }
);

/** An ONNX model that another program wrote. */
export interface ForeignModel {
  readonly model: string;
  readonly sha256: string;
  /** Each input to the SQL of its value in a row, or to one for each of its values. */
  readonly inputs: Readonly<Record<string, string | readonly string[]>>;
  /** The tensor that predicts; the one output of numbers by default. */
  readonly output?: string | undefined;
  /** The classes that the predictions are of, in their order; of two the negative and the positive one. */
  readonly classes?: readonly string[] | undefined;
}

/** The names of a feature that have an id of their own; by default all names in training rows. */
export interface VocabularyLimits {
  readonly minRows?: number | undefined;
  readonly maxNames?: number | undefined;
}

/**
 * The shift that keeps float64 values x distinct as float32: x is stored as (x - center) / scale. A column has a shift
 * when plain float32 would merge its values, which are close to one another and far from 0, or could not hold them.
 */
export interface Shift {
  readonly center: number;
  /** A power of two; 1 unless the values leave float32's range. */
  readonly scale: number;
}

/** Population mean and standard deviation of values as they are kept. */
export interface KeptMoments {
  readonly mean: number;
  /** Above 0. */
  readonly std: number;
  readonly shift?: Shift;
}

/** A numeric feature as it is kept: its moments, and its quantiles at the shares 0, 1/64, ..., 1. */
export interface KeptNumbers extends KeptMoments {
  /** Of the finite values of the training rows, or of a sample of them; 0 each where there are none. */
  readonly quantiles?: readonly number[];
  /** Whether it is a mean of the label. */
  readonly isLabelMean?: true;
}

/** Fitted once on the training split, before sharding; plain JSON, part of the run declaration. */
export interface Preprocessing {
  /** Id k + 1 is entry k, most frequent first, then by text; id 0 is unknown or missing. */
  readonly vocabularies: Readonly<Record<string, readonly string[]>>;
  /** Over the training rows, missing values skipped; the standard deviation is 1 where it would be 0. */
  readonly numeric: Readonly<Record<string, KeptNumbers>>;
  /** Left out where the spec says no task. */
  readonly labels?: LabelStatistics;
  /** The mean weight of the training rows, by which all weights are divided; left out where rows have none. */
  readonly meanWeight?: number;
}

/** The labels of the training split: the classes and how many rows each has, or mean and standard deviation of numbers. */
export type LabelStatistics =
  | {
      readonly kind: "classes";
      /**
       * Label k is class k: in numeric order when all classes are numbers, else in text order. Binary labels:
       * {@link binaryClasses}, or the negative value and then the positive one.
       */
      readonly classes: readonly string[];
      readonly counts: readonly number[];
    }
  /** With a unit the moments are of ln(1 + label / unit). */
  | ({ readonly kind: "numbers"; readonly logUnit?: number } & KeptMoments);

/** The classes of binary labels: label 0 and label 1. */
export const binaryClasses: readonly string[] = ["false", "true"];

/** The most classes that a label can have. */
export const MAX_CLASSES = 1000;
