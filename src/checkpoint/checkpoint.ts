/**
 * Checkpoints: everything that a group needs to resume as if it had never stopped. A checkpoint names its group and
 * step, and consists of named sections. Each part of a group owns one section and checks its content.
 */
import { z } from "zod";
import { CheckpointError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { byFirstPart, withPrefix } from "../runtime/named.js";
import { numBytes } from "./bytes.js";
import { groupNumber, incarnationNumber, problemsOf, stepNumber } from "./fields.js";
import { decodeJson, show, versionMustBe } from "./json.js";
import { openSafetensors, sealedSafetensors } from "./seal.js";
import type { Store } from "./store.js";

/** The version of a checkpoint's metadata: 2 has sections, 1 had a fixed list of parts. */
const CHECKPOINT_VERSION = 2;

/** The longest description, in UTF-16 code units: enough for 1,500 teachers. Parsed JSON takes many times its text. */
const MAX_DESCRIPTION = 256 << 10;

const sectionName = z.string().regex(/^[a-z]{1,32}$/, "must be 1 to 32 lower-case letters");

const metadataSchema = z.object({
  version: z.literal(CHECKPOINT_VERSION, versionMustBe(CHECKPOINT_VERSION)),
  group: groupNumber,
  step: stepNumber,
  incarnation: incarnationNumber,
  /** Digest of the forward graph. */
  model: z.string(),
  /** The JSON of each section. */
  sections: z.record(sectionName, z.unknown()),
});

/** The group, step and incarnation of a checkpoint, and the digest of its model. */
export type CheckpointInfo = Omit<z.infer<typeof metadataSchema>, "version" | "sections">;

/** What one part of a group saves: plain JSON, and arrays. */
export interface Section {
  readonly info: unknown;
  readonly arrays: NamedArrays;
}

/** A whole checkpoint. In its file the arrays of a section are named `<section>.<name>`. */
export interface Checkpoint {
  readonly info: CheckpointInfo;
  readonly sections: Readonly<Record<string, Section>>;
}

/**
 * Write a checkpoint under a name, in place of an older one, which is kept under the name `before` if that is given;
 * returns the size in bytes.
 *
 * Throws {@link CheckpointError} when the JSON of its sections is longer than {@link readCheckpoint} accepts, 262,144
 * characters.
 */
export async function writeCheckpoint(
  store: Store,
  name: string,
  { info, sections }: Checkpoint,
  before?: string,
): Promise<number> {
  const entries = Object.entries(sections);
  const infos = Object.fromEntries(entries.map(([section, { info }]) => [section, info]));
  const description = JSON.stringify({ version: CHECKPOINT_VERSION, ...info, sections: infos });
  if (description.length > MAX_DESCRIPTION) throw new CheckpointError(`checkpoint ${name}: ${tooLong(description)}`);
  const tensors = Object.assign({}, ...entries.map(([section, { arrays }]) => withPrefix(section, arrays)));
  const parts = await sealedSafetensors(tensors, { format: "codistill.checkpoint", checkpoint: description });
  await store.put(name, parts, undefined, before);
  return numBytes(parts);
}

/**
 * Read a checkpoint; null when there is none. The content of the sections is not checked here: each part of a group
 * checks its own with {@link sectionInfo}.
 *
 * Throws {@link DamagedError} when it is not whole or not as it was written, and {@link CheckpointError} when it is not
 * a checkpoint, or of another version.
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
  const { version: _, sections: infos, ...info } = parsed.data;
  const arrays = byFirstPart(tensors);
  for (const [section, own] of arrays) {
    if (section !== null && Object.hasOwn(infos, section)) continue;
    const [first = ""] = Object.keys(own);
    refuse(`${show(section === null ? first : `${section}.${first}`)} belongs to no section that it names`);
  }
  const sections = Object.entries(infos).map(([section, info]) => [
    section,
    { info, arrays: arrays.get(section) ?? {} },
  ]);
  return { info, sections: Object.fromEntries(sections) };
}

/**
 * The JSON of a section, checked by the schema of the part that owns it. Throws {@link CheckpointError} when it does
 * not match the schema.
 */
export function sectionInfo<T>({ info }: Section, name: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(info);
  if (parsed.success) return parsed.data;
  throw new CheckpointError(`section ${name} of the checkpoint is refused: ${problemsOf(parsed.error)}`);
}

/** The section of this name. Throws {@link CheckpointError} when the checkpoint has none. */
export function sectionOf({ sections }: Checkpoint, name: string): Section {
  const section = Object.hasOwn(sections, name) ? sections[name] : undefined;
  if (section) return section;
  throw new CheckpointError(
    `a checkpoint must have a section ${name}, this one has ${Object.keys(sections).join(", ") || "none"}`,
  );
}

const tooLong = ({ length }: string) =>
  `its description must have at most ${MAX_DESCRIPTION} characters, got ${length}`;
