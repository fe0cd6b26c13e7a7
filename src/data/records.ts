/**
 * The fixed-width records of a table that training reads, and the batches that they make.
 *
 * A record is row-major on purpose: one random row costs one cache line, however many features it has.
 */
import { DataError } from "../errors.js";
import type { NamedArrays, NdArray } from "../runtime/array.js";
import { featureName, labelsName, numbersName, targetsName, weightsName } from "./batch.js";
import type { TableSpec } from "./table.js";

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
