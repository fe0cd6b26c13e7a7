import type { Schedule } from "../optim/schedules.js";

/**
 * Whether something periodic is due at a step: first at `start`, then each time one interval after the time before. An
 * interval that changes is a function of the steps since `start`, evaluated at the time before. Steps may be asked for
 * in any order.
 */
export function dueAt(start: number, interval: number | Schedule): (step: number) => boolean {
  if (typeof interval === "number") return (step) => step >= start && (step - start) % interval === 0;
  const due = new Set([start]);
  let last = start;
  return (step) => {
    while (last < step) {
      last += Math.max(1, Math.round(interval(last - start)));
      due.add(last);
    }
    return due.has(step);
  };
}
