/** Where the workers of a group spend their time, as text. */
import type { GradientUse, TrainEvent, WorkerUse } from "../log/events.js";
import { percent, table, times } from "./format.js";

type StepEvent = Pick<Extract<TrainEvent, { readonly event: "step" }>, "step" | "workers" | "gradients">;

/** Mean seconds of a step of a worker: computing, and adding up or waiting. */
export interface WorkerTimes {
  readonly worker: number;
  readonly compute: number;
  readonly other: number;
}

/** The times of all workers, of synchronous or of asynchronous SGD. */
export function workerTimes(workers: readonly WorkerUse[], gradients: GradientUse | null): readonly WorkerTimes[] {
  if (gradients) return gradients.workers.map(({ worker, compute, wait }) => ({ worker, compute, other: wait }));
  return workers.map(({ compute, reduce }, worker) => ({ worker, compute, other: reduce }));
}

/** Whether a worker computes a tenth longer than all do on average. */
function isSlow({ compute }: WorkerTimes, all: readonly WorkerTimes[]): boolean {
  return compute > (1.1 * all.reduce((sum, one) => sum + one.compute, 0)) / all.length;
}

/** The share of a step in sums: that of the worker that comes last, which waits for nobody. */
export function shareInSums(workers: readonly WorkerUse[]): number {
  return Math.min(...workers.map(({ compute, reduce }) => reduce / (compute + reduce)));
}

/**
 * A line on the workers of a group: the milliseconds of each, by rank; where not all fit into the width, those that compute longest.
 * Null for a group of one.
 */
export function workersLine(
  { workers, gradients }: { readonly workers: readonly WorkerUse[]; readonly gradients: GradientUse | null },
  width: number,
): string | null {
  const all = workerTimes(workers, gradients);
  if (all.length < 2) return null;
  const head = `  ms of workers, compute+${gradients ? "wait" : "sums"}:`;
  const text = (one: WorkerTimes) =>
    ` ${one.worker} ${times(1000 * one.compute)}+${times(1000 * one.other)}${isSlow(one, all) ? " slow" : ""}`;
  const share = gradients ? "" : `; ${percent(shareInSums(workers))} in sums`;
  const line = `${head}${all.map(text).join(",")}`;
  const whole = [`${line}${share}`, line].find(({ length }) => length <= width);
  if (whole !== undefined) return whole;
  let shown = head;
  const slowestFirst = [...all].sort((a, b) => b.compute - a.compute);
  for (const [i, one] of slowestFirst.entries()) {
    const longer = `${i === 0 ? shown : `${shown},`}${text(one)}`;
    const rest = `, ${all.length - i} more`;
    if (longer.length + rest.length > width) return `${shown}${i === 0 ? ` ${all.length}` : rest}`.slice(0, width);
    shown = longer;
  }
  return shown;
}

/** The mean seconds of each worker over step events of a group: by their steps, or by the gradients that it brought. */
export function meanTimes(): {
  add(event: StepEvent): void;
  all(): readonly WorkerTimes[];
} {
  const totals = new Map<number, { weight: number; compute: number; other: number }>();
  let lastStep = 0;
  return {
    add({ step, workers = [], gradients = null }) {
      const steps = Math.max(1, step - lastStep);
      lastStep = step;
      for (const { worker, compute, other } of workerTimes(workers, gradients)) {
        const weight = gradients?.workers.find((one) => one.worker === worker)?.gradients ?? steps;
        const total = totals.get(worker) ?? { weight: 0, compute: 0, other: 0 };
        totals.set(worker, {
          weight: total.weight + weight,
          compute: total.compute + weight * compute,
          other: total.other + weight * other,
        });
      }
    },
    all: () =>
      [...totals]
        .sort(([a], [b]) => a - b)
        .map(([worker, { weight, compute, other }]) => ({ worker, compute: compute / weight, other: other / weight })),
  };
}

/** The mean times of the workers of groups as a table with an empty line before it; nothing where no group has several. */
export function workersTable(
  groups: readonly { readonly group: number; readonly workers?: readonly WorkerTimes[] | undefined }[],
): string[] {
  const rows = groups.flatMap(({ group, workers = [] }) =>
    workers.map((one) => [
      `group ${group}`,
      String(one.worker),
      `${times(1000 * one.compute)} ms`,
      `${times(1000 * one.other)} ms`,
      isSlow(one, workers) ? "slow" : "",
    ]),
  );
  return rows.length === 0 ? [] : ["", ...table([["", "worker", "computes a step", "adds up or waits", ""], ...rows])];
}
