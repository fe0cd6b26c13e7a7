import type { Schedule } from "../optim/schedules.js";

/**
 * When something is due whose interval changes with the steps: at `start`, and then each time as many steps later as the
 * interval, a function of the steps since `start`, was at the time before. Steps may be asked for in any order.
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
