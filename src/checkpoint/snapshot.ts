/** Snapshots: a group's params as others see them. Immutable objects named by content, and a small pointer. */
import { z } from "zod";
import { CheckpointError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { sha256 } from "./digest.js";
import { decodeJson, encodeJson } from "./json.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";
import type { Store } from "./store.js";

/** The version of the pointer and of the snapshot's metadata. */
export const SNAPSHOT_VERSION = 1;

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

const thisVersion = { error: ({ input }: { input: unknown }) => `must be ${SNAPSHOT_VERSION}, got ${input}` };

/** Where a snapshot lies and how to know it. */
const pointerSchema = z.object({
  version: z.literal(SNAPSHOT_VERSION, thisVersion),
  name: z.string(),
  group: z.int().nonnegative(),
  step: z.int().nonnegative(),
  incarnation: z.int().positive(),
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type Pointer = z.infer<typeof pointerSchema>;

const metadataSchema = z.object({
  format: z.literal("codistill.snapshot"),
  version: z.literal(String(SNAPSHOT_VERSION), thisVersion),
  group: z.coerce.number(),
  step: z.coerce.number(),
  model: z.string(),
});

const folder = (group: number) => `groups/${group}`;

/** Write a snapshot, then point to it. Readers see the old one or the new one, never a part. */
export async function publishSnapshot(store: Store, snapshot: Snapshot, signal?: AbortSignal): Promise<Pointer> {
  const { group, step, incarnation, model } = snapshot;
  const bytes = encodeSafetensors(snapshot.params, {
    format: "codistill.snapshot",
    version: String(SNAPSHOT_VERSION),
    group: String(group),
    step: String(step),
    model,
  });
  const digest = await sha256(bytes);
  const name = `${folder(group)}/snapshots/${String(step).padStart(9, "0")}-${digest.slice(0, 8)}.safetensors`;
  const pointer: Pointer = {
    version: SNAPSHOT_VERSION,
    name,
    group,
    step,
    incarnation,
    bytes: bytes.length,
    sha256: digest,
  };
  await store.put(name, bytes, signal);
  await store.put(`${folder(group)}/latest.json`, encodeJson(pointer), signal);
  return pointer;
}

/**
 * A group's pointer; null when it has not published.
 *
 * Throws {@link CheckpointError} when it is not a pointer of this version and group.
 */
export async function readPointer(store: Store, group: number, signal?: AbortSignal): Promise<Pointer | null> {
  const name = `${folder(group)}/latest.json`;
  const bytes = await store.get(name, signal);
  if (!bytes) return null;
  const parsed = pointerSchema.safeParse(decodeJson(bytes));
  if (!parsed.success) throw new CheckpointError(`${name} is not a snapshot pointer: ${z.prettifyError(parsed.error)}`);
  const pointer = parsed.data;
  if (pointer.group !== group || !pointer.name.startsWith(`${folder(group)}/snapshots/`)) {
    throw new CheckpointError(`${name} must point into ${folder(group)}/snapshots/, got "${pointer.name}"`);
  }
  return pointer;
}

/**
 * The snapshot that a pointer names, checked in full: size, SHA-256, format, model, group and step.
 *
 * Throws {@link CheckpointError} on any difference; the caller keeps what it had.
 */
export async function readSnapshot(
  store: Store,
  pointer: Pointer,
  model: string,
  signal?: AbortSignal,
): Promise<Snapshot> {
  const refuse = (why: string): never => {
    throw new CheckpointError(`snapshot ${pointer.name} is refused: ${why}`);
  };
  const bytes = (await store.get(pointer.name, signal)) ?? refuse("it is gone from the store");
  if (bytes.length !== pointer.bytes) refuse(`its pointer says ${pointer.bytes} bytes, got ${bytes.length}`);
  const digest = await sha256(bytes);
  if (digest !== pointer.sha256) refuse(`its pointer says SHA-256 ${pointer.sha256}, got ${digest}`);
  const { tensors, metadata } = decodeSafetensors(bytes);
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) return refuse(z.prettifyError(parsed.error));
  if (parsed.data.model !== model) {
    refuse(`it is for another model (${parsed.data.model.slice(0, 8)}, this one is ${model.slice(0, 8)})`);
  }
  const { group, step } = parsed.data;
  if (group !== pointer.group || step !== pointer.step) {
    refuse(`its pointer says step ${pointer.step} of group ${pointer.group}, it holds step ${step} of group ${group}`);
  }
  return { group, step, incarnation: pointer.incarnation, model, params: tensors };
}

/**
 * Remove a group's own old snapshots, all but `keep` and never the one named `latest`. Those of later steps are left
 * from before a restart, and are the first to go.
 */
export async function removeOldSnapshots(
  store: Store,
  group: number,
  latest: string,
  keep: number,
  signal?: AbortSignal,
): Promise<void> {
  const names = await store.list(`${folder(group)}/snapshots/`, signal);
  const numUpToLatest = names.indexOf(latest) + 1;
  const oldestFirst = [...names.slice(numUpToLatest), ...names.slice(0, numUpToLatest)];
  for (const name of oldestFirst.slice(0, Math.max(0, names.length - keep))) await store.remove(name, signal);
}
