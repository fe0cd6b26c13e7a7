/** Learning rates, and other numbers, by step. */

/** A value by step; steps count from 0. */
export type Schedule = (step: number) => number;

/** The same value at every step. */
export function constantSchedule(value: number): Schedule {
  return () => value;
}

/** From `from` at step 0 in a straight line to `to` at `numSteps`, and `to` after that. */
export function linearSchedule(from: number, to: number, numSteps: number): Schedule {
  return (step) => (step >= numSteps ? to : from + (to - from) * (step / numSteps));
}

/**
 * From `from` at step 0 along half a cosine to the floor `to` at `numSteps`, and `to` after that (Loshchilov and Hutter
 * 2017, equation 5, without restarts): to + (from - to) (1 + cos(pi step / numSteps)) / 2.
 */
export function cosineSchedule(from: number, to: number, numSteps: number): Schedule {
  return (step) => (step >= numSteps ? to : to + ((from - to) * (1 + Math.cos((Math.PI * step) / numSteps))) / 2);
}

/** `value`, times `factor` from each of the steps `at` on. */
export function stepSchedule(value: number, at: readonly number[], factor: number): Schedule {
  return (step) => value * factor ** at.filter((boundary) => step >= boundary).length;
}

/** value factor^(step / every): multiplied by `factor` once in `every` steps, gradually. */
export function exponentialSchedule(value: number, factor: number, every: number): Schedule {
  return (step) => value * factor ** (step / every);
}

/**
 * `value` for the first `numSteps` optimizer steps, then falling with the inverse square root of their number t = step + 1:
 * value sqrt(numSteps / max(t, numSteps)) (Vaswani et al. 2017, equation 3, and Shazeer and Stern 2018, section 8).
 */
export function inverseSquareRootSchedule(value: number, numSteps: number): Schedule {
  return (step) => value * Math.sqrt(numSteps / Math.max(step + 1, numSteps));
}

export interface OneCycleOptions {
  /** The highest value. */
  readonly peak: number;
  readonly numSteps: number;
  /** The step of the peak. */
  readonly peakAt: number;
  /** The value at step 0; peak / 25 by default. */
  readonly from?: number | undefined;
  /** The value at the last step, numSteps - 1, and after it; from / 10,000 by default. */
  readonly to?: number | undefined;
}

/** Up to the peak and down again, along half a cosine each way (Smith and Topin 2018; as torch's OneCycleLR). */
export function oneCycleSchedule(options: OneCycleOptions): Schedule {
  const { peak, numSteps, peakAt, from = peak / 25, to = from / 1e4 } = options;
  const up = cosineSchedule(from, peak, peakAt);
  const down = cosineSchedule(peak, to, numSteps - 1 - peakAt);
  return (step) => (step < peakAt ? up(step) : down(step - peakAt));
}

/**
 * A schedule that begins `numSteps` later, after a warm-up in a straight line: from the share `from` of the schedule's
 * first value to that value (Goyal et al. 2017, section 2.2).
 */
export function withWarmUp(schedule: Schedule, numSteps: number, from = 0): Schedule {
  const share = linearSchedule(from, 1, numSteps);
  return (step) => (step < numSteps ? share(step) * schedule(0) : schedule(step - numSteps));
}
