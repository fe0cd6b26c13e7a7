/** Weights and intervals that change in a straight line, in a configuration. */
import { z } from "zod";
import { type StepsOrShare, stepsOrShare } from "../steps.js";

/**
 * A weight that changes in a straight line over a number of steps from the end of burn-in on, and then stays the same.
 */
export interface WeightLineInput {
  /** Where it begins; 0 by default. */
  readonly from?: number | undefined;
  /** Where it ends. */
  readonly to: number;
  /** How long the line is. */
  readonly steps: StepsOrShare;
}

/** An interval in steps that changes in a straight line from the end of burn-in on, and then stays the same. */
export interface LineInput {
  /** Where it begins. */
  readonly from: number;
  /** Where it ends. */
  readonly to: number;
  /** How long the line is. */
  readonly steps: StepsOrShare;
}

const steps = z.int().positive();
/** A {@link WeightLineInput}. */
export const weightLine = z.strictObject({
  from: z.number().nonnegative().default(0),
  to: z.number().nonnegative(),
  steps: stepsOrShare,
});

/** A number of steps, or a {@link LineInput}. */
export const interval = z.union(
  [steps, z.strictObject({ from: steps, to: steps, steps: stepsOrShare })],
  "must be a whole number > 0 or { from, to, steps }",
);
