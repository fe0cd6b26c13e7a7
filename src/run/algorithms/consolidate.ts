/** Consolidation in a configuration of codistillation. */
import { z } from "zod";
import { linearSchedule, type Schedule } from "../../optim/schedules.js";
import { type StepsOrShare, stepsOf, stepsOrShare } from "../steps.js";

/**
 * The last part of a run, in which snapshots of all groups that were kept before, one's own group included, teach and change no more.
 *
 * @example
 * { from: "70%", snapshots: 3, every: "5%", weight: 0.9, mix: "convex", learningRate: 0.4 }
 */
export interface ConsolidateInput {
  /** The step from which on the kept snapshots teach, or its share of `numSteps`; "70%" by default. */
  readonly from?: StepsOrShare | undefined;
  /** How many snapshots of each group are kept, the last ones at `from`; 3 by default. */
  readonly snapshots?: number | undefined;
  /** Steps between two of them; "5%" by default. */
  readonly every?: StepsOrShare | undefined;
  /** Weight of the distillation loss from then on; 0.9 by default. */
  readonly weight?: number | undefined;
  /** How it is mixed with the label loss from then on, as `mix` before; "convex" by default. */
  readonly mix?: "sum" | "convex" | undefined;
  /**
   * The learning rate from then on, as a share of its peak: reached in a line over the first tenth of the steps that are left, from
   * which it falls in a line to 0; 0.4 by default.
   */
  readonly learningRate?: number | undefined;
}

export const consolidateSchema = z.strictObject({
  from: stepsOrShare.default("70%"),
  snapshots: z.int().positive().default(3),
  every: stepsOrShare.default("5%"),
  weight: z.number().nonnegative().default(0.9),
  mix: z.enum(["sum", "convex"]).default("convex"),
  learningRate: z.number().positive().max(1).default(0.4),
});

/** More teachers than this cost a step more memory and time than any of them brings. */
const MOST_SNAPSHOTS = 64;

/** Of the steps that are left, those in which the learning rate rises again. */
const RISING_SHARE = 0.1;

type Parsed = z.output<typeof consolidateSchema>;

/** With shares of the run as steps. */
export type Consolidate = ReturnType<typeof consolidateInSteps>;

export function consolidateInSteps(parsed: Parsed, numSteps: number) {
  return { ...parsed, from: stepsOf(parsed.from, numSteps), every: stepsOf(parsed.every, numSteps) };
}

/** The steps at which snapshots are kept. */
export function keepAt({ from, snapshots, every }: Consolidate): number[] {
  return Array.from({ length: snapshots }, (_, i) => from - (snapshots - 1 - i) * every);
}

/** What of a run the rules depend on. */
interface Exchanging {
  /** Steps of the run. */
  readonly numSteps: number;
  /** Steps before groups publish. */
  readonly burnInSteps: number;
  /** Teachers of the group that has most. */
  readonly numTeachers: number;
  /** Steps between publications and between looks for newer snapshots. */
  readonly intervals: readonly number[];
}

/** A line for each rule that is broken. */
export function consolidateProblems(options: Consolidate, run: Exchanging): string[] {
  const { from, snapshots, every, weight, mix } = options;
  const path = "algorithm.consolidate";
  const problems: string[] = [];
  if (from >= run.numSteps)
    problems.push(`${path}.from: must leave steps to learn in, so be below numSteps (${run.numSteps}), got ${from}`);
  const [first = from] = keepAt(options);
  const slowest = Math.max(...run.intervals);
  if (snapshots > 1 && every < slowest) {
    problems.push(
      `${path}.every: must be at least the interval at which snapshots are published and fetched (${slowest} steps), or one would be kept twice, got ${every}`,
    );
  }
  if (first <= run.burnInSteps) {
    problems.push(
      `${path}: keeps its first snapshots at step ${first} (from ${from} less ${snapshots - 1} x every ${every}), which must be after burnInSteps (${run.burnInSteps}), when groups begin to publish; raise from, or lower snapshots, every or burnInSteps`,
    );
  }
  const numSnapshots = snapshots * (run.numTeachers + 1);
  if (numSnapshots > MOST_SNAPSHOTS) {
    problems.push(
      `${path}.snapshots: must come to at most ${MOST_SNAPSHOTS} teachers a step, got ${numSnapshots} (${snapshots} of each of ${run.numTeachers + 1} groups); take fewer, or an algorithm.topology with fewer teachers`,
    );
  }
  if (mix === "convex" && weight > 1) {
    problems.push(`${path}.weight: must be at most 1 when ${path}.mix is "convex", got ${weight}`);
  }
  return problems;
}

/** Where the learning rate begins again, and how. */
interface Rewarming {
  /** The step. */
  readonly from: number;
  /** The share of the peak. */
  readonly learningRate: number;
}

/** The learning rate that a run has without it. */
interface RunRate {
  /** Its highest value. */
  readonly peak: number;
  /** Steps of the run. */
  readonly numSteps: number;
}

/** The learning rate before `from`, and from then on up to a share of its peak and down to 0 at the end of the run. */
export function rewarmed({ from, learningRate }: Rewarming, before: Schedule, { peak, numSteps }: RunRate): Schedule {
  const left = numSteps - from;
  const rising = Math.max(1, Math.round(RISING_SHARE * left));
  const up = linearSchedule(before(from), learningRate * peak, rising);
  const down = linearSchedule(learningRate * peak, 0, Math.max(1, left - rising));
  return (step) => {
    if (step < from) return before(step);
    return step < from + rising ? up(step - from) : down(step - from - rising);
  };
}
