/**
 * Disjoint parts of the training rows. A row's hash slot depends on its values only; slots, not rows, are dealt to
 * groups, so that the deal is one short rule and exact duplicates never reach two groups.
 */
import { ConfigError, DataError } from "../errors.js";

/** Number of hash slots, fixed for all data: part of the run declaration and of the cache format. */
export const numSlots = 4096;

/**
 * The group of each slot: slot s belongs to group s modulo `numGroups`, so group sizes differ by at most one slot.
 * Throws {@link ConfigError} unless `numGroups` is a whole number from 1 to 4,096.
 */
export function slotMap(numGroups: number): Uint16Array {
  if (!Number.isInteger(numGroups) || numGroups < 1 || numGroups > numSlots) {
    throw new ConfigError(
      `shard: the number of groups is a whole number from 1 to ${numSlots} (the number of hash slots), got ${numGroups}`,
    );
  }
  return Uint16Array.from({ length: numSlots }, (_, slot) => slot % numGroups);
}

/** The slots of one group, ascending. Throws {@link ConfigError} for an index that no group has. */
export function slotsOf(groupIndex: number, numGroups: number): readonly number[] {
  const owners = slotMap(numGroups);
  if (!Number.isInteger(groupIndex) || groupIndex < 0 || groupIndex >= numGroups) {
    throw new ConfigError(
      `shard: ${numGroups} groups have the indices 0 to ${numGroups - 1}, got group index ${groupIndex}`,
    );
  }
  const slots: number[] = [];
  for (let slot = groupIndex; slot < owners.length; slot += numGroups) slots.push(slot);
  return slots;
}

/**
 * What the groups train on: disjoint shards (codistillation as it is meant), all data in each group's own order, or all
 * of them the shard of group 0 (the ablation in which teachers know nothing that the student does not see).
 */
export type DataRegime = "disjoint" | "all" | "same";

/** Which part of the data groups train on. */
export interface Parts {
  readonly regime: DataRegime;
  /** How large the disjoint parts are, relative to one another: a positive number for each group; equally large by default. */
  readonly shares?: readonly number[] | undefined;
}

/** The slots that a group trains on. Throws {@link ConfigError} for an index that no group has. */
export function slotsUnder({ regime, shares }: Parts, groupIndex: number, numGroups: number): readonly number[] {
  const own = slotsOf(groupIndex, numGroups);
  switch (regime) {
    case "disjoint":
      return shares === undefined ? own : slotsByShare(shares, groupIndex);
    case "all":
      return slotsOf(0, 1);
    case "same":
      return slotsOf(0, numGroups);
  }
}

/** The slots of a group where parts differ: each slot goes to the group that then lacks most of its share, the first of several. */
function slotsByShare(shares: readonly number[], groupIndex: number): readonly number[] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const counts = shares.map(() => 0);
  const own: number[] = [];
  for (let slot = 0; slot < numSlots; slot++) {
    const lacks = shares.map((share, group) => (share / total) * (slot + 1) - (counts[group] as number));
    const owner = lacks.indexOf(Math.max(...lacks));
    counts[owner]! += 1;
    if (owner === groupIndex) own.push(slot);
  }
  return own;
}

/**
 * The rows of some slots, in the order of the slots. `slotOffsets` has 4,097 entries.
 * Throws {@link ConfigError} for a slot that is not there.
 */
export function rowsOfSlots(slotOffsets: Uint32Array, slots: readonly number[]): Uint32Array {
  const ranges = slots.map((slot) => slotRange(slotOffsets, slot));
  const rows = new Uint32Array(ranges.reduce((count, { start, end }) => count + end - start, 0));
  let at = 0;
  for (const { start, end } of ranges) {
    for (let row = start; row < end; row++) rows[at++] = row;
  }
  return rows;
}

/** Where a slot's rows are. Throws {@link ConfigError} for a slot that is not there. */
export function slotRange(slotOffsets: Uint32Array, slot: number): { readonly start: number; readonly end: number } {
  const start = slotOffsets[slot];
  const end = slotOffsets[slot + 1];
  if (start === undefined || end === undefined) {
    throw new ConfigError(`shard: slots are 0 to ${slotOffsets.length - 2}, got slot ${slot}`);
  }
  return { start, end };
}

/** Prove that no row is in two shards, nor twice in one. Throws {@link DataError} with the first row that is. */
export function assertDisjoint(shards: readonly Uint32Array[]): void {
  const highest = shards.reduce((top, shard) => shard.reduce((most, row) => Math.max(most, row), top), -1);
  const owner = new Int32Array(highest + 1).fill(-1);
  shards.forEach((shard, index) => {
    for (const row of shard) {
      const other = owner[row] as number;
      if (other !== -1) {
        const where = other === index ? `twice in shard ${index}` : `in shard ${other} and in shard ${index}`;
        throw new DataError(
          `shard: a row belongs to one shard, and row ${row} is ${where}. Make every shard from the same number of groups.`,
        );
      }
      owner[row] = index;
    }
  });
}
