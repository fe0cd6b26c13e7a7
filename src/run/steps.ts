/** Numbers of steps in a configuration: whole, or as shares of the run. */
import { z } from "zod";

/** A whole number of steps, or a share of `numSteps` as in "5%". */
export type StepsOrShare = number | string;

export const stepsOrShare = z.union(
  [z.int().nonnegative(), z.string().regex(/^\d+(\.\d+)?%$/, 'must be a share as in "50%"')],
  'must be a whole number >= 0 or a share of numSteps as in "50%"',
);

/** A number of steps, given as such or as a share. */
export function stepsOf(value: z.output<typeof stepsOrShare>, numSteps: number): number {
  return typeof value === "number" ? value : Math.round((Number.parseFloat(value) / 100) * numSteps);
}
