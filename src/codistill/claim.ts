/** Who is who in a run, decided by the store alone: groups are claimed once, and every start of one gets a number. */
import { encodeJson } from "../checkpoint/json.js";
import type { Store } from "../checkpoint/store.js";
import { ConfigError } from "../errors.js";

/** The version of the files that claims leave. */
const CLAIM_VERSION = 1;

/** Claim a group; false when somebody has before. Of many who claim it at one instant exactly one gets `true`. */
export function claimGroup(store: Store, group: number): Promise<boolean> {
  return store.create(
    `claims/${group}.json`,
    encodeJson({ version: CLAIM_VERSION, claimedAt: new Date().toISOString() }),
  );
}

/** Claim the first group that nobody has. Throws {@link ConfigError} when there is none. */
export async function claimFreeGroup(store: Store, numGroups: number): Promise<number> {
  for (let group = 0; group < numGroups; group++) if (await claimGroup(store, group)) return group;
  throw new ConfigError(
    `all ${numGroups} groups of this run are taken. Name the one to take over with --group (its older process then stops), ` +
      "or start another run with a larger numGroups.",
  );
}

/**
 * Claim the next incarnation of a group: 1 when it is started for the first time. The store keeps a file for each, made
 * once, so of many processes that claim at one instant each gets a number of its own, and the highest one goes on.
 */
export async function claimIncarnation(store: Store, group: number): Promise<number> {
  for (let incarnation = (await newestIncarnation(store, group)) + 1; ; incarnation++) {
    const name = `${folder(group)}${String(incarnation).padStart(6, "0")}.json`;
    const claim = { version: CLAIM_VERSION, incarnation, claimedAt: new Date().toISOString() };
    if (await store.create(name, encodeJson(claim))) return incarnation;
  }
}

/** The highest incarnation that was claimed of a group; 0 when it was never started. */
export async function newestIncarnation(store: Store, group: number, signal?: AbortSignal): Promise<number> {
  const names = await store.list(folder(group), signal);
  return names.reduce(
    (newest, name) => Math.max(newest, Number.parseInt(name.slice(folder(group).length), 10) || 0),
    0,
  );
}

const folder = (group: number) => `groups/${group}/incarnations/`;
