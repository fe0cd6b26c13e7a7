/** Mean and deviation of the columns of a file of records. */
import { setImmediate } from "node:timers/promises";
import { readingFile } from "../read-file.js";

/** Mean, and population standard deviation; 1 for a deviation of 0. */
export interface Moments {
  readonly mean: number;
  readonly deviation: number;
}

/** Records of a chunk that is read at once. */
const CHUNK_RECORDS = 16_384;

/**
 * Those of each float32 column, without NaN; null for other columns. Running mean and sum of squared differences
 * from it (Welford), in the order of the file: the same bits every time. Of values as `read` makes them.
 */
export async function momentsOf(
  path: string,
  numRecords: number,
  dtypes: readonly ("int32" | "float32")[],
  read: (value: number, column: number) => number = (value) => value,
): Promise<readonly (Moments | null)[]> {
  const moments = dtypes.map((dtype) => (dtype === "float32" ? { count: 0, mean: 0, squares: 0 } : null));
  const width = dtypes.length;
  for (let start = 0; start < numRecords; start += CHUNK_RECORDS) {
    const count = Math.min(CHUNK_RECORDS, numRecords - start);
    const bytes = readingFile(path, (read) => read(4 * width * start, 4 * width * count));
    const values = new Float32Array(bytes.buffer);
    for (const [column, moment] of moments.entries()) {
      if (moment) addAll(moment, values, column, width, read);
    }
    await setImmediate();
  }
  return moments.map((moment) => {
    if (!moment) return null;
    const deviation = moment.count === 0 ? 0 : Math.sqrt(moment.squares / moment.count);
    return { mean: moment.mean, deviation: deviation === 0 ? 1 : deviation };
  });
}

function addAll(
  moments: { count: number; mean: number; squares: number },
  values: Float32Array,
  first: number,
  stride: number,
  read: (value: number, column: number) => number,
): void {
  for (let at = first; at < values.length; at += stride) {
    const value = read(values[at] as number, first);
    if (Number.isNaN(value)) continue;
    moments.count += 1;
    const difference = value - moments.mean;
    moments.mean += difference / moments.count;
    moments.squares += difference * (value - moments.mean);
  }
}
