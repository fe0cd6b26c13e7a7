/** Which images train, which choose the best checkpoint, and which are scored once: at random, copies together. */
import { type Placing, placing, quotasOf, type SplitShares, type Stratum, TRAIN, UNITS_FOR_ALL } from "../split.js";

/** Images with equal pixels: they are in one split, so that no test image has been trained on. */
interface Unit {
  readonly images: number[];
  readonly digest: string;
  /** The class of the first of them. */
  readonly stratum: number;
}

/** What is split. */
export interface SplitImagesOptions {
  /** A digest of the pixels of each image. */
  readonly digests: readonly string[];
  readonly labels: Int32Array;
  /** Of all images; 0 for a split that has images of its own. */
  readonly shares: SplitShares;
  /** The place of a unit in the order in which units are taken, as text, by the digest of its pixels. */
  readonly rankOf: (digest: string) => string;
}

/** The split of each image, and what copies there are. */
export interface ImageSplit {
  /** TRAIN, VALIDATION or TEST of `data/split.ts`. */
  readonly splits: Uint8Array;
  /** Images whose pixels an earlier image has too. */
  readonly numCopies: number;
  /** Copies whose class is another one than that of the first. */
  readonly numContradictions: number;
}

/**
 * Split images by rank, each class in proportion. Classes of fewer than three different images train; where all are so
 * few, they are split as one.
 */
export function splitImages({ digests, labels, shares, rankOf }: SplitImagesOptions): ImageSplit {
  const byDigest = new Map<string, Unit>();
  let [numCopies, numContradictions] = [0, 0];
  for (const [i, digest] of digests.entries()) {
    const label = labels[i] as number;
    const unit = byDigest.get(digest);
    if (!unit) byDigest.set(digest, { images: [i], digest, stratum: label });
    else {
      unit.images.push(i);
      numCopies++;
      if (unit.stratum !== label) numContradictions++;
    }
  }
  const ranked = [...byDigest.values()].map((unit) => ({ ...unit, rank: rankOf(unit.digest) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const own = strataOf(ranked);
  const isOne = own.every(({ units }) => units < UNITS_FOR_ALL);
  const strata = isOne ? strataOf(ranked.map((unit) => ({ ...unit, stratum: 0 }))) : own;
  // A share of 0 is none, as those images come from elsewhere, and not the one of each class that there is at least.
  const quotas = quotasOf(strata, shares).map(({ validation, test }) => ({
    validation: shares.validation === 0 ? 0 : validation,
    test: shares.test === 0 ? 0 : test,
  }));
  const places: Placing = placing(quotas);
  const splits = new Uint8Array(digests.length).fill(TRAIN);
  for (const { images, stratum, rank } of ranked) {
    const coin = Number.parseInt(rank.slice(0, 8), 16) / 2 ** 32;
    const split = places.place(isOne ? 0 : stratum, images.length, coin);
    for (const i of images) splits[i] = split;
  }
  return { splits, numCopies, numContradictions };
}

function strataOf(units: readonly Pick<Unit, "images" | "stratum">[]): Stratum[] {
  const sizes: number[][] = [];
  for (const { images, stratum } of units) {
    sizes[stratum] ??= [];
    sizes[stratum].push(images.length);
  }
  return Array.from(sizes, (own = []) => {
    const sorted = [...own].sort((a, b) => a - b);
    return { rows: own.reduce((sum, size) => sum + size, 0), units: own.length, second: sorted[1] ?? 1 };
  });
}
