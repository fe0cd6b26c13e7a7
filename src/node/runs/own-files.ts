/**
 * The files that a run takes from outside, copied into its folder before it prepares its data. From then on it reads
 * the copies alone, whatever becomes of the originals; `own-files.json` says where each copy came from.
 */
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { digestChange, sha256 } from "../../checkpoint/digest.js";
import { ConfigError, messageOf } from "../../errors.js";
import type { OwnFile } from "../../run/kinds/kind.js";
import { kindOf } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import { readRegular } from "../files/plain-files.js";
import { directoryStore } from "../stores/directory-store.js";
import { checkedRunFile, encodeRunFile } from "./run-file.js";
import type { RunFolder } from "./run-folder.js";

/** Initial weights, which any run may take; their digest was noted when the configuration was loaded. */
const initFile: OwnFile<RunConfig> = {
  option: "init",
  copy: "init.safetensors",
  pathIn: ({ init }) => (typeof init === "object" ? init.path : undefined),
  noted: ({ init }) => (typeof init === "object" ? init.sha256 : undefined),
  withPath: (config, path) =>
    typeof config.init === "object" ? { ...config, init: { ...config.init, path } } : config,
};

/** The files that a run takes from outside, by name: those of its kind of data first. */
function filesOf(config: RunConfig): readonly NamedFile[] {
  return Object.entries({ ...kindOf(config).ownFiles, init: initFile });
}

type NamedFile = readonly [name: string, file: OwnFile<RunConfig>];

/** Where a copy came from, and the SHA-256 of its content. */
const originSchema = z.object({ from: z.string(), sha256: z.string() });
const ownSchema = z.record(z.string(), originSchema);
type Origin = z.output<typeof originSchema>;
type Origins = z.output<typeof ownSchema>;

export interface TakeOptions {
  /** Throws when the file of this name (`run/kinds/`) is invalid. */
  check(name: string, path: string, config: RunConfig): void;
  /** Called when the original of a copy has changed since. */
  readonly tell: (message: string) => void;
}

/**
 * Copy the files that a configuration takes from outside, unless the run has them; returns the configuration with the
 * paths of the copies.
 *
 * Throws {@link ConfigError} when a file cannot be read or a copy has changed since it was made, and what `check`
 * throws.
 */
export async function takeOwnFiles(
  config: RunConfig,
  folder: RunFolder,
  { check, tell }: TakeOptions,
): Promise<RunConfig> {
  const before = originsOf(folder);
  const files = directoryStore(folder.path);
  const origins: Record<string, Origin> = {};
  for (const named of filesOf(config)) {
    const [name, { copy, pathIn }] = named;
    const path = pathIn(config);
    if (path === undefined) continue;
    const known = before[name];
    if (known) {
      await checkCopy(named, folder, known);
      await tellOfChange(named, known, tell);
      origins[name] = known;
      continue;
    }
    // A run of an earlier version has no copies; the digest of its data shows whether its files have changed.
    if (existsSync(folder.data)) continue;
    const bytes = read(named, path);
    // Checked before it is copied, so that errors name the given file.
    if (name !== "init") check(name, path, config);
    const digest = await sha256(bytes);
    checkNoted(named, path, config, digest);
    await files.put(copy, bytes);
    origins[name] = { from: resolve(path), sha256: digest };
  }
  if (Object.keys(origins).length > 0) await files.put(basename(folder.ownFiles), encodeRunFile(origins));
  return withPaths(config, origins, folder.path);
}

/** Throws {@link ConfigError} when a run's copy of a file has changed since it was made. */
export async function checkOwnFiles(config: RunConfig, folder: RunFolder): Promise<void> {
  const origins = originsOf(folder);
  for (const named of filesOf(config)) {
    const known = origins[named[0]];
    if (known) await checkCopy(named, folder, known);
  }
}

/** The configuration as the run folder stores it: with the names of its own files, so that the folder can be moved. */
export function withOwnNames(config: RunConfig, folder: RunFolder): RunConfig {
  return withPaths(config, originsOf(folder), "");
}

/**
 * A configuration for resuming a run, in which files with the content of the run's own files are replaced by these.
 *
 * Throws {@link ConfigError} when a file has another content than the run's own.
 */
export async function withOwnFiles(config: RunConfig, folder: RunFolder): Promise<RunConfig> {
  const origins = originsOf(folder);
  for (const named of filesOf(config)) {
    const [name, { option, pathIn }] = named;
    const [path, known] = [pathIn(config), origins[name]];
    if (path === undefined || !known) continue;
    const now = await sha256(read(named, path));
    if (now !== known.sha256)
      throw new ConfigError(
        `${option}: a run goes on with the ${name} it began with (${digestChange(known.sha256, now)}), and ${path} is another one. Leave the configuration out to go on with the run's own, or leave --resume out to start a new run.`,
      );
  }
  return withPaths(config, origins, folder.path);
}

function originsOf(folder: RunFolder): Origins {
  return existsSync(folder.ownFiles) ? checkedRunFile(folder.ownFiles, ownSchema) : {};
}

/** A configuration in which the paths of copied files are those of the copies in a folder. */
function withPaths(given: RunConfig, origins: Origins, folder: string): RunConfig {
  return filesOf(given).reduce((config, [name, { copy, pathIn, withPath }]) => {
    if (!origins[name] || pathIn(config) === undefined) return config;
    return withPath(config, folder === "" ? copy : resolve(folder, copy));
  }, given);
}

/** Throws {@link ConfigError} when weights have changed since the configuration was loaded. */
function checkNoted([, { option, noted }]: NamedFile, path: string, config: RunConfig, digest: string): void {
  const known = noted?.(config);
  if (known === undefined || known === digest) return;
  throw new ConfigError(
    `${option}: a run begins from the weights it was given, and ${path} has changed (${digestChange(known, digest)}). Put it back, or start a new run.`,
  );
}

async function checkCopy(named: NamedFile, folder: RunFolder, known: Origin): Promise<void> {
  const [name, { option, copy }] = named;
  const path = join(folder.path, copy);
  const now = existsSync(path) ? await sha256(read(named, path)) : undefined;
  if (now === known.sha256) return;
  const found = now === undefined ? "is gone" : `has changed (${digestChange(known.sha256, now)})`;
  throw new ConfigError(
    `${option}: a run goes on with its own ${name}, and ${path} ${found}. Put it back; it was a copy of ${known.from}.`,
  );
}

/**
 * Report an original that has changed. One that is gone or cannot be read is not reported, as the run does not need it.
 */
async function tellOfChange(named: NamedFile, { from, sha256: known }: Origin, tell: (message: string) => void) {
  const [name, { copy }] = named;
  let original: Uint8Array;
  try {
    original = read(named, from);
  } catch {
    return;
  }
  const now = await sha256(original);
  if (now === known) return;
  tell(
    `the ${name} ${from} has changed since the run began (${digestChange(known, now)}): the run goes on with its own copy of the one before, ${copy} in its folder`,
  );
}

function read([, { option }]: NamedFile, path: string): Uint8Array {
  try {
    return readRegular(path);
  } catch (error) {
    throw new ConfigError(`${option}: ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
