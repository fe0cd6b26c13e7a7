/** A group's checkpoint: the sections of its parts put together, and taken apart again. */
import { z } from "zod";
import {
  type Checkpoint,
  type CheckpointInfo,
  readCheckpoint,
  type Section,
  sectionInfo,
  sectionOf,
  writeCheckpoint,
} from "../checkpoint/checkpoint.js";
import { generationsOf, readGeneration } from "../checkpoint/generations.js";
import type { Store } from "../checkpoint/store.js";
import { CheckpointError } from "../errors.js";
import type { TrainEvent } from "../log/events.js";
import type { NamedArrays } from "../runtime/array.js";

/** Names of a group's own files. */
export const groupFiles = { checkpoint: "checkpoint.safetensors", best: "best.safetensors" } as const;

const SECTIONS: readonly string[] = ["student", "stream", "validation", "algorithm"];

const studentSchema = z.object({
  /** The factor of the learning rate: below 1 after the group has gone back to a checkpoint. */
  learningRateScale: z.number().positive(),
});

const streamSchema = z.object({
  /** The position at which the data stream continues. */
  cursor: z.object({ epoch: z.int().nonnegative(), position: z.int().nonnegative() }),
});

const validationSchema = z.object({
  /** The lowest validation loss so far, and its step. */
  best: z.object({ step: z.int().nonnegative(), loss: z.number() }).nullable(),
  /** The last validation loss that counted as an improvement, and the validations since. */
  waiting: z.object({ loss: z.number().nullable(), validations: z.int().nonnegative() }),
  /** Whether the validation that was due at this step was cancelled. */
  mustValidate: z.boolean().optional(),
  /** Whether the group has trained for as long as its time limit allows, and so has finished before its last step. */
  isOutOfTime: z.boolean().optional(),
});

/** What a checkpoint holds beside arrays, without its algorithm's section. */
export type SavedInfo = CheckpointInfo &
  z.infer<typeof studentSchema> &
  z.infer<typeof streamSchema> &
  z.infer<typeof validationSchema>;

/** A group as its checkpoint has it. */
export interface SavedGroup {
  readonly info: SavedInfo;
  /** The student's state, which the student checks. */
  readonly state: NamedArrays;
  /** The algorithm's section; the algorithm checks it. */
  readonly algorithm: Section;
}

/** Write a group's checkpoint, beside the one before it; returns its size in bytes. Throws what {@link writeCheckpoint} throws. */
export function writeOwnCheckpoint(files: Store, { info, state, algorithm }: SavedGroup): Promise<number> {
  const { learningRateScale, cursor, best, waiting, mustValidate, isOutOfTime, ...head } = info;
  const sections = {
    student: { info: { learningRateScale }, arrays: state },
    stream: { info: { cursor }, arrays: {} },
    validation: {
      info: { best, waiting, ...(mustValidate && { mustValidate }), ...(isOutOfTime && { isOutOfTime }) },
      arrays: {},
    },
    algorithm,
  };
  const { before } = generationsOf(groupFiles.checkpoint);
  return writeCheckpoint(files, groupFiles.checkpoint, { info: head, sections }, before);
}

/**
 * Read a group from the checkpoint of this name; null when there is none. Throws what {@link readCheckpoint} throws.
 */
export async function readSavedGroup(files: Store, name: string = groupFiles.checkpoint): Promise<SavedGroup | null> {
  const checkpoint = await readCheckpoint(files, name);
  return checkpoint && apart(checkpoint);
}

/**
 * Read a group's own checkpoint: the newest of two generations that is whole. Throws what {@link readGeneration}
 * throws.
 */
export function readOwnCheckpoint(
  files: Store,
  group: number,
  log: (event: TrainEvent) => void,
): Promise<SavedGroup | null> {
  const read = async (name: string) => {
    const saved = await readSavedGroup(files, name);
    if (!saved || saved.info.group === group) return saved;
    throw new CheckpointError(
      `${name} must be of group ${group}, whose folder it lies in, and is of group ${saved.info.group}. Put the own one back.`,
    );
  };
  const tell = (message: string) => log({ event: "file-damaged", group, message });
  return readGeneration(files, groupFiles.checkpoint, read, tell);
}

function apart(checkpoint: Checkpoint): SavedGroup {
  const info = <T>(name: string, schema: z.ZodType<T>) => sectionInfo(sectionOf(checkpoint, name), name, schema);
  const foreign = Object.keys(checkpoint.sections).find((name) => !SECTIONS.includes(name));
  if (foreign !== undefined) {
    throw new CheckpointError(
      `a checkpoint has the sections ${SECTIONS.join(", ")}, this one has a section ${foreign}`,
    );
  }
  return {
    info: {
      ...checkpoint.info,
      ...info("student", studentSchema),
      ...info("stream", streamSchema),
      ...info("validation", validationSchema),
    },
    state: sectionOf(checkpoint, "student").arrays,
    algorithm: sectionOf(checkpoint, "algorithm"),
  };
}
