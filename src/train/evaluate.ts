/** Predictions of a kept model over all rows of a split. */

import { labelsName, targetsName, weightsName } from "../data/batch.js";
import type { Rows } from "../data/records.js";
import { sequential } from "../data/stream.js";
import type { Program } from "../engine/engine.js";
import { sizeOf } from "../runtime/array.js";
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

/** Run a program with an output `probs` over all rows. Rejects with the signal's reason when the signal cancels it. */
export async function predictAll(
  program: Program,
  rows: Rows,
  signal?: AbortSignal,
): Promise<Predictions & { readonly probs: Float32Array }> {
  let probs: Float32Array = new Float32Array();
  let labels: Labels = new Float32Array();
  const hasWeights = rows.layout.columns.some(({ name }) => name === weightsName);
  const weights = hasWeights ? new Float32Array(rows.numRows) : undefined;
  let at = 0;
  for (const batch of sequential(rows, BATCH)) {
    const predicted = named(await program.run(batch, { signal }), "probs");
    const own = named(batch, labelsName);
    const width = sizeOf(predicted.shape.slice(1));
    if (at === 0) {
      probs = new Float32Array(rows.numRows * width);
      labels = own.dtype === "int32" ? new Int32Array(rows.numRows) : new Float32Array(rows.numRows);
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
