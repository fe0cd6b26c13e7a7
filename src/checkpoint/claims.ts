/**
 * Who is who in a run, decided by the store alone: groups are claimed once, and every start of one gets a number.
 *
 * Numbers of starts are given one after the other, each by a file that is made once. So a number counts when all before it
 * are there, and a file that lies apart (a backup, something that was copied there) counts for nothing, whatever its number:
 * it stops nobody, and cannot use the numbers up. The next number stops an older start when its file is a claim, as each is
 * that a start has made.
 */
import { ConfigError, ForeignFileError, StoreError } from "../errors.js";
import { decodeJson, encodeJson } from "./json.js";
import { claimName, incarnationName, incarnationOf, incarnationsFolder, MOST_INCARNATIONS } from "./layout.js";
import type { Store } from "./store.js";

/** The version of the files that claims leave. */
const CLAIM_VERSION = 1;
/** A claim has some 80 bytes; the rest is room for later fields. */
const MAX_CLAIM_BYTES = 4096;

/**
 * Claim a group; false when somebody has before, but for this claimant itself. Of many who claim it at one instant exactly
 * one gets `true`.
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
 * Claim the first group that nobody has. A claimant that was killed before it could note which it got, gets it again.
 *
 * Throws {@link ConfigError} when there is none.
 */
export async function claimFreeGroup(store: Store, numGroups: number, claimant?: string): Promise<number> {
  for (let group = 0; group < numGroups; group++) if (await claimGroup(store, group, claimant)) return group;
  throw new ConfigError(
    `all ${numGroups} groups of this run are taken. Name the one to take over with --group (its older process then stops), ` +
      "or start another run with a larger numGroups.",
  );
}

/**
 * Claim the next incarnation of a group: 1 when it is started for the first time, and later than `own`, the one that its
 * checkpoint is of. Of many processes that claim at one instant each gets a number of its own, and the highest one goes on.
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
 * The highest incarnation that was claimed of a group after its `own`, which it is when there is none; whether the own claim is
 * there; and the names of the files beside a group's claims that count for nothing, because no start made them.
 */
export async function readStarts(store: Store, group: number, own: number, signal?: AbortSignal) {
  const { newest, last, noClaims } = await follow(store, group, own, signal);
  const names = await store.list(incarnationsFolder(group), signal);
  const isNumber = (name: string) => incarnationOf(name, group) > 0 && incarnationOf(name, group) <= last;
  const strays = names.filter((name) => !isNumber(name) || noClaims.includes(name));
  return { newest, isClaimed: names.includes(incarnationName(group, own)), strays };
}

/** Watches that a start of a group is still its newest, and that the store still knows it. */
export interface StartWatch {
  /**
   * Look again; false when a later start of the group was made. Throws {@link StoreError} when the store knew this start and does
   * not any more.
   */
  isNewest(signal?: AbortSignal): Promise<boolean>;
  /** The later start that was met, or null. */
  supersededBy(): number | null;
}

/**
 * Watch a start of a group. `isClaimed` says that its claim has been made, so that a store without it was lost; otherwise
 * that is known once the claim was seen. `tell` is told once of each file beside the claims that no start made.
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
      // Where a disk is no longer mounted, another folder may take all that is written.
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

/** Go through the numbers after the own one: to the last that is taken, and the newest that a claim has taken. */
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
