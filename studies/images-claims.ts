/** What the study of images asks, written before its runs, and what its figures say to it. */

import { type ArmFigures, LEAST_FOR_JACKKNIFE, lossLess, meanOverPairs } from "../src/study/figures.js";
import { type Interval, jackknifeInterval } from "../src/study/intervals.js";
import type { Apart } from "../src/study/outcome.js";
import { rangeOf, signed } from "../src/study/verdicts.js";

/** The arms of `codistill compare`, in its order. */
export const ARMS = ["single", "twice-the-batch", "codistilled", "same-data", "ensemble"] as const;
type ArmName = (typeof ARMS)[number];

/** The arm that others are compared with, whose best validation loss with the same seed is the target of the steps. */
export const REFERENCE: ArmName = "single";

/** An expectation: a figure of an arm is lower than that of another one. */
export interface Claim {
  readonly of: "test loss" | "steps" | "churn";
  readonly lower: ArmName;
  readonly than: ArmName;
  readonly why: string;
}

/** Written before the first run. */
export const claims: readonly Claim[] = [
  { of: "test loss", lower: "codistilled", than: "single", why: "a teacher of other images brings what they show" },
  { of: "test loss", lower: "codistilled", than: "same-data", why: "part of the gain comes from the other's images" },
  { of: "test loss", lower: "same-data", than: "single", why: "another network is a teacher even on the same images" },
  { of: "test loss", lower: "codistilled", than: "twice-the-batch", why: "with as many machines" },
  { of: "test loss", lower: "ensemble", than: "codistilled", why: "a student does not keep all of two models" },
  { of: "steps", lower: "codistilled", than: "single", why: "to the best validation loss of single" },
  { of: "churn", lower: "codistilled", than: "single", why: "decisions that change with the seed" },
];

/** What became of a claim. */
export interface Answer extends Claim {
  /** A difference of losses, lower less other; a ratio of steps or of churn, lower over other. Null where it is not measured. */
  readonly found: Interval | null;
  readonly isTrue: "yes" | "no" | "not told apart" | "not measured";
  /** Whether it is a ratio, which 1 parts; else a difference, which 0 parts. */
  readonly isRatio: boolean;
}

/** The answers by the figures of `codistill compare`. */
export function answersOf(figures: readonly ArmFigures[], apart: readonly Apart[]): Answer[] {
  return claims.map((claim) => {
    const isRatio = claim.of !== "test loss";
    const found = foundOf(claim, figures, apart);
    return { ...claim, found, isRatio, isTrue: judged(found, isRatio ? 1 : 0) };
  });
}

function foundOf({ of, lower, than }: Claim, figures: readonly ArmFigures[], apart: readonly Apart[]) {
  const [own, other] = [lower, than].map((name) => figures.find(({ arm }) => arm === name));
  if (!own || !other) return null;
  switch (of) {
    case "test loss":
      return lossLess(own, other);
    case "steps":
      return own.toTarget?.ratio ?? null;
    case "churn":
      return churnRatio([lower, than], own.seeds, apart);
  }
}

/** Changed decisions over all pairs of seeds, of one arm over those of another. */
function churnRatio([lower, than]: [ArmName, ArmName], seeds: readonly number[], apart: readonly Apart[]) {
  const pairsOf = (name: ArmName) => apart.filter(({ arm }) => arm === name);
  const over = (name: ArmName, some: readonly number[]) => meanOverPairs(pairsOf(name), some, ({ changed }) => changed);
  const ratio = (some: readonly number[]) => over(lower, some) / over(than, some);
  if (seeds.length >= LEAST_FOR_JACKKNIFE) return jackknifeInterval(seeds, ratio);
  return seeds.length === 2 ? { value: ratio(seeds), low: Number.NaN, high: Number.NaN } : null;
}

function judged(found: Interval | null, parted: number): Answer["isTrue"] {
  if (found === null || Number.isNaN(found.value)) return "not measured";
  if (found.high < parted) return "yes";
  return found.low > parted ? "no" : "not told apart";
}

/** A claim and its answer, in a sentence. */
export function answerText({ of, lower, than, why, found, isRatio, isTrue }: Answer): string {
  const figure =
    found === null ? "" : `, ${rangeOf(found, isRatio ? (x) => x.toFixed(2) : signed)}${isRatio ? ` of ${than}` : ""}`;
  return `${lower} ${of === "steps" ? "takes fewer steps" : `has a lower ${of}`} than ${than} (${why}): ${isTrue}${figure}`;
}
