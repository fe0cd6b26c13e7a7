import { encodeJson } from "../checkpoint/json.js";
import type { Store } from "../checkpoint/store.js";

/**
 * Claim the next incarnation of a group: 1 when it is started for the first time. The store keeps a file for each, made
 * once, so of many processes that claim at one instant each gets a number of its own.
 */
export async function claimIncarnation(store: Store, group: number): Promise<number> {
  const folder = `groups/${group}/incarnations`;
  const taken = await store.list(`${folder}/`);
  for (let incarnation = taken.length + 1; ; incarnation++) {
    const name = `${folder}/${String(incarnation).padStart(6, "0")}.json`;
    if (await store.create(name, encodeJson({ incarnation, claimedAt: new Date().toISOString() }))) return incarnation;
  }
}
