/** Predictions of a kept model over all examples of a split. */

import { labelsName, targetsName, weightsName } from "../data/batch.js";
import type { Rows } from "../data/records.js";
import { sequential } from "../data/stream.js";
import type { Program } from "../engine/engine.js";
import { type NamedArrays, sizeOf } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import type { Floats, Labels } from "./metrics.js";

/** Rows of one prediction batch: large enough to hide the cost of a call, small enough to stay in cache. */
const BATCH = 8192;

/**
 * Predictions [numRows] or [numRows, classes], labels [numRows] of all rows, and their weights in every metric, where they
 * have some: in the order of the rows.
 */
export interface Predictions {
  readonly probs: Floats;
  readonly labels: Labels;
  readonly weights?: Floats | undefined;
}

/** Examples of a split, in batches, as often as they are asked for. */
export interface Pass {
  readonly numRows: number;
  /** Whether batches have `weights`. */
  readonly hasWeights: boolean;
  readonly batches: () => Iterable<NamedArrays>;
}

/** The rows of a table as a pass. */
export function passOver(rows: Rows): Pass {
  return {
    numRows: rows.numRows,
    hasWeights: rows.layout.columns.some(({ name }) => name === weightsName),
    batches: () => sequential(rows, BATCH),
  };
}

/** Run a program with an output `probs` over all examples. Rejects with the signal's reason when the signal cancels it. */
export async function predictAll(
  program: Program,
  examples: Rows | Pass,
  signal?: AbortSignal,
): Promise<Predictions & { readonly probs: Float32Array }> {
  const { numRows, hasWeights, batches } = "batches" in examples ? examples : passOver(examples);
  let probs: Float32Array = new Float32Array();
  let labels: Labels = new Float32Array();
  const weights = hasWeights ? new Float32Array(numRows) : undefined;
  let at = 0;
  for (const batch of batches()) {
    const predicted = named(await program.run(batch, { signal }), "probs");
    const own = named(batch, labelsName);
    const width = sizeOf(predicted.shape.slice(1));
    if (at === 0) {
      probs = new Float32Array(numRows * width);
      labels = own.dtype === "int32" ? new Int32Array(numRows) : new Float32Array(numRows);
    }
    probs.set(predicted.data, at * width);
    labels.set(own.data as Labels, at);
    weights?.set(named(batch, weightsName).data as Floats, at);
    at += predicted.shape[0] ?? 0;
  }
  return { probs, labels, weights };
}

/** What fixed teachers predict for all rows, [numRows] or [numRows, classes]; null where there are none. */
export function targetsOf(rows: Rows): Float32Array | null {
  let all: Float32Array | null = null;
  let at = 0;
  for (const { [targetsName]: targets } of sequential(rows, BATCH)) {
    if (!targets) return null;
    all ??= new Float32Array(rows.numRows * sizeOf(targets.shape.slice(1)));
    all.set(targets.data as Float32Array, at);
    at += targets.data.length;
  }
  return all;
}
