/** What a run of a comparison came to, as its report needs it. */
import type { RunResult, TestMetrics } from "../log/events.js";
import type { CurvePoint } from "./curves.js";

/** A validation of the shipped group; `seconds` is its training time by then, on the machine that it trained on. */
export interface TimedPoint extends CurvePoint {
  readonly seconds: number;
}

/** From a step on, counted from 0, a group had so many teachers. */
export interface TaughtFrom {
  readonly step: number;
  readonly numTeachers: number;
}

/** What an arm came to with one seed. */
export interface Outcome {
  readonly arm: string;
  readonly seed: number;
  /** Of the group that ships, which was declared before the run: the step of its best params, and its scores on the test split. */
  readonly step: number;
  readonly test: TestMetrics;
  /** The mean of the test loss over the groups. */
  readonly meanTestLoss: number;
  /** Empty for an ensemble, which is not validated. */
  readonly curve: readonly TimedPoint[];
  /** Of the run, from its start to its result; 0 for an ensemble, which uses the runs of another arm. */
  readonly seconds: number;
  /** Weights that groups sent and fetched. */
  readonly bytes: number;
  /** Of each group, from which step on it had how many teachers; left out where groups do not teach one another. */
  readonly taught?: readonly (readonly TaughtFrom[])[] | undefined;
}

/** How far the models of two seeds of an arm are apart on the test split; the first may be the model in use, with its seed. */
export interface Apart {
  readonly arm: string;
  readonly seeds: readonly [number, number];
  /** Mean absolute difference of probabilities, of classes and tokens half its sum over them; of numbers in the label's unit. */
  readonly distance: number;
  /** The share of decisions that differ; of numbers the same as the distance. */
  readonly changed: number;
  /** The shares of decisions that are wrong in the first and right in the second, and the reverse; left out where nothing is decided. */
  readonly good?: number | undefined;
  readonly bad?: number | undefined;
}

/** The test loss of an arm's model after the best recalibration of it on the test split itself. */
export interface Refined {
  readonly arm: string;
  readonly seed: number;
  readonly refinementLoss: number;
}

/** Everything that a comparison has measured. */
export interface Measured {
  readonly task: RunResult["task"];
  readonly lossName: string;
  readonly outcomes: readonly Outcome[];
  readonly apart: readonly Apart[];
  readonly refined: readonly Refined[];
}
