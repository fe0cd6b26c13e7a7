/** Snapshots: a group's params as others see them, in immutable objects named by content; a pointer names the last. */
import { z } from "zod";
import { CheckpointError } from "../errors.js";
import { type NamedArrays, sizeOf } from "../runtime/array.js";
import { numBytes } from "./bytes.js";
import { sha256 } from "./digest.js";
import { asText, digestText, groupNumber, incarnationNumber, problemsOf, stepNumber } from "./fields.js";
import { decodeJson, encodeJson, show, versionMustBe } from "./json.js";
import { isSnapshotName, latestName, snapshotName, snapshotsFolder } from "./layout.js";
import { decodeSafetensors, safetensorsParts } from "./safetensors.js";
import type { Store } from "./store.js";

/** The version of the pointer and of the snapshot's metadata. */
const SNAPSHOT_VERSION = 1;

/** Params that a group publishes. */
export interface Snapshot {
  readonly group: number;
  readonly step: number;
  /** How many times the group has been started. */
  readonly incarnation: number;
  /** Digest of the forward graph that the params are for. */
  readonly model: string;
  readonly params: NamedArrays;
}

/** A pointer has some 300 bytes; the rest is room for later fields. */
const MAX_POINTER_BYTES = 64 << 10;
/** Room in a snapshot's header for its metadata and the spaces that align the data. */
const HEADER_BYTES = 4096;
/** Room in the header for each param, beside its name and shape. */
const PARAM_BYTES = 256;
const FLOAT_BYTES = 4;

const thisVersion = versionMustBe(SNAPSHOT_VERSION);

/** The name of the newest snapshot, and the values that it is checked by. */
const pointerSchema = z.object({
  version: z.literal(SNAPSHOT_VERSION, thisVersion),
  name: z.string().max(1031),
  group: groupNumber,
  step: stepNumber,
  incarnation: incarnationNumber,
  bytes: z.int().positive(),
  sha256: digestText,
});

export type Pointer = z.infer<typeof pointerSchema>;

const metadataSchema = z.object({
  format: z.literal("codistill.snapshot"),
  version: z.literal(String(SNAPSHOT_VERSION), thisVersion),
  group: asText(groupNumber),
  step: asText(stepNumber),
  model: z.string(),
});

/**
 * The most bytes that a snapshot of these params may have: 4 for each value, and for the header 4,096, and for each param
 * 256, 20 for each axis and 6 for each UTF-16 code unit of its name.
 */
export function maxSnapshotBytes(params: Readonly<Record<string, { readonly shape: readonly number[] }>>): number {
  return Object.entries(params).reduce(
    (bytes, [name, { shape }]) =>
      bytes + FLOAT_BYTES * sizeOf(shape) + PARAM_BYTES + 20 * shape.length + 6 * name.length,
    HEADER_BYTES,
  );
}

/** Write a snapshot, then point to it. Readers see the old one or the new one, never a part. */
export async function publishSnapshot(store: Store, snapshot: Snapshot, signal?: AbortSignal): Promise<Pointer> {
  const { group, step, incarnation, model } = snapshot;
  const parts = safetensorsParts(snapshot.params, {
    format: "codistill.snapshot",
    version: String(SNAPSHOT_VERSION),
    group: String(group),
    step: String(step),
    model,
  });
  const digest = await sha256(parts);
  const name = snapshotName(group, step, digest);
  const pointer: Pointer = {
    version: SNAPSHOT_VERSION,
    name,
    group,
    step,
    incarnation,
    bytes: numBytes(parts),
    sha256: digest,
  };
  await store.put(name, parts, signal);
  await store.put(latestName(group), encodeJson(pointer), signal);
  return pointer;
}

/**
 * A group's pointer; null when the group has published nothing.
 *
 * Throws {@link CheckpointError} when it is not a pointer of this version and group, and {@link StoreError} when it has
 * more than 64 KiB.
 */
export async function readPointer(store: Store, group: number, signal?: AbortSignal): Promise<Pointer | null> {
  const name = latestName(group);
  const bytes = await store.get(name, signal, MAX_POINTER_BYTES);
  if (!bytes) return null;
  return pointerOf(decodeJson(bytes), name, group);
}

/** A value as a pointer to a snapshot of a group. Throws {@link CheckpointError}, with the name of its object, when it is none. */
export function pointerOf(value: unknown, name: string, group: number): Pointer {
  const parsed = pointerSchema.safeParse(value);
  if (!parsed.success) throw new CheckpointError(`${name} is not a snapshot pointer: ${problemsOf(parsed.error)}`);
  const pointer = parsed.data;
  if (pointer.group !== group || !isSnapshotName(pointer.name, group)) {
    throw new CheckpointError(
      `${name} must point into ${snapshotsFolder(group)}, got ${show(pointer.name)} (snapshots are named <step>-<digest>.safetensors)`,
    );
  }
  return pointer;
}

/**
 * The snapshot that a pointer names, checked in full: size, SHA-256, format, model, group and step.
 *
 * Nothing is fetched when the pointer says more than `maxBytes`, see {@link maxSnapshotBytes}, and nothing is read into
 * memory when the store holds more than the pointer says.
 *
 * Throws {@link CheckpointError} on any difference, and {@link StoreError} when the store holds more than the pointer
 * says. The caller keeps the snapshot that it had.
 */
export async function readSnapshot(
  store: Store,
  pointer: Pointer,
  model: string,
  signal?: AbortSignal,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<Snapshot> {
  const refuse = (why: string): never => {
    throw new CheckpointError(`snapshot ${pointer.name} is refused: ${why}`);
  };
  if (pointer.bytes > maxBytes) {
    refuse(`its pointer says ${pointer.bytes} bytes, and a snapshot of this model has at most ${maxBytes}`);
  }
  const bytes = (await store.get(pointer.name, signal, pointer.bytes)) ?? refuse("it is gone from the store");
  if (bytes.length !== pointer.bytes) refuse(`its pointer says ${pointer.bytes} bytes, got ${bytes.length}`);
  const digest = await sha256(bytes);
  if (digest !== pointer.sha256) refuse(`its pointer says SHA-256 ${pointer.sha256}, got ${digest}`);
  const { tensors, metadata } = decodeSafetensors(bytes);
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) return refuse(problemsOf(parsed.error));
  if (parsed.data.model !== model) {
    refuse(`it is for another model (${parsed.data.model.slice(0, 8)}, this one is ${model.slice(0, 8)})`);
  }
  const { group, step } = parsed.data;
  if (group !== pointer.group || step !== pointer.step) {
    refuse(`its pointer says step ${pointer.step} of group ${pointer.group}, it holds step ${step} of group ${group}`);
  }
  return { group, step, incarnation: pointer.incarnation, model, params: tensors };
}

/** The most snapshots that one publication removes: thousands would take longer than the time it is given. */
const MAX_REMOVALS = 100;

/**
 * Remove a group's own old snapshots: `keep` of them stay, always with the one named `latest`. Snapshots of later steps
 * are left over from before a restart, and are removed first. One call removes at most 100; the next calls remove the
 * rest.
 */
export async function removeOldSnapshots(
  store: Store,
  group: number,
  latest: string,
  keep: number,
  signal?: AbortSignal,
): Promise<void> {
  const names = await store.list(snapshotsFolder(group), signal);
  for (const name of oldSnapshots(names, latest, keep).slice(0, MAX_REMOVALS)) await store.remove(name, signal);
}

/**
 * The names of the snapshots to remove, out of a group's sorted names, in the order in which {@link removeOldSnapshots}
 * removes them. An object that is not named as a snapshot is not ours, and stays.
 */
export function oldSnapshots(all: readonly string[], latest: string, keep: number): string[] {
  const names = all.filter((name) => isSnapshotName(name));
  const numUpToLatest = names.indexOf(latest) + 1;
  const oldestFirst = [...names.slice(numUpToLatest), ...names.slice(0, numUpToLatest)];
  return oldestFirst.slice(0, Math.max(0, names.length - keep));
}
