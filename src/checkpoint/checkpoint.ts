/** Checkpoints: everything that a group needs to go on as if it had never stopped. */
import { z } from "zod";
import { CheckpointError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { underPrefix, withPrefix } from "../runtime/named.js";
import { decodeJson } from "./json.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";
import type { Store } from "./store.js";

/** The version of a checkpoint's metadata. */
export const CHECKPOINT_VERSION = 1;

const teacherSchema = z.object({
  group: z.int().nonnegative(),
  step: z.int().nonnegative(),
  digest: z.string(),
  seenAtStep: z.int().nonnegative(),
});

const metadataSchema = z.object({
  version: z.literal(CHECKPOINT_VERSION, { error: ({ input }) => `must be ${CHECKPOINT_VERSION}, got ${input}` }),
  group: z.int().nonnegative(),
  step: z.int().nonnegative(),
  incarnation: z.int().positive(),
  /** Digest of the forward graph. */
  model: z.string(),
  /** Where the data stream goes on. */
  cursor: z.object({ epoch: z.int().nonnegative(), position: z.int().nonnegative() }),
  /** The lowest validation loss so far, and its step. */
  best: z.object({ step: z.int().nonnegative(), loss: z.number() }).nullable(),
  /** What learning rates are multiplied by since the group was set back. */
  learningRateScale: z.number().positive().default(1),
  /** The last validation loss that counted as an improvement, and the validations since. */
  waiting: z
    .object({ loss: z.number().nullable(), validations: z.int().nonnegative() })
    .default({ loss: null, validations: 0 }),
  teachers: z.array(teacherSchema),
});

/** What a checkpoint says beside its arrays. */
export type CheckpointInfo = Omit<z.infer<typeof metadataSchema>, "version" | "teachers">;

/** A whole checkpoint: the student's state and the teachers in use. */
export interface Checkpoint {
  readonly info: CheckpointInfo;
  /** `params.*`, `optState.*`, and `ema.*` where the params are averaged. */
  readonly state: NamedArrays;
  readonly teachers: readonly (z.infer<typeof teacherSchema> & { readonly params: NamedArrays })[];
}

/** Write a checkpoint under a name, replacing an older one whole; returns its size in bytes. */
export async function writeCheckpoint(
  store: Store,
  name: string,
  { info, state, teachers }: Checkpoint,
): Promise<number> {
  const metadata = {
    version: CHECKPOINT_VERSION,
    ...info,
    teachers: teachers.map(({ params: _, ...teacher }) => teacher),
  };
  const teacherArrays = teachers.map(({ group, params }) => withPrefix(`teachers.${group}`, params));
  const tensors: NamedArrays = Object.assign({}, state, ...teacherArrays);
  const bytes = encodeSafetensors(tensors, { format: "codistill.checkpoint", checkpoint: JSON.stringify(metadata) });
  await store.put(name, bytes);
  return bytes.length;
}

/**
 * Read a checkpoint; null when there is none.
 *
 * Throws {@link CheckpointError} when it is not whole, not a checkpoint, or of another version.
 */
export async function readCheckpoint(store: Store, name: string): Promise<Checkpoint | null> {
  const bytes = await store.get(name);
  if (!bytes) return null;
  const { tensors, metadata } = decodeSafetensors(bytes);
  const refuse = (why: string): never => {
    throw new CheckpointError(`checkpoint ${name} is refused: ${why}`);
  };
  if (metadata.format !== "codistill.checkpoint") refuse(`its format is ${metadata.format ?? "not named"}`);
  const parsed = metadataSchema.safeParse(decodeJson(metadata.checkpoint ?? ""));
  if (!parsed.success) return refuse(z.prettifyError(parsed.error));
  const { teachers, version: _, ...info } = parsed.data;
  return {
    info,
    state: {
      ...withPrefix("params", underPrefix("params", tensors)),
      ...withPrefix("optState", underPrefix("optState", tensors)),
      ...withPrefix("ema", underPrefix("ema", tensors)),
    },
    teachers: teachers.map((teacher) => ({ ...teacher, params: underPrefix(`teachers.${teacher.group}`, tensors) })),
  };
}
