/** The workers of a run: how many share each batch, and a word on those that spend more on adding up than they save by sharing. */
import type { WorkerUse } from "../log/events.js";

interface WorkersConfig {
  readonly workers: number;
  readonly algorithm: { readonly kind: string };
}

/** Whether workers take no step together: each has batches of its own, and one more process or thread leads them all. */
export function isAsynchronous({ algorithm }: Pick<WorkersConfig, "algorithm">): boolean {
  return algorithm.kind === "asyncSgd";
}

/** Whether each worker has params of its own, and takes its own steps on its part of each batch. */
export function areApart({ algorithm }: Pick<WorkersConfig, "algorithm">): boolean {
  return algorithm.kind === "localSgd" || algorithm.kind === "diloco";
}

export function sharersOf(config: WorkersConfig): number {
  return isAsynchronous(config) ? 1 : config.workers;
}

/** How many of a group's processes are workers. */
export function workersAmong(processes: number, config: Pick<WorkersConfig, "algorithm">): number {
  return isAsynchronous(config) ? processes - 1 : processes;
}

/** How many processes a group has whose workers are processes: one does with a single worker. */
export function processesOf(config: WorkersConfig): number {
  return config.workers > 1 && isAsynchronous(config) ? config.workers + 1 : config.workers;
}

/** The share of a step in sums from which fewer workers may be faster. */
const MUCH = 0.25;
/** Step events that are looked at, after the first one, in which programs are compiled. */
const FIRST_EVENTS = 5;

/** Looks at the seconds of a group's workers; gives what is to be said, once, and null before and after. */
export function workersWatch(): (workers: readonly WorkerUse[] | undefined) => string | null {
  const shares: number[] = [];
  let numEvents = 0;
  return (workers = []) => {
    if (workers.length < 2 || numEvents > FIRST_EVENTS) return null;
    numEvents++;
    if (numEvents === 1) return null;
    // The worker that comes last waits for nobody: its share is that of the sums alone.
    shares.push(Math.min(...workers.map(({ compute, reduce }) => reduce / (compute + reduce))));
    if (numEvents <= FIRST_EVENTS) return null;
    const share = shares.reduce((sum, one) => sum + one, 0) / shares.length;
    return share < MUCH
      ? null
      : `its ${workers.length} workers spend ${Math.round(100 * share)} % of a step on adding up gradients: fewer workers, or a larger globalBatchSize for them to share, may be faster`;
  };
}
