/** Checkpoints for programs that read them. The code that decodes the files is loaded when it is first needed. */
import type { Checkpoint } from "./checkpoint.js";
import type { Store } from "./store.js";

/**
 * Read a checkpoint by its name in a store; null when there is none. A run writes `checkpoint.safetensors` and
 * `best.safetensors` to the folder of each group.
 *
 * @throws DamagedError when it is not whole, or not as it was written
 * @throws CheckpointError when it is no checkpoint, or of another version
 * @example
 * import { readCheckpoint } from "codistill";
 * import { directoryStore } from "codistill/node";
 * const checkpoint = await readCheckpoint(directoryStore("runs/rides/group-0"), "checkpoint.safetensors");
 * console.log(checkpoint?.info.step);
 */
export async function readCheckpoint(store: Store, name: string): Promise<Checkpoint | null> {
  const { readCheckpoint: read } = await import("./checkpoint.js");
  return read(store, name);
}
