/** Predictions of a kept model over all rows of a split. */
import { sequential } from "../data/stream.js";
import type { Rows } from "../data/table.js";
import type { NamedArrays } from "../runtime/array.js";
import type { Program } from "../runtime/engine.js";
import { auc, logLoss } from "./metrics.js";

/** Rows of one prediction batch: large enough to hide the cost of a call, small enough to stay in cache. */
const BATCH = 8192;

/** Probabilities and labels, both [numRows], in the order of the rows. */
export interface Predictions {
  readonly probs: Float32Array;
  readonly labels: Float32Array;
}

/** Run a program with an output `probs` over all rows. Rejects with the signal's reason when that cancels it. */
export async function predictAll(program: Program, rows: Rows, signal?: AbortSignal): Promise<Predictions> {
  const probs = new Float32Array(rows.numRows);
  const labels = new Float32Array(rows.numRows);
  let at = 0;
  for (const batch of sequential(rows, BATCH)) {
    const predicted = (await program.run(batch, { signal })).probs;
    probs.set(predicted?.data as Float32Array, at);
    labels.set((batch as NamedArrays).labels?.data as Float32Array, at);
    at += predicted?.shape[0] ?? 0;
  }
  return { probs, labels };
}

/** Log loss in nats, and area under the ROC curve. */
export function score({ probs, labels }: Predictions): { loss: number; auc: number } {
  return { loss: logLoss(probs, labels), auc: auc(probs, labels) };
}
