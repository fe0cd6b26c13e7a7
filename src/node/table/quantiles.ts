/** Quantiles of the numeric columns of a file of records. */
import { NUM_QUANTILES } from "../../nn/numeric-embedding.js";
import { recordChunks } from "./record-chunks.js";

/** Records of a sample, which are at equal distances in the file. */
const SAMPLE_RECORDS = 65_536;
/** Values that are in memory at once. */
const MOST_VALUES = 2 ** 24;

/**
 * The quantiles at the shares 0, 1/64, ..., 1 of each of the given columns of float32: values of the column, in
 * ascending order, missing and infinite ones left out. Of more than 65,536 records, those of a sample; so the same file
 * gives the same bits every time. A column without values has quantiles of 0.
 */
export async function quantilesOf(
  path: string,
  numRecords: number,
  width: number,
  columns: readonly number[],
): Promise<readonly (readonly number[])[]> {
  const every = Math.max(1, Math.ceil(numRecords / SAMPLE_RECORDS));
  const numSampled = Math.ceil(numRecords / every);
  const atOnce = Math.max(1, Math.floor(MOST_VALUES / Math.max(1, numSampled)));
  const quantiles: (readonly number[])[] = [];
  for (let first = 0; first < columns.length; first += atOnce) {
    const block = columns.slice(first, first + atOnce);
    const sampled = block.map(() => new Float32Array(numSampled));
    for await (const { first: start, count, buffer } of recordChunks(path, numRecords, width)) {
      const values = new Float32Array(buffer);
      for (let row = Math.ceil(start / every) * every; row < start + count; row += every) {
        for (const [i, column] of block.entries()) {
          (sampled[i] as Float32Array)[row / every] = values[(row - start) * width + column] as number;
        }
      }
    }
    quantiles.push(...sampled.map(quantilesOfValues));
  }
  return quantiles;
}

function quantilesOfValues(values: Float32Array): readonly number[] {
  const finite = values.filter((value) => Number.isFinite(value)).sort();
  return Array.from({ length: NUM_QUANTILES }, (_, i) => {
    return finite[Math.round((i / (NUM_QUANTILES - 1)) * (finite.length - 1))] ?? 0;
  });
}
