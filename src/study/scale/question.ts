/** What is asked of a search for the limit of a group, and what its runs came to. */
import { type CurvePoint, lowest, stepsToTarget } from "../curves.js";
import type { SquaredNorms } from "./noise.js";

/** What was declared before the runs. */
export interface ScaleQuestion {
  /** Numbers of workers, ascending: each brings the same batch of its own to every step. */
  readonly workers: readonly number[];
  /** Examples of a worker in a step. */
  readonly workerBatch: number;
  /** The learning rate from which others are tried: it times powers of two. */
  readonly rate: number;
  /** The most steps of a run. */
  readonly numSteps: number;
  readonly seeds: readonly number[];
  /** The validation loss that is to be reached; null before the first run has set it. */
  readonly target: number | null;
}

/** A way to train: so many workers, and the learning rate times 2^doublings. */
export interface ScaleArm {
  readonly workers: number;
  readonly doublings: number;
  readonly seed: number;
}

/** What a run came to. */
export interface ScaleOutcome extends ScaleArm {
  /** The steps that it was given: without the target in them it takes more. */
  readonly numSteps: number;
  readonly curve: readonly CurvePoint[];
  /** Whether numbers stopped being finite on the way. */
  readonly isDiverged: boolean;
  /** The middle of the seconds of a step; null where it took none. */
  readonly secondsPerStep: number | null;
  /** Of a run whose workers were threads of their own: mean seconds of a step that the slowest adds up gradients, without waiting. */
  readonly reduceSeconds: number | null;
  /** Into how many parts its steps were split, and the squared norms of their gradients. */
  readonly parts: number;
  readonly noise: readonly SquaredNorms[];
  /** From its start to its end. */
  readonly seconds: number;
}

/** The learning rate of an arm. */
export const rateOf = ({ rate }: Pick<ScaleQuestion, "rate">, doublings: number) => rate * 2 ** doublings;

/** The step at which a run came to the target; null where it did not, or diverged. */
export function stepsOf(outcome: ScaleOutcome, target: number): number | null {
  return outcome.isDiverged ? null : stepsToTarget(outcome.curve, target);
}

/** The share of the steps of the first run whose best loss is the target, where none is given: what others then have twice the steps for. */
const TARGET_BY = 0.5;

/** The target that the first run sets: the lowest validation loss of its first half; null where it has none. */
export function targetOf(first: ScaleOutcome, numSteps: number): number | null {
  if (first.isDiverged) return null;
  const least = lowest(first.curve.filter(({ step }) => step <= TARGET_BY * numSteps));
  return Number.isFinite(least) ? least : null;
}
