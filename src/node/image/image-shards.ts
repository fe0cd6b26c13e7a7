/** What the hash slots of each group make of the training images, for programs and for people. */
import { type DataRegime, rowsOfSlots } from "../../data/shard.js";
import { count, table } from "../../report/format.js";
import type { DescribedShards } from "../runs/data-reader.js";
import type { CachedImages } from "./image-cache.js";

/** Describe the images of each group, by class. */
export function describeImageShards(
  { slotOffsets, train, classes }: Pick<CachedImages, "slotOffsets" | "train" | "classes">,
  regime: DataRegime,
  slots: readonly (readonly number[])[],
): DescribedShards {
  const groups = slots.map((own, group) => {
    const counts = new Array<number>(classes.length).fill(0);
    const images = rowsOfSlots(slotOffsets, own);
    for (const image of images) counts[train.labels[image] as number]! += 1;
    return { group, images: images.length, classes: counts };
  });
  return {
    report: { problem: regime === "disjoint" ? sharedSlot(slots) : null, ...{ regime, classes, groups } },
    lines: () =>
      table([
        ["group", "images", ...classes],
        ...groups.map(({ group, images, classes }) => [String(group), count(images), ...classes.map(count)]),
      ]),
  };
}

/** A slot that two groups have; null when there is none, so that no image is in two shards. */
function sharedSlot(slots: readonly (readonly number[])[]): string | null {
  const owners = new Map<number, number>();
  for (const [group, own] of slots.entries()) {
    for (const slot of own) {
      const other = owners.get(slot);
      if (other !== undefined) return `the hash slot ${slot} is of the groups ${other} and ${group}`;
      owners.set(slot, group);
    }
  }
  return null;
}
