/** Predictions of a kept model over all rows of a split. */

import { labelsName } from "../data/batch.js";
import { sequential } from "../data/stream.js";
import type { Rows } from "../data/table.js";
import type { Program } from "../engine/engine.js";
import { sizeOf } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import type { Floats, Labels } from "./metrics.js";

/** Rows of one prediction batch: large enough to hide the cost of a call, small enough to stay in cache. */
const BATCH = 8192;

/** Predictions [numRows] or [numRows, classes] and labels [numRows] of all rows, in their order. */
export interface Predictions {
  readonly probs: Floats;
  readonly labels: Labels;
}

/** Run a program with an output `probs` over all rows. Rejects with the signal's reason when the signal cancels it. */
export async function predictAll(
  program: Program,
  rows: Rows,
  signal?: AbortSignal,
): Promise<Predictions & { readonly probs: Float32Array }> {
  let probs: Float32Array = new Float32Array();
  let labels: Labels = new Float32Array();
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
    at += predicted.shape[0] ?? 0;
  }
  return { probs, labels };
}
