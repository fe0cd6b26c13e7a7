/** How long the runs of a comparison take, by those that are done, and how many seeds fit into a budget of time. */

/** A run, and what it costs. */
export interface Planned {
  readonly arm: string;
  readonly seed: number;
  /** Forward passes of an example through the network, all groups together. */
  readonly passes: number;
}

/** A run that is done, or a part of one. */
export interface Timed {
  readonly arm: string;
  readonly passes: number;
  /** From its start to its result, or the training alone where `startSeconds` is what came before. */
  readonly seconds: number;
}

/**
 * The seconds that a run will take: the mean of those of its arm that are done; else by the seconds for each pass of all that is done.
 * Null before anything is.
 */
export function secondsOf(run: Pick<Planned, "arm" | "passes">, done: readonly Timed[]): number | null {
  const own = done.filter(({ arm }) => arm === run.arm);
  const like = own.length > 0 ? own : done;
  const passes = like.reduce((sum, one) => sum + one.passes, 0);
  if (!(passes > 0)) return null;
  return (like.reduce((sum, { seconds }) => sum + seconds, 0) / passes) * run.passes;
}

/** The seconds of several runs; null before anything is done. */
export function secondsOfAll(runs: readonly Planned[], done: readonly Timed[]): number | null {
  let sum = 0;
  for (const run of runs) {
    const seconds = secondsOf(run, done);
    if (seconds === null) return null;
    sum += seconds;
  }
  return sum;
}

/** What of a comparison fits into a budget: only seeds of which every arm is trained can be compared. */
export interface Fit {
  readonly seeds: readonly number[];
  /** Of the runs that these still take, and of all that are open. */
  readonly seconds: number;
  readonly allSeconds: number;
}

/** The first seeds whose open runs fit into so many seconds together; null before anything is done. */
export function seedsWithin(
  seeds: readonly number[],
  open: readonly Planned[],
  done: readonly Timed[],
  budgetSeconds: number,
): Fit | null {
  const allSeconds = secondsOfAll(open, done);
  if (allSeconds === null) return null;
  const fitting: number[] = [];
  let seconds = 0;
  for (const seed of seeds) {
    const own = secondsOfAll(
      open.filter((run) => run.seed === seed),
      done,
    );
    if (own === null || seconds + own > budgetSeconds) break;
    seconds += own;
    fitting.push(seed);
  }
  return { seeds: fitting, seconds, allSeconds };
}
