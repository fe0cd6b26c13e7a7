/** Snapshots for programs that publish or read weights themselves. The code for files is loaded when first needed. */
import { sha256 } from "../checkpoint/digest.js";
import type { Store } from "../checkpoint/store.js";
import { checkWeights } from "../nn/fit.js";
import { type Model, weightSpecs } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import type { Teacher } from "../train/student.js";

/** What a group publishes. */
export interface PublishOptions {
  readonly group: number;
  readonly step: number;
  /** The model of the weights: a reader must have a model that computes the same. */
  readonly model: Model;
  /** Its params, and the buffers of a model that has some, as `Student.params` gives them. */
  readonly params: NamedArrays;
  /** How many times the group has been started; 1 by default. */
  readonly incarnation?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where a snapshot lies in its store, its size in bytes, and its SHA-256 in hexadecimal. */
export interface PublishedSnapshot {
  readonly name: string;
  readonly bytes: number;
  readonly digest: string;
}

/**
 * Publish weights as a group's newest snapshot. Readers see the one before or this one, never a part. Older ones stay.
 *
 * @throws CheckpointError when the weights do not fit the model
 * @throws StoreError when the store cannot be written to
 */
export async function publishSnapshot(
  store: Store,
  { group, step, model, params, incarnation = 1, signal }: PublishOptions,
): Promise<PublishedSnapshot> {
  checkWeights("the snapshot", params, model);
  const files = await import("./exchange-files.js");
  const snapshot = { group, step, incarnation, model: await sha256(files.forwardOnnx(model)), params };
  const { name, bytes, sha256: digest } = await files.publishSnapshot(store, snapshot, signal);
  return { name, bytes, digest };
}

/** The group whose newest snapshot is read, and the model that it must fit. */
export interface ReadSnapshotOptions {
  readonly group: number;
  readonly model: Model;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The newest snapshot of a group, checked in full, as a teacher that `Student.learn` takes; null when there is none.
 *
 * @throws CheckpointError when it is not whole, is not as it was written, or is of another model
 * @throws StoreError when the store cannot be read
 * @example
 * import { memoryStore, mlp, initWeights, publishSnapshot, readSnapshot, rootKey } from "codistill";
 * const model = mlp({ categorical: {}, numeric: { x: { mean: 0, std: 1 } }, hidden: [4] });
 * const store = memoryStore();
 * await publishSnapshot(store, { group: 0, step: 100, model, params: initWeights(model, rootKey(1)) });
 * const teacher = await readSnapshot(store, { group: 0, model });
 * console.log(teacher?.step);
 */
export async function readSnapshot(
  store: Store,
  { group, model, signal }: ReadSnapshotOptions,
): Promise<Teacher | null> {
  const files = await import("./exchange-files.js");
  const pointer = await files.readPointer(store, group, signal);
  if (!pointer) return null;
  const maxBytes = files.maxSnapshotBytes(weightSpecs(model));
  const digest = await sha256(files.forwardOnnx(model));
  const { step, params } = await files.readSnapshot(store, pointer, digest, signal, maxBytes);
  checkWeights("the snapshot", params, model);
  return { group, step, digest: pointer.sha256, params };
}
