/** Where a group without a checkpoint begins: at step 0, or at its newest snapshot in the store. */

import { latestName } from "../checkpoint/layout.js";
import { readRecorded } from "../checkpoint/recordings.js";
import { maxSnapshotBytes, readPointer, readSnapshot } from "../checkpoint/snapshot.js";
import type { Store } from "../checkpoint/store.js";
import { CheckpointError } from "../errors.js";
import { checkWeights } from "../nn/fit.js";
import { type Model, weightSpecs } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";

export interface Beginning {
  readonly step: number;
  /** SHA-256 of the snapshot that it begins from; null when it begins at step 0. */
  readonly digest: string | null;
  /** Its params; left out at step 0, where they are drawn or read from the file that `init` names. */
  readonly params?: NamedArrays;
}

/** A group that begins as if it had never been started. */
export const atStepZero: Beginning = { step: 0, digest: null };

/**
 * The newest snapshot of a group in its store; step 0 when there is none.
 *
 * Throws {@link CheckpointError} when the snapshot cannot be used: beginning at step 0 instead would throw away, and
 * soon publish over, what the group has learned.
 */
export async function fromNewestSnapshot(
  store: Store,
  group: number,
  {
    model,
    digest: modelDigest,
    numSteps,
  }: { readonly model: Model; readonly digest: string; readonly numSteps: number },
): Promise<Beginning> {
  try {
    const pointer = await readPointer(store, group);
    if (!pointer) return atStepZero;
    const { step, sha256: digest } = pointer;
    if (step > numSteps) throw new CheckpointError(`it is of step ${step}, and the run has ${numSteps}`);
    const maxBytes = maxSnapshotBytes(weightSpecs(model));
    const { params } = await readSnapshot(store, pointer, modelDigest, undefined, maxBytes);
    checkWeights("the snapshot", params, model);
    return { step, digest, params };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(
      `group ${group} was trained elsewhere and must begin from its newest snapshot in the store: ${error.message}. ` +
        `Go on in the run folder it was trained in (--resume), or remove ${latestName(group)} from the store to begin at step 0.`,
      { cause: error },
    );
  }
}

/** The beginning of a recorded group, from the snapshot that it kept. Throws what {@link readRecorded} throws. */
export async function asRecorded(
  recorded: Store,
  { step, digest }: Pick<Beginning, "step" | "digest">,
  model: Model,
): Promise<Beginning> {
  if (digest === null) return { step, digest };
  const params = await readRecorded(recorded, digest);
  checkWeights("the snapshot", params, model);
  return { step, digest, params };
}
