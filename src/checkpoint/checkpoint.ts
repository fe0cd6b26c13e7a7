/** Checkpoints: everything that a group needs to go on as if it had never stopped. */
import { z } from "zod";
import { CheckpointError } from "../errors.js";
import type { NamedArrays, NdArray } from "../runtime/array.js";
import { withPrefix } from "../runtime/named.js";
import { numBytes } from "./bytes.js";
import { groupNumber, incarnationNumber, stepNumber } from "./fields.js";
import { decodeJson, problemsOf, show, versionMustBe } from "./json.js";
import { openSafetensors, sealedSafetensors } from "./seal.js";
import type { Store } from "./store.js";

/** The version of a checkpoint's metadata. */
const CHECKPOINT_VERSION = 1;

/** The parts of a student's state. */
const STATE = ["params", "optState", "buffers", "ema", "state", "teacherState"] as const;

/** Of the description, in UTF-16 code units: enough for 1,500 teachers. Parsed JSON takes many times its text. */
const MAX_DESCRIPTION = 256 << 10;

const teacherSchema = z.object({
  group: groupNumber,
  step: stepNumber,
  digest: z.string(),
  seenAtStep: stepNumber,
});

const metadataSchema = z.object({
  version: z.literal(CHECKPOINT_VERSION, versionMustBe(CHECKPOINT_VERSION)),
  group: groupNumber,
  step: stepNumber,
  incarnation: incarnationNumber,
  /** Digest of the forward graph. */
  model: z.string(),
  /** Where the data stream goes on. */
  cursor: z.object({ epoch: z.int().nonnegative(), position: z.int().nonnegative() }),
  /** The lowest validation loss so far, and its step. */
  best: z.object({ step: z.int().nonnegative(), loss: z.number() }).nullable(),
  /** What learning rates are multiplied by since the group was set back. */
  learningRateScale: z.number().positive(),
  /** The last validation loss that counted as an improvement, and the validations since. */
  waiting: z.object({ loss: z.number().nullable(), validations: z.int().nonnegative() }),
  /** That the validation which was due at this step was cancelled. */
  mustValidate: z.boolean().optional(),
  teachers: z.array(teacherSchema),
});

/** What a checkpoint says beside its arrays. */
export type CheckpointInfo = Omit<z.infer<typeof metadataSchema>, "version" | "teachers">;

/** A whole checkpoint: the student's state and the teachers in use. */
export interface Checkpoint {
  readonly info: CheckpointInfo;
  /**
   * `params.*`, `optState.*`, `buffers.*` of a model that has some, `ema.*` where the params are averaged, and of a model that
   * carries a state its own, `state.*`, and those of its teachers, `teacherState.<group>.*`.
   */
  readonly state: NamedArrays;
  readonly teachers: readonly (z.infer<typeof teacherSchema> & { readonly params: NamedArrays })[];
}

/**
 * Write a checkpoint under a name, replacing an older one whole, which stays under the name `before`; returns its size in
 * bytes.
 *
 * Throws {@link CheckpointError} for more teachers than can be read back, about 1,500.
 */
export async function writeCheckpoint(
  store: Store,
  name: string,
  { info, state, teachers }: Checkpoint,
  before?: string,
): Promise<number> {
  const metadata = {
    version: CHECKPOINT_VERSION,
    ...info,
    teachers: teachers.map(({ params: _, ...teacher }) => teacher),
  };
  const teacherArrays = teachers.map(({ group, params }) => withPrefix(`teachers.${group}`, params));
  const tensors: NamedArrays = Object.assign({}, state, ...teacherArrays);
  const description = JSON.stringify(metadata);
  if (description.length > MAX_DESCRIPTION) throw new CheckpointError(`checkpoint ${name}: ${tooLong(description)}`);
  const parts = await sealedSafetensors(tensors, { format: "codistill.checkpoint", checkpoint: description });
  await store.put(name, parts, undefined, before);
  return numBytes(parts);
}

/**
 * Read a checkpoint; null when there is none.
 *
 * Throws {@link DamagedError} when it is not whole or not as it was written, and {@link CheckpointError} when it is not a
 * checkpoint, or of another version.
 */
export async function readCheckpoint(store: Store, name: string): Promise<Checkpoint | null> {
  const bytes = await store.get(name);
  if (!bytes) return null;
  const { tensors, metadata } = await openSafetensors(`checkpoint ${name}`, bytes);
  const refuse = (why: string): never => {
    throw new CheckpointError(`checkpoint ${name} is refused: ${why}`);
  };
  const { format, checkpoint: description = "" } = metadata;
  if (format !== "codistill.checkpoint") refuse(`its format is ${format?.slice(0, 100) ?? "not named"}`);
  if (description.length > MAX_DESCRIPTION) refuse(tooLong(description));
  const parsed = metadataSchema.safeParse(decodeJson(description));
  if (!parsed.success) return refuse(problemsOf(parsed.error));
  const { teachers, version: _, ...info } = parsed.data;
  const prefixes = [...STATE, ...teachers.map(({ group }) => `teachers.${group}`)];
  const parts = byPrefix(tensors, prefixes, refuse);
  const part = (prefix: string): NamedArrays => Object.fromEntries(parts.get(prefix) ?? []);
  return {
    info,
    state: Object.assign({}, ...STATE.map((prefix) => withPrefix(prefix, part(prefix)))),
    teachers: teachers.map((teacher) => ({ ...teacher, params: part(`teachers.${teacher.group}`) })),
  };
}

/**
 * The arrays under each prefix, with it taken off. One walk, however many teachers a file claims; every array must
 * belong to one part, so that nothing is read twice and nothing is dropped.
 */
function byPrefix(tensors: NamedArrays, prefixes: readonly string[], refuse: (why: string) => never) {
  const parts = new Map(prefixes.map((prefix) => [prefix, [] as [string, NdArray][]]));
  if (parts.size < prefixes.length) refuse("it must name each teacher once, and names one again");
  for (const [name, array] of Object.entries(tensors)) {
    const prefix = /^(?:params|optState|buffers|ema|state|teacherState|teachers\.\d+)(?=\.)/.exec(name)?.[0];
    const part = prefix === undefined ? undefined : parts.get(prefix);
    if (prefix === undefined || !part) return refuse(`${show(name)} is neither state nor of a teacher that it names`);
    part.push([name.slice(prefix.length + 1), array]);
  }
  return parts;
}

const tooLong = ({ length }: string) =>
  `its description must have at most ${MAX_DESCRIPTION} characters, got ${length}`;
