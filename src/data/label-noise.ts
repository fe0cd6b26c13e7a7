/** Training labels that are wrong on purpose, to study what they do. */
import { fold, rootKey, uniform } from "../runtime/random.js";
import { labelsName } from "./batch.js";
import type { Rows } from "./records.js";

/** What of the labels is wrong. */
export interface LabelNoise {
  /** From 0 to below 1: with this probability a label is replaced. */
  readonly share: number;
  /** 2 at least; labels are 0 to `numClasses` - 1. */
  readonly numClasses: number;
}

/**
 * By how much the label of each example is off, modulo the classes: [examples], 0 where it stays as it is, else each of the other
 * classes alike. It follows from the place of an example alone, so that all groups, seeds and epochs see the same wrong labels.
 */
export function labelShifts(count: number, { share, numClasses }: LabelNoise): Uint16Array {
  const key = fold(rootKey(0), "label noise");
  const isWrong = uniform(fold(key, "wrong"), count);
  const other = uniform(fold(key, "class"), count);
  return Uint16Array.from(isWrong, (draw, i) =>
    draw < share ? 1 + Math.floor((other[i] as number) * (numClasses - 1)) : 0,
  );
}

/** The same rows with wrong labels. */
export function rowsWithNoise(rows: Rows, noise: LabelNoise): Rows {
  const { columns } = rows.layout;
  const word = columns.findIndex(({ name }) => name === labelsName);
  const isFloat = columns[word]?.dtype === "float32";
  const shifts = labelShifts(rows.numRows, noise);
  return {
    ...rows,
    read(wanted) {
      const records = rows.read(wanted);
      const labels = isFloat ? new Float32Array(records.buffer, records.byteOffset, records.length) : records;
      for (let i = 0, at = word; i < wanted.length; i++, at += columns.length) {
        const shift = shifts[wanted[i] as number] as number;
        if (shift > 0) labels[at] = ((labels[at] as number) + shift) % noise.numClasses;
      }
      return records;
    },
  };
}
