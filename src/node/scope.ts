/** What a run folder is for: all groups of a run with a store of their own, or one group of a run that lives elsewhere. */
import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { z } from "zod";
import { decodeJson, encodeJson } from "../checkpoint/json.js";
import { claimFreeGroup, claimGroup } from "../codistill/claim.js";
import { ConfigError } from "../errors.js";
import { joinRun } from "../run/join.js";
import type { RunConfig } from "../run/schema.js";
import type { Work } from "../run/workload.js";
import { directoryStore } from "./directory-store.js";
import { readWithin } from "./read-bounded.js";
import type { RunFolder } from "./run-folder.js";

/** The groups that are trained in a run folder, and the folder of the store that they share with the others. */
export interface RunScope {
  readonly groups: readonly number[];
  readonly store: string;
  /** The run folder of the recorded run that is replayed here. */
  readonly replayOf?: string | undefined;
}

/** A run in a store to be joined, and as which group: the first free one by default. */
export interface Join {
  readonly store: string;
  readonly group?: number;
}

/** The version of `scope.json`. */
const SCOPE_VERSION = 1;

const scopeSchema = z.object({
  version: z.literal(SCOPE_VERSION, { error: ({ input }) => `must be ${SCOPE_VERSION}, got ${input}` }),
  groups: z.array(z.int().nonnegative()).min(1),
  store: z.string().min(1),
  replayOf: z.string().optional(),
});

/**
 * The scope of a run folder: what `scope.json` says, else all groups and a store inside the folder.
 *
 * Throws {@link ConfigError} when the file is not one of this version.
 */
export function readScope(folder: RunFolder, numGroups: number): RunScope {
  if (!existsSync(folder.scope)) {
    return { groups: Array.from({ length: numGroups }, (_, group) => group), store: folder.store };
  }
  const parsed = scopeSchema.safeParse(decodeJson(readWithin(folder.scope)));
  if (!parsed.success) {
    throw new ConfigError(`${folder.scope} does not say what the folder is for: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

/** Say what a run folder is for. */
export async function writeScope(folder: RunFolder, scope: RunScope): Promise<void> {
  await directoryStore(folder.path).put(basename(folder.scope), encodeJson({ version: SCOPE_VERSION, ...scope }, 2));
}

/**
 * The scope of a run that is about to train: the one its folder has, or that of joining a store, where the run is
 * declared or its declaration adopted, and a group claimed.
 *
 * Throws {@link ConfigError} when the store holds another run, or no group of it is free.
 */
export async function enterRun(config: RunConfig, folder: RunFolder, work: Work, join?: Join): Promise<RunScope> {
  if (!join) return readScope(folder, config.numGroups);
  const { numGroups } = config;
  if (join.group !== undefined && join.group >= numGroups) {
    throw new ConfigError(`--group must be 0 to ${numGroups - 1} (numGroups is ${numGroups}), got ${join.group}`);
  }
  const path = resolve(join.store);
  const store = directoryStore(path);
  await joinRun(config, work, store);
  if (join.group !== undefined) await claimGroup(store, join.group);
  const group = join.group ?? (await claimFreeGroup(store, numGroups));
  await writeScope(folder, { groups: [group], store: path });
  return readScope(folder, numGroups);
}
