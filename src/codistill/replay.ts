/** Record and replay: with the trace and the snapshots that it names, a group takes the same steps to the same bits. */
import { sha256 } from "../checkpoint/digest.js";
import { isSnapshotName } from "../checkpoint/layout.js";
import { decodeSafetensors } from "../checkpoint/safetensors.js";
import type { Store } from "../checkpoint/store.js";
import { CheckpointError } from "../errors.js";
import type { TeachersEvent } from "../log/events.js";
import { checkWeights } from "../nn/fit.js";
import type { Model } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import type { Exchange, SeenTeacher } from "./exchange.js";

const nameOf = (digest: string) => `recorded/${digest}.safetensors`;

/** A store of which every snapshot that is read is kept among the files, before anybody can learn from it. */
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

export interface ReplayOptions {
  readonly trace: readonly TeachersEvent[];
  /** The files of the recorded group. */
  readonly recorded: Store;
  readonly model: Model;
  /** Where the replay goes on from a checkpoint of its own; 0 by default. */
  readonly fromStep?: number;
}

/**
 * An exchange that gives the teachers of a trace at the steps of the trace, and publishes nothing.
 *
 * Its `teachers` throws {@link CheckpointError} when a recorded snapshot is gone or damaged.
 */
export function replayExchange({ trace, recorded, model, fromStep = 0 }: ReplayOptions): Exchange {
  // The steps of a trace may go back, where a student was restored: its entries are met one after the other.
  let next =
    fromStep === 0
      ? 0
      : Math.max(
          0,
          trace.findLastIndex(({ step }) => step <= fromStep),
        );
  let current: readonly SeenTeacher[] = [];

  async function load(teachers: TeachersEvent["teachers"]): Promise<readonly SeenTeacher[]> {
    const loaded: SeenTeacher[] = [];
    for (const teacher of teachers) {
      const before = current.find(({ digest }) => digest === teacher.digest);
      loaded.push({ ...teacher, params: before?.params ?? (await readRecorded(recorded, teacher.digest, model)) });
    }
    return loaded;
  }

  return {
    async teachers(step) {
      const entry = trace[next];
      if (entry && (entry.step === step || (step === fromStep && entry.step < step))) {
        current = await load(entry.teachers);
        next++;
      }
      return current;
    },
    // The trace knows which teachers were left out.
    judge: () => {},
    validated: () => {},
    known: () => current,
    supersededBy: null,
    publish: () => {},
    refresh: () => {},
    idle: async () => {},
  };
}

/**
 * The params of a snapshot that a group kept. Throws {@link CheckpointError} when it is gone, damaged or of another model.
 */
export async function readRecorded(recorded: Store, digest: string, model: Model): Promise<NamedArrays> {
  const name = nameOf(digest);
  const bytes = await recorded.get(name);
  if (!bytes) throw new CheckpointError(`a replay needs the snapshots of the recorded run, and ${name} is gone`);
  const actual = await sha256(bytes);
  if (actual !== digest) throw new CheckpointError(`recorded snapshot ${name} is damaged: its SHA-256 is ${actual}`);
  const { tensors } = decodeSafetensors(bytes);
  checkWeights("the snapshot", tensors, model);
  return tensors;
}
