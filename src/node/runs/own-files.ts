/**
 * The files that a run takes from outside, copied into its folder before it prepares its data. From then on it reads its
 * copies alone, whatever becomes of the files that they were made of; `own-files.json` says where each came from.
 */
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { digestChange, sha256 } from "../../checkpoint/digest.js";
import { ConfigError, messageOf } from "../../errors.js";
import { isOfText, type RunConfig } from "../../run/schema.js";
import { readRegular } from "../files/plain-files.js";
import { directoryStore } from "../stores/directory-store.js";
import { checkedRunFile, encodeRunFile } from "./run-file.js";
import type { RunFolder } from "./run-folder.js";

/** What the tokenizer is called in a run folder, and beside a model. */
export const TOKENIZER_FILE = "tokenizer.json";

/** What a run may take from outside: the option that names it, and what its copy is called. */
const KINDS = {
  tokenizer: { option: "data.tokenizer", copy: TOKENIZER_FILE },
  init: { option: "init", copy: "init.safetensors" },
} as const;

type Kind = keyof typeof KINDS;
const kinds = Object.keys(KINDS) as Kind[];

/** Where a copy came from, and the SHA-256 of its content. */
const originSchema = z.object({ from: z.string(), sha256: z.string() });
const ownSchema = z.object({ tokenizer: originSchema.optional(), init: originSchema.optional() });
type Origin = z.output<typeof originSchema>;
type Origins = z.output<typeof ownSchema>;

export interface TakeOptions {
  /** Throws when the file of a tokenizer is none. */
  readonly checkTokenizer: (path: string) => void;
  /** Told of a copy whose original has changed since. */
  readonly tell: (message: string) => void;
}

/**
 * Copy what a configuration takes from outside, unless the run has it; gives the configuration that names the copies.
 *
 * Throws {@link ConfigError} when a file cannot be read, or a copy is not what it was when it was made, and what
 * `checkTokenizer` throws.
 */
export async function takeOwnFiles(
  config: RunConfig,
  folder: RunFolder,
  { checkTokenizer, tell }: TakeOptions,
): Promise<RunConfig> {
  const before = originsOf(folder);
  const files = directoryStore(folder.path);
  const origins: Origins = {};
  for (const kind of kinds) {
    const path = pathOf(kind, config);
    if (path === undefined) continue;
    const known = before[kind];
    const copy = join(folder.path, KINDS[kind].copy);
    if (known) {
      await checkCopy(kind, copy, known);
      await tellOfChange(kind, known, tell);
      origins[kind] = known;
      continue;
    }
    // A run of an earlier version has no copies, and its data says whether its files are those that it began with.
    if (existsSync(folder.data)) continue;
    const bytes = read(kind, path);
    // What is wrong with it is said of the file that was given, before a copy is kept.
    if (kind === "tokenizer") checkTokenizer(path);
    const digest = await sha256(bytes);
    checkNoted(kind, path, config, digest);
    await files.put(KINDS[kind].copy, bytes);
    origins[kind] = { from: resolve(path), sha256: digest };
  }
  if (Object.keys(origins).length > 0) await files.put(basename(folder.ownFiles), encodeRunFile(origins));
  return withPaths(config, origins, folder.path);
}

/** Throws {@link ConfigError} when a copy that a run has is not what it was when it was made. */
export async function checkOwnFiles(folder: RunFolder): Promise<void> {
  const origins = originsOf(folder);
  for (const kind of kinds) {
    const known = origins[kind];
    if (known) await checkCopy(kind, join(folder.path, KINDS[kind].copy), known);
  }
}

/** The same configuration as it is kept in the run folder: its own files by their names, so that the folder can be moved. */
export function withOwnNames(config: RunConfig, folder: RunFolder): RunConfig {
  return withPaths(config, originsOf(folder), "");
}

/**
 * A configuration that a run shall go on with, as the run has it: where it names files of the content that the run's own
 * have, it names the run's own.
 *
 * Throws {@link ConfigError} when a file is another one by now.
 */
export async function withOwnFiles(config: RunConfig, folder: RunFolder): Promise<RunConfig> {
  const origins = originsOf(folder);
  const same: Origins = {};
  for (const kind of kinds) {
    const [path, known] = [pathOf(kind, config), origins[kind]];
    if (path === undefined || !known) continue;
    const now = await sha256(read(kind, path));
    if (now !== known.sha256)
      throw new ConfigError(
        `${KINDS[kind].option}: a run goes on with the ${kind} it began with (${digestChange(known.sha256, now)}), and ${path} is another one. Leave the configuration out to go on with the run's own, or leave --resume out to start a new run.`,
      );
    same[kind] = known;
  }
  return withPaths(config, same, folder.path);
}

function originsOf(folder: RunFolder): Origins {
  return existsSync(folder.ownFiles) ? checkedRunFile(folder.ownFiles, ownSchema) : {};
}

function pathOf(kind: Kind, config: RunConfig): string | undefined {
  if (kind === "init") return typeof config.init === "object" ? config.init.path : undefined;
  return isOfText(config) && config.data.tokenizer !== "bytes" ? config.data.tokenizer : undefined;
}

/** Paths of the copies in a folder, for what there are copies of. */
function withPaths(config: RunConfig, origins: Origins, folder: string): RunConfig {
  const path = (kind: Kind) => (folder === "" ? KINDS[kind].copy : resolve(folder, KINDS[kind].copy));
  const located = {
    ...config,
    ...(origins.init && { init: { path: path("init"), sha256: origins.init.sha256 } }),
  };
  if (!origins.tokenizer || !isOfText(located)) return located;
  return { ...located, data: { ...located.data, tokenizer: path("tokenizer") } };
}

/** Weights were noted when the configuration was loaded. */
function checkNoted(kind: Kind, path: string, { init }: RunConfig, digest: string): void {
  if (kind !== "init" || typeof init !== "object" || init.sha256 === digest) return;
  throw new ConfigError(
    `init: a run begins from the weights it was given, and ${path} has changed (${digestChange(init.sha256, digest)}). Put it back, or start a new run.`,
  );
}

async function checkCopy(kind: Kind, path: string, known: Origin): Promise<void> {
  const now = existsSync(path) ? await sha256(read(kind, path)) : undefined;
  if (now === known.sha256) return;
  const found = now === undefined ? "is gone" : `has changed (${digestChange(known.sha256, now)})`;
  throw new ConfigError(
    `${KINDS[kind].option}: a run goes on with its own ${kind}, and ${path} ${found}. Put it back; it was a copy of ${known.from}.`,
  );
}

/** The run does not need the original: one that is gone or cannot be read is not worth a word. */
async function tellOfChange(kind: Kind, { from, sha256: known }: Origin, tell: (message: string) => void) {
  let original: Uint8Array;
  try {
    original = read(kind, from);
  } catch {
    return;
  }
  const now = await sha256(original);
  if (now === known) return;
  tell(
    `the ${kind} ${from} has changed since the run began (${digestChange(known, now)}): the run goes on with its own copy of the one before, ${KINDS[kind].copy} in its folder`,
  );
}

function read(kind: Kind, path: string): Uint8Array {
  try {
    return readRegular(path);
  } catch (error) {
    throw new ConfigError(`${KINDS[kind].option}: ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
