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
