/** Recordings: the snapshots that taught a group, kept among its own files, so that the same steps can be taken again. */
import { CheckpointError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { sha256 } from "./digest.js";
import { isSnapshotName } from "./layout.js";
import { decodeSafetensors } from "./safetensors.js";
import type { Store } from "./store.js";

const nameOf = (digest: string) => `recorded/${digest}.safetensors`;

/** A store that copies each snapshot that is read from it to `files`, before a group can learn from it. */
export function recordingStore(store: Store, files: Store): Store {
  return {
    ...store,
    async get(name, ...rest) {
      const bytes = await store.get(name, ...rest);
      if (bytes && isSnapshotName(name)) await files.put(nameOf(await sha256(bytes)), bytes);
      return bytes;
    },
  };
}

/**
 * The params of a recorded snapshot; that they fit the model is not checked. Throws {@link CheckpointError} when the
 * snapshot is missing or damaged.
 */
export async function readRecorded(recorded: Store, digest: string): Promise<NamedArrays> {
  const name = nameOf(digest);
  const bytes = await recorded.get(name);
  if (!bytes) throw new CheckpointError(`a replay needs the snapshots of the recorded run, and ${name} is gone`);
  const actual = await sha256(bytes);
  if (actual !== digest) throw new CheckpointError(`recorded snapshot ${name} is damaged: its SHA-256 is ${actual}`);
  return decodeSafetensors(bytes).tensors;
}
