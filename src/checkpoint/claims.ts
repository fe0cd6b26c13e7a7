/**
 * Claims in the store: each group is claimed once, and each start of a group gets a number, its incarnation.
 *
 * Numbers are given in sequence, each by creating a file that did not exist before. A number is valid only when the
 * files of all numbers before it exist, so a stray file (a backup, something that was copied there) is ignored,
 * whatever its number: it stops no start, and cannot use up the numbers. A start is stopped by a later number only when
 * the file of that number is a claim, as every start writes one.
 */
import { ConfigError, ForeignFileError, StoreError } from "../errors.js";
import { decodeJson, encodeJson } from "./json.js";
import { claimName, incarnationName, incarnationOf, incarnationsFolder, MOST_INCARNATIONS } from "./layout.js";
import type { Store } from "./store.js";

/** The version of claim files. */
const CLAIM_VERSION = 1;
/** A claim has some 80 bytes; the rest is room for later fields. */
const MAX_CLAIM_BYTES = 4096;

/**
 * Claim a group; false when it is claimed already, unless by this same claimant. Of several claimants at the same
 * instant exactly one gets `true`.
 */
export async function claimGroup(store: Store, group: number, claimant?: string): Promise<boolean> {
  const name = claimName(group);
  const claim = { version: CLAIM_VERSION, claimedAt: new Date().toISOString(), claimant };
  if (await store.create(name, encodeJson(claim))) return true;
  if (claimant === undefined) return false;
  const found = decodeJson((await store.get(name, undefined, MAX_CLAIM_BYTES)) ?? "");
  return (found as { readonly claimant?: unknown } | null | undefined)?.claimant === claimant;
}

/**
 * Claim the first free group. A claimant that was killed before it could record its group gets the same group again.
 *
 * Throws {@link ConfigError} when no group is free.
 */
export async function claimFreeGroup(store: Store, numGroups: number, claimant?: string): Promise<number> {
  for (let group = 0; group < numGroups; group++) if (await claimGroup(store, group, claimant)) return group;
  throw new ConfigError(
    `all ${numGroups} groups of this run are taken. Name the one to take over with --group (its older process then stops), ` +
      "or start another run with a larger numGroups.",
  );
}

/**
 * Claim the next incarnation of a group: 1 at its first start, and always higher than `own`, the incarnation of its
 * checkpoint. Processes that claim at the same instant get different numbers, and the one with the highest continues.
 *
 * Throws {@link StoreError} after 999,999 starts.
 */
export async function claimIncarnation(store: Store, group: number, own = 0): Promise<number> {
  const { last } = await follow(store, group, own);
  for (let incarnation = last + 1; incarnation <= MOST_INCARNATIONS; incarnation++) {
    const claim = { version: CLAIM_VERSION, incarnation, claimedAt: new Date().toISOString() };
    if (await store.create(incarnationName(group, incarnation), encodeJson(claim))) return incarnation;
  }
  throw new StoreError(
    `a group can be started ${MOST_INCARNATIONS} times in one store, and group ${group} has been. ` +
      `Find out what fills ${incarnationsFolder(group)}, and start another run in an empty store.`,
  );
}

/**
 * The state of a group's starts. `newest` is the highest incarnation that was claimed from `own` on, `own` itself when
 * there is no later one; `isClaimed` says whether the claim of `own` exists; `strays` names the files among the claims
 * that no start made, which are ignored.
 */
export async function readStarts(store: Store, group: number, own: number, signal?: AbortSignal) {
  const { newest, last, noClaims } = await follow(store, group, own, signal);
  const names = await store.list(incarnationsFolder(group), signal);
  const isNumber = (name: string) => incarnationOf(name, group) > 0 && incarnationOf(name, group) <= last;
  const strays = names.filter((name) => !isNumber(name) || noClaims.includes(name));
  return { newest, isClaimed: names.includes(incarnationName(group, own)), strays };
}

/** Checks that a start of a group is still its newest, and that the store still has its claim. */
export interface StartWatch {
  /**
   * Read the claims again; false when a later start of the group has claimed its number. Throws {@link StoreError} when
   * the store had the claim of this start and has lost it.
   */
  isNewest(signal?: AbortSignal): Promise<boolean>;
  /** The incarnation of the later start that was found, or null. */
  supersededBy(): number | null;
}

/**
 * Watch a start of a group. With `isClaimed` its claim has been made, so a store without the claim counts as lost;
 * otherwise a store counts as lost only once the claim was seen in it. `tell` is told once of each file among the
 * claims that no start made.
 */
export function watchStarts(
  store: Store,
  group: number,
  incarnation: number,
  { isClaimed: wasClaimed = false, tell = () => {} }: { isClaimed?: boolean; tell?: (message: string) => void } = {},
): StartWatch {
  let supersededBy: number | null = null;
  const told = new Set<string>();
  return {
    async isNewest(signal) {
      const { newest, isClaimed, strays } = await readStarts(store, group, incarnation, signal);
      if (newest > incarnation) {
        supersededBy = newest;
        return false;
      }
      // When a disk is no longer mounted, another folder may receive all writes.
      if (wasClaimed && !isClaimed) throw lostStore(group, incarnation);
      wasClaimed ||= isClaimed;
      const unknown = strays.filter((name) => !told.has(name));
      for (const name of unknown) told.add(name);
      if (unknown.length > 0) tell(strayFiles(group, unknown));
      return true;
    },
    supersededBy: () => supersededBy,
  };
}

function lostStore(group: number, incarnation: number): StoreError {
  return new StoreError(
    `the store knew start number ${incarnation} of group ${group}, and does not any more: its disk is not mounted, or somebody ` +
      "removed what was in it. Nothing is published until it is back.",
  );
}

function strayFiles(group: number, names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return `no start of group ${group} made ${names.slice(0, 3).join(", ")}${more}, and it is ignored. Find out what wrote it, and remove it.`;
}

/** Go through the numbers after `own`: find the last one that is taken, and the newest one that is taken by a claim. */
async function follow(store: Store, group: number, own: number, signal?: AbortSignal) {
  let newest = own;
  const noClaims: string[] = [];
  for (let incarnation = own + 1; ; incarnation++) {
    const name = incarnationName(group, incarnation);
    const found = incarnation > MOST_INCARNATIONS ? "nothing" : await lookAt(store, name, incarnation, signal);
    if (found === "nothing") return { newest, last: incarnation - 1, noClaims };
    if (found === "claim") newest = incarnation;
    else noClaims.push(name);
  }
}

async function lookAt(store: Store, name: string, incarnation: number, signal?: AbortSignal) {
  try {
    const bytes = await store.get(name, signal, MAX_CLAIM_BYTES);
    if (!bytes) return "nothing";
    const claim = (decodeJson(bytes) ?? {}) as { readonly version?: unknown; readonly incarnation?: unknown };
    return claim.version === CLAIM_VERSION && claim.incarnation === incarnation ? "claim" : "something else";
  } catch (error) {
    if (error instanceof ForeignFileError) return "something else";
    throw error;
  }
}
