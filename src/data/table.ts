/**
 * Tables of examples: what to read, how a row becomes features, and the fixed-width records that training reads.
 *
 * A record is row-major on purpose: one random row costs one cache line, however many features it has.
 */
import { DataError } from "../errors.js";
import type { NamedArrays, NdArray } from "../runtime/array.js";
import { featureName, labelsName, numbersName, targetsName, weightsName } from "./batch.js";
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
  /** The probability of the positive label, or the number, as SQL over a row. */
  | { readonly column: string }
  /** The probability of each class, as SQL over a row. */
  | { readonly columns: Readonly<Record<string, string>> }
);

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

/** One word of a record, under the name of its array in a batch. */
export interface Column {
  readonly name: string;
  readonly dtype: "int32" | "float32";
}

/**
 * The 4-byte words of a record, in order: categorical ids, then numeric values (missing is NaN), then means of the
 * label, the weight of the row where rows have weights (1 on average over the training rows), what fixed teachers predict
 * where there are some (a number for each class of several), then the label (0 or 1, a number, or a class as int32).
 */
export interface RecordLayout {
  readonly columns: readonly Column[];
}

/** Records, in memory or in a file; float32 words are kept as their bits. */
export interface Rows {
  readonly layout: RecordLayout;
  readonly numRows: number;
  /** Copies of some records, all of which must exist, in the order given: shape [rows, columns of the layout]. */
  read(rows: Uint32Array | readonly number[]): Int32Array;
}

/**
 * Training records sorted by hash slot: slot s has the rows from `slotOffsets[s]` up to, not including,
 * `slotOffsets[s + 1]`.
 */
export interface TrainingRows extends Rows {
  readonly slotOffsets: Uint32Array;
}

/** The rows from `start` up to, not including, `end`. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Whether so many numeric features are one array of a batch, [batch, features], instead of one array each: a step
 * spends some microseconds on each array, whatever its size, and would spend most of its time on thousands of them.
 */
export function areOneArray(numNumeric: number): boolean {
  return numNumeric > 64;
}

/**
 * The record that a spec's features make, in declared order; `means` are the names of the features that are means of
 * the label, and `classes` those of a multiclass label, both of which depend on the rows.
 * Throws {@link DataError} when there is no feature, a name is used twice, or a name cannot be part of a dotted path.
 */
export function recordLayout(
  spec: Pick<TableSpec, "categorical" | "numeric" | "labelMeans" | "weight" | "teachers" | "task">,
  means: readonly string[] = Object.keys(spec.labelMeans ?? {}),
  classes: readonly string[] = [],
): RecordLayout {
  const categorical = Object.keys(spec.categorical);
  const numeric = [...Object.keys(spec.numeric), ...means];
  const names = [...categorical, ...numeric];
  if (names.length === 0) {
    throw new DataError("table: a model needs at least one feature, and both `categorical` and `numeric` are empty");
  }
  for (const name of names) {
    if (!/^[A-Za-z0-9_-]+$/.test(name)) {
      throw new DataError(
        `table: a feature's name is made of letters, digits, "_" and "-", got ${JSON.stringify(name)}. Rename it; its expression may stay.`,
      );
    }
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    const [first, second] = Object.entries({
      categorical: spec.categorical,
      numeric: spec.numeric,
      "a mean of the label": spec.labelMeans ?? {},
    }).flatMap(([kind, of]) => (Object.hasOwn(of, twice) ? [`${kind} (${of[twice]})`] : []));
    throw new DataError(
      `table: a feature's name is used once, and "${twice}" is both ${first} and ${second ?? "a mean of the label for one class"}. Rename one of them.`,
    );
  }
  return {
    columns: [
      ...categorical.map((name): Column => ({ name: featureName(name), dtype: "int32" })),
      ...numeric.map((name): Column => ({ name: featureName(name), dtype: "float32" })),
      ...(spec.weight === undefined ? [] : [{ name: weightsName, dtype: "float32" } as const]),
      ...(spec.teachers === undefined ? [] : targetColumns(classes.length)),
      { name: labelsName, dtype: spec.task === "multiclass" ? "int32" : "float32" },
    ],
  };
}

/** The words of what fixed teachers predict: one, or one for each of several classes. */
function targetColumns(numClasses: number): Column[] {
  if (numClasses === 0) return [{ name: targetsName, dtype: "float32" }];
  return Array.from({ length: numClasses }, (_, k) => ({ name: `${targetsName}.${k}`, dtype: "float32" }));
}

const isOfClass = ({ name }: Column) => name.startsWith(`${targetsName}.`);

/** Records that are in memory. Throws {@link DataError} when the words are not a whole number of records. */
export function tableRows(layout: RecordLayout, words: Int32Array): Rows {
  const width = layout.columns.length;
  if (words.length % width !== 0) {
    throw new DataError(`table: a record has ${width} words, and ${words.length} words are not a whole number of them`);
  }
  return {
    layout,
    numRows: words.length / width,
    read(rows) {
      const records = new Int32Array(rows.length * width);
      // Word by word: a record is too short for a call that copies it to pay.
      for (let i = 0, out = 0; i < rows.length; i++) {
        const base = (rows[i] as number) * width;
        for (let word = 0; word < width; word++) records[out++] = words[base + word] as number;
      }
      return records;
    },
  };
}

/**
 * A batch: one array of shape [batch] for each feature (`features.<name>`, int32 ids or float32 values) and `labels`
 * of shape [batch], float32 or the int32 of classes; `weights` [batch] where rows have weights; `targets`, float32 [batch] or
 * [batch, classes], where there are fixed teachers. Of many numeric features ({@link areOneArray}) there is `numbers` instead,
 * float32 [batch, features]. The arrays are copies. Throws {@link DataError} for a row that is not there.
 */
export function gatherBatch(rows: Rows, indices: Uint32Array | readonly number[] | RowRange): NamedArrays {
  const wanted = "start" in indices ? indicesOf(indices) : indices;
  const { columns } = rows.layout;
  const width = columns.length;
  const batch = wanted.length;
  const missing = wanted.find((row) => !(row >= 0 && row < rows.numRows));
  if (missing !== undefined) {
    throw new DataError(`table: row ${missing} is asked for, and the rows are 0 to ${rows.numRows - 1}`);
  }
  const records = rows.read(wanted);
  const isNumeric = ({ name, dtype }: Column) => dtype === "float32" && name.startsWith(featureName(""));
  const numNumeric = columns.filter(isNumeric).length;
  const isStacked = areOneArray(numNumeric);
  const single = columns
    .map((column, word) => ({ column, word }))
    .filter(({ column }) => !isOfClass(column) && !(isStacked && isNumeric(column)));
  // One block for all columns, moved as bits, so that the loop is the same for ids and for values.
  const block = new Int32Array(single.length * batch);
  for (let i = 0; i < batch; i++) {
    for (let k = 0, out = i; k < single.length; k++, out += batch) {
      block[out] = records[i * width + (single[k] as { readonly word: number }).word] as number;
    }
  }
  const arrays = single.map(({ column }, k) => [column.name, columnOf(column, block, k, batch)]);
  const stacked = (is: (column: Column) => boolean) =>
    numbersOf(records, { width, first: columns.findIndex(is), count: columns.filter(is).length, batch });
  if (isStacked) arrays.push([numbersName, stacked(isNumeric)]);
  if (columns.some(isOfClass)) arrays.push([targetsName, stacked(isOfClass)]);
  return Object.fromEntries(arrays);
}

/** Numbers of records that stand side by side in each, from the word `first` on. */
function numbersOf(
  records: Int32Array,
  of: { readonly width: number; readonly first: number; readonly count: number; readonly batch: number },
): NdArray {
  const { width, first, count, batch } = of;
  const words = new Int32Array(batch * count);
  for (let i = 0; i < batch; i++) {
    const start = i * width + first;
    words.set(records.subarray(start, start + count), i * count);
  }
  return { dtype: "float32", shape: [batch, count], data: new Float32Array(words.buffer) };
}

function columnOf({ dtype }: Column, block: Int32Array, word: number, batch: number): NdArray {
  const start = word * batch * Int32Array.BYTES_PER_ELEMENT;
  const shape = [batch];
  return dtype === "int32"
    ? { dtype, shape, data: new Int32Array(block.buffer, start, batch) }
    : { dtype, shape, data: new Float32Array(block.buffer, start, batch) };
}

function indicesOf({ start, end }: RowRange): Uint32Array {
  return Uint32Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}
