/** Mean, standard deviation and range of the columns of a file of records. */
import { recordChunks } from "./record-chunks.js";

/** Mean, and population standard deviation, which is 1 where it would be 0. */
export interface Moments {
  readonly mean: number;
  readonly std: number;
}

/**
 * The moments of a column: the number of values that are not missing (for ids, of known names), and moments and range
 * of numbers; null for ids.
 */
export interface ColumnMoments {
  readonly count: number;
  readonly moments: Moments | null;
  readonly range: { readonly least: number; readonly most: number } | null;
}

/**
 * The moments of each column, without NaN: running mean and sum of squared differences from it (Welford), in the order
 * of the file, so that the bits are the same every time. `read` converts values for the moments; ranges are of the
 * values as they are stored.
 */
export async function momentsOf(
  path: string,
  numRecords: number,
  dtypes: readonly ("int32" | "float32")[],
  read: (value: number, column: number) => number = (value) => value,
): Promise<readonly ColumnMoments[]> {
  const sums = dtypes.map(
    (): Sums => ({ count: 0, mean: 0, squares: 0, least: Number.POSITIVE_INFINITY, most: Number.NEGATIVE_INFINITY }),
  );
  const width = dtypes.length;
  for await (const { buffer } of recordChunks(path, numRecords, width)) {
    const [values, ids] = [new Float32Array(buffer), new Int32Array(buffer)];
    for (const [column, sum] of sums.entries()) {
      if (dtypes[column] === "float32") addAll(sum, values, column, width, read);
      else for (let at = column; at < ids.length; at += width) if (ids[at] !== 0) sum.count++;
    }
  }
  return sums.map(({ count, mean, squares, least, most }, column) => {
    if (dtypes[column] !== "float32") return { count, moments: null, range: null };
    const std = count === 0 ? 0 : Math.sqrt(squares / count);
    const moments = { mean, std: std === 0 ? 1 : std };
    return { count, moments, range: count === 0 ? null : { least, most } };
  });
}

interface Sums {
  count: number;
  mean: number;
  squares: number;
  least: number;
  most: number;
}

function addAll(
  sums: Sums,
  values: Float32Array,
  first: number,
  stride: number,
  read: (value: number, column: number) => number,
): void {
  for (let at = first; at < values.length; at += stride) {
    const kept = values[at] as number;
    const value = read(kept, first);
    if (Number.isNaN(value)) continue;
    if (kept < sums.least) sums.least = kept;
    if (kept > sums.most) sums.most = kept;
    sums.count += 1;
    const difference = value - sums.mean;
    sums.mean += difference / sums.count;
    sums.squares += difference * (value - sums.mean);
  }
}
