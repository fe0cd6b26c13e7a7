/** Logits and targets for the losses, as data for `losses.py` and as numbers for the tests. */

import { mapValues } from "../../src/runtime/named.js";
import { LOGITS, NUM_CLASSES, rowLossCases } from "./row-losses.js";

/** What PyTorch says of logits [batch] and targets [batch]. */
export interface LossResult {
  readonly loss: number;
  readonly gradient: readonly number[];
  readonly probs: readonly number[];
  /** The mean entropy of the targets, in nats. */
  readonly entropy: number;
}

export const lossCases: Readonly<
  Record<string, { readonly logits: readonly number[]; readonly targets: readonly number[] }>
> = {
  "hard labels": { logits: [-1.5, 0.25, 0, 2.75, -3], targets: [0, 1, 1, 0, 1] },
  "soft targets": { logits: [-1.5, 0.25, 0, 2.75, -3], targets: [0.125, 0.5, 0.96875, 0.25, 0.0078125] },
  "one example": { logits: [0.5], targets: [1] },
  "logits of 100": { logits: [100, 100, -100, -100, 100, -100], targets: [0, 1, 0, 1, 0.5, 0.25] },
  "logits of 10,000": { logits: [1e4, 1e4, -1e4, -1e4, 1e4, -1e4], targets: [0, 1, 0, 1, 0.5, 0.25] },
};

/** The data that `losses.py` reads. */
export function lossData(): object {
  const rows = mapValues(rowLossCases, (rowCase) => ({ logits: LOGITS, numClasses: NUM_CLASSES, ...rowCase }));
  return { ...lossCases, ...rows };
}
