/**
 * The scope of a run folder: all groups of a run with a store of its own, or one group of a run whose store is
 * elsewhere.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { claimFreeGroup, claimGroup } from "../../checkpoint/claims.js";
import { ConfigError } from "../../errors.js";
import { isDeclared, joinRun } from "../../run/declaration.js";
import type { RunConfig } from "../../run/schema.js";
import type { RunSpec } from "../../run/specs.js";
import { directoryStore } from "../stores/directory-store.js";
import { locatedStore, openStore } from "../stores/stores.js";
import { checkedRunFile, encodeRunFile } from "./run-file.js";
import { isRun, type RunFolder } from "./run-folder.js";

/** The groups that are trained in a run folder, and the address of the store that they share with the others. */
export interface RunScope {
  /** Empty until a run is joined as its first free group. */
  readonly groups: readonly number[];
  readonly store: string;
  /** The run folder of the recorded run that is replayed here. */
  readonly replayOf?: string | undefined;
  /** For a run whose store is elsewhere: the id of this folder's claim there, and whether it has entered the run. */
  readonly joined?: { readonly claimant: string; readonly hasEntered: boolean } | undefined;
}

/** A run in a store to be joined, and as which group: the first free one by default. */
export interface Join {
  /** The path of a folder, or its `file:` URL. */
  readonly store: string;
  readonly group?: number;
}

const scopeSchema = z.object({
  groups: z.array(z.int().nonnegative()),
  store: z.string().min(1),
  replayOf: z.string().optional(),
  joined: z.object({ claimant: z.string().min(1), hasEntered: z.boolean() }).optional(),
});

/**
 * The scope of a run folder: that in `scope.json`, else all groups and a store inside the folder.
 *
 * Throws what {@link checkedRunFile} throws.
 */
export function readScope(folder: RunFolder, numGroups: number): RunScope {
  if (!existsSync(folder.scope)) {
    return { groups: Array.from({ length: numGroups }, (_, group) => group), store: resolve(folder.store) };
  }
  return checkedRunFile(folder.scope, scopeSchema);
}

/** Write the scope of a run folder. */
export async function writeScope(folder: RunFolder, scope: RunScope): Promise<void> {
  await directoryStore(folder.path).put(basename(folder.scope), encodeRunFile(scope));
}

/** Throws {@link ConfigError} when a run has no such group, or the store is a run folder or of an unknown kind. */
export function checkJoin(numGroups: number, { store, group }: Join): void {
  const located = locatedStore(store);
  if (isRun(located))
    throw new ConfigError(
      `a store is what groups share, and ${store} is the folder of a run. The run's own store is ${join(store, "store")}; to go on with the run, give --resume ${store}.`,
    );
  if (group !== undefined && group >= numGroups)
    throw new ConfigError(`--group must be 0 to ${numGroups - 1} (numGroups is ${numGroups}), got ${group}`);
}

/**
 * Write the scope of a run folder that joins a run in a store. It is written before any other file of the run, so that
 * whatever ends the program, resuming means that group in that store.
 *
 * Throws what {@link checkJoin} throws.
 */
export async function noteJoin(folder: RunFolder, numGroups: number, join: Join): Promise<void> {
  checkJoin(numGroups, join);
  const { store, group } = join;
  const joined = { claimant: randomUUID(), hasEntered: false };
  await writeScope(folder, { groups: group === undefined ? [] : [group], store: locatedStore(store), joined });
}

/**
 * The scope of a run that is about to train. A run that has begun is checked against the declaration in its store. A
 * run whose store is elsewhere is declared there, or checked against the declaration there, and its group is claimed.
 *
 * Throws {@link ConfigError} when the store holds another run, such as one on other data, when no group of it is free,
 * and when the store that the run was in is gone.
 */
export async function enterRun(config: RunConfig, folder: RunFolder, spec: RunSpec): Promise<RunScope> {
  const { numGroups } = config;
  const scope = readScope(folder, numGroups);
  const store = await openStore(scope.store);
  const hasBegun = await isDeclared(store);
  if (!scope.joined) {
    // Checked before any group starts, and before a model of other data could be written from the groups' params.
    if (hasBegun) await joinRun(config, spec, store);
    return scope;
  }
  const { claimant, hasEntered } = scope.joined;
  if (hasEntered && !hasBegun) {
    throw new ConfigError(
      `this run goes on in the store ${scope.store}, and no run is declared there. Is it mounted? If it has moved, say so in ${folder.scope}.`,
    );
  }
  await joinRun(config, spec, store);
  const [named] = scope.groups;
  if (named !== undefined) await claimGroup(store, named, claimant);
  const groups = [named ?? (await claimFreeGroup(store, numGroups, claimant))];
  await writeScope(folder, { groups, store: scope.store, joined: { claimant, hasEntered: true } });
  return readScope(folder, numGroups);
}
