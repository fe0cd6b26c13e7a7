/** Teachers of an exact age in a configuration and in a run. */
import { exactExchange } from "../../codistill/exact-exchange.js";
import { traced } from "../../codistill/replay.js";
import type { SeenTeacher } from "../../codistill/transport.js";
import type { AlgorithmContext, RunShape } from "./kind.js";

interface Aged {
  /** The age of teachers when they are taken, in steps; left out where they are the newest that have arrived. */
  readonly staleness?: number | undefined;
  /** Steps between two snapshots: a number, or a line. */
  readonly publishInterval: unknown;
  /** Steps from one teacher to the next, likewise. */
  readonly exchangeInterval: unknown;
  /** Which control it is; none where it is left out. */
  readonly control?: string | undefined;
  /** Consolidation, where there is some. */
  readonly consolidate?: unknown;
}

/** What starts such a group, beside its options. */
interface Exactly extends Aged {
  /** The age, which is given here. */
  readonly staleness: number;
  /** The step from which on teachers teach. */
  readonly burnInSteps: number;
}

interface ExactContext extends AlgorithmContext {
  /** The groups whose params teach. */
  readonly teachers: readonly number[];
  /** Teachers of a checkpoint. */
  readonly known: readonly SeenTeacher[];
}

/** A line for each rule that is broken. */
export function stalenessProblems(options: Aged, { record }: Pick<RunShape, "record">): string[] {
  const { staleness, publishInterval, exchangeInterval, control, consolidate } = options;
  if (staleness === undefined) return [];
  const problems: string[] = [];
  if (typeof publishInterval !== "number" || typeof exchangeInterval !== "number") {
    problems.push("algorithm.staleness: needs a publishInterval and an exchangeInterval that are numbers, not lines");
  } else {
    for (const [name, steps] of Object.entries({ staleness, exchangeInterval })) {
      if (steps % publishInterval !== 0)
        problems.push(
          `algorithm.${name}: must be a multiple of algorithm.publishInterval (${publishInterval}) with algorithm.staleness, got ${steps}`,
        );
    }
  }
  if (control === "random" || control === "own")
    problems.push(
      `algorithm.staleness: is of other groups' params, and algorithm.control "${control}" has none of these; leave one out`,
    );
  if (consolidate) problems.push("algorithm.consolidate: must be left out with algorithm.staleness");
  if (record) problems.push("record: must be false with algorithm.staleness, whose groups wait for one another");
  return problems;
}

/** The exchange of such a group, and the step from which on it publishes: what teaches at the end of burn-in is older than that. */
export function exactly(options: Exactly, context: ExactContext) {
  const { staleness, burnInSteps } = options;
  const [publishInterval, interval] = [Number(options.publishInterval), Number(options.exchangeInterval)];
  const { log: onEvent, group } = context;
  const exact = exactExchange({ ...context, burnInSteps, interval, staleness, onEvent });
  const first = burnInSteps - staleness;
  const publishFrom = first >= 0 ? first : ((first % publishInterval) + publishInterval) % publishInterval;
  return { exchange: traced(exact, group, onEvent), publishFrom };
}
