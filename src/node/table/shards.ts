/** Describes what each group trains on, and proves that shards are disjoint. */
import { createHash } from "node:crypto";
import type { TrainingRows } from "../../data/records.js";
import { assertDisjoint, type DataRegime, rowsOfSlots, slotRange } from "../../data/shard.js";
import type { LabelStatistics, Preprocessing } from "../../data/table.js";
import { messageOf } from "../../errors.js";
import { count, quantity, table } from "../../report/format.js";
import { bytesOf } from "../../runtime/array.js";

export interface ShardReport {
  readonly regime: DataRegime;
  /** `unassigned`: training rows that no group's filter wants. */
  readonly rows: Readonly<Record<"train" | "validation" | "test" | "unassigned", number>>;
  readonly groups: readonly {
    readonly group: number;
    readonly slots: number;
    readonly rows: number;
    /** For binary labels, the share of the shard's rows whose label is 1. */
    readonly positive?: number;
    /** For several classes, the share of each by its name. */
    readonly classes?: Readonly<Record<string, number>>;
    /** For numbers, the mean label. */
    readonly meanLabel?: number;
    /** SHA-256 in hexadecimal of the shard's records, in their order: equal on two machines when the shards are. */
    readonly digest: string;
  }[];
  readonly pairs: readonly {
    readonly groups: readonly [number, number];
    /** The number of training rows in both shards. */
    readonly sharedRows: number;
    /**
     * The number of different records (features and label) in both shards: of shared rows, or of different rows with
     * the same values.
     */
    readonly sharedRecords: number;
  }[];
  /** Why shards that should be disjoint are not; null when they are, or need not be. */
  readonly problem: string | null;
}

/** The splits of a prepared table. */
export interface Splits {
  readonly train: TrainingRows;
  readonly validation: { readonly numRows: number };
  readonly test: { readonly numRows: number };
  readonly numUnassigned: number;
  readonly preprocessing?: Pick<Preprocessing, "labels">;
}

/** Describe the shards of the training rows that the slots of each group make. */
export function describeShards(
  { train, validation, test, numUnassigned, preprocessing }: Splits,
  regime: DataRegime,
  slots: readonly (readonly number[])[],
): ShardReport {
  const shards = slots.map((own) => rowsOfSlots(train.slotOffsets, own));
  const rows = { train: train.numRows, validation: validation.numRows, test: test.numRows, unassigned: numUnassigned };
  // All training rows, since each is compared with every other.
  const all: Records = { ...train, words: train.read(Uint32Array.from({ length: train.numRows }, (_, row) => row)) };
  const { recordOf, numRecords } = distinctRecords(all);
  const sharedRows = sharedByPairs(shards, train.numRows);
  const records = shards.map((shard) => shard.map((row) => recordOf[row] as number));
  const sharedRecords = sharedByPairs(records, numRecords);
  return {
    regime,
    rows,
    groups: shards.map((shard, group) => ({
      group,
      slots: slots[group]?.length ?? 0,
      rows: shard.length,
      ...describeLabels(all, shard, preprocessing?.labels),
      digest: digestOf(all, slots[group] ?? []),
    })),
    pairs: shards.flatMap((_, a) =>
      shards.slice(a + 1).map((_, i) => {
        const b = a + 1 + i;
        return { groups: [a, b] as const, sharedRows: sharedRows(a, b), sharedRecords: sharedRecords(a, b) };
      }),
    ),
    problem: regime === "disjoint" ? problemWith(shards) : null,
  };
}

/** A report as tables, and the verdict. */
export function shardLines({ regime, rows, groups, pairs, problem }: ShardReport): string[] {
  const isOf = (name: "positive" | "classes") => groups.some((group) => group[name] !== undefined);
  const labels = isOf("positive") ? "positive" : isOf("classes") ? "share of each class" : "mean label";
  const head = ["", "slots", "training rows", "validation", "test", labels, "SHA-256 of its rows"];
  const lines = groups.map(({ group, slots, rows: own, digest, ...rest }) => [
    `group ${group}`,
    count(slots),
    count(own),
    count(rows.validation),
    count(rows.test),
    labelCell(rest),
    digest,
  ]);
  const pairLines = pairs.map(({ groups: [a, b], sharedRows, sharedRecords }) => [
    `groups ${a} and ${b}`,
    count(sharedRows),
    count(sharedRecords),
  ]);
  const pairHead = ["both have", "rows", "equal records"];
  return [
    `regime "${regime}", ${count(rows.train)} training rows`,
    ...(rows.unassigned > 0 ? [`${count(rows.unassigned)} more match no filter and train nobody`] : []),
    "",
    ...table([head, ...lines]),
    "",
    ...(pairLines.length > 0 ? [...table([pairHead, ...pairLines]), ""] : []),
    verdict(regime, problem),
  ];
}

function verdict(regime: DataRegime, problem: string | null): string {
  if (problem !== null) return `not disjoint: ${problem}`;
  if (regime === "all") return "not disjoint, as asked: every group trains on all rows";
  if (regime === "same") return "not disjoint, as asked: every group trains on the shard of group 0";
  return "disjoint: no training row is in two shards; records are equal where different rows have the same features and label";
}

function problemWith(shards: readonly Uint32Array[]): string | null {
  try {
    assertDisjoint(shards);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** The labels of a shard as a cell: of many classes the shares of the first. */
function labelCell({ positive, classes, meanLabel }: Partial<ShardReport["groups"][number]>): string {
  if (positive !== undefined) return positive.toFixed(4);
  if (meanLabel !== undefined) return quantity(meanLabel);
  const shares = Object.entries(classes ?? {}).map(([name, share]) => `${name} ${share.toFixed(4)}`);
  return [...shares.slice(0, SHOWN_CLASSES), ...(shares.length > SHOWN_CLASSES ? ["..."] : [])].join(", ");
}

const SHOWN_CLASSES = 5;

/** Training rows with their words at hand. */
interface Records extends TrainingRows {
  readonly words: Int32Array;
}

function describeLabels(
  { words, layout }: Records,
  shard: Uint32Array,
  labels: LabelStatistics | undefined,
): Pick<ShardReport["groups"][number], "positive" | "classes" | "meanLabel"> {
  const width = layout.columns.length;
  const at = (row: number) => row * width + width - 1;
  if (layout.columns.at(-1)?.dtype === "int32" && labels?.kind === "classes") {
    const counts = labels.classes.map(() => 0);
    for (const row of shard) counts[words[at(row)] as number]! += 1;
    const shares = counts.map((number) => (shard.length === 0 ? 0 : number / shard.length));
    return { classes: Object.fromEntries(labels.classes.map((name, k) => [name, shares[k] as number])) };
  }
  const values = new Float32Array(words.buffer, words.byteOffset, words.length);
  const sum = shard.reduce((total, row) => total + (values[at(row)] as number), 0);
  const mean = shard.length === 0 ? 0 : sum / shard.length;
  return labels?.kind === "numbers" ? { meanLabel: mean } : { positive: mean };
}

function digestOf({ words, layout, slotOffsets }: Records, slots: readonly number[]): string {
  const hash = createHash("sha256");
  const width = layout.columns.length;
  for (const slot of slots) {
    const { start, end } = slotRange(slotOffsets, slot);
    hash.update(bytesOf(words.subarray(start * width, end * width)));
  }
  return hash.digest("hex");
}

/** The number of each row's record, equal for equal records. Sorted, not hashed, so that it is exact. */
function distinctRecords({ words, layout, numRows }: Records): { recordOf: Uint32Array; numRecords: number } {
  const width = layout.columns.length;
  const compare = (a: number, b: number): number => {
    for (let word = 0; word < width; word++) {
      const difference = (words[a * width + word] as number) - (words[b * width + word] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  };
  const sorted = Uint32Array.from({ length: numRows }, (_, row) => row).sort(compare);
  const recordOf = new Uint32Array(numRows);
  let record = 0;
  for (let i = 1; i < numRows; i++) {
    if (compare(sorted[i - 1] as number, sorted[i] as number) !== 0) record++;
    recordOf[sorted[i] as number] = record;
  }
  return { recordOf, numRecords: record + 1 };
}

/**
 * Counts the different numbers below `size` that two sets share. For each combination of owners, the numbers that it
 * owns are counted once, as there are few combinations and many numbers.
 */
function sharedByPairs(sets: readonly Uint32Array[], size: number): (a: number, b: number) => number {
  // At most 64 groups, so two words of bits.
  const low = new Uint32Array(size);
  const high = new Uint32Array(size);
  sets.forEach((set, owner) => {
    const bits = owner < 32 ? low : high;
    for (const item of set) bits[item] = (bits[item] as number) | (1 << (owner % 32));
  });
  const counts = new Map<string, number>();
  for (let item = 0; item < size; item++) {
    const owners = `${low[item]} ${high[item]}`;
    counts.set(owners, (counts.get(owners) ?? 0) + 1);
  }
  const entries = [...counts].map(([owners, number]) => ({ owners: owners.split(" ").map(Number), number }));
  const has = (owners: readonly number[], owner: number) =>
    (((owners[owner < 32 ? 0 : 1] as number) >>> (owner % 32)) & 1) === 1;
  return (a, b) =>
    entries.reduce((sum, { owners, number }) => (has(owners, a) && has(owners, b) ? sum + number : sum), 0);
}
