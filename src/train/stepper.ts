/** Steppers, which take one optimizer step on an engine: as one graph, or as gradients of parts and then the update. */

import { labelsName } from "../data/batch.js";
import type { Engine, Program } from "../engine/engine.js";
import { type NamedArrays, scalar, zeros } from "../runtime/array.js";
import type { Closable } from "../runtime/closable.js";
import { mapValues, withPrefix } from "../runtime/named.js";
import { accumulateGraph, applyGraph, carriedSpecs, type Learner, stateNames, stepGraph } from "./graphs.js";
import { programCache } from "./program-cache.js";

export interface StepInput {
  /** The inputs and labels of each part. Several parts together make one step on all their rows. */
  readonly parts: readonly NamedArrays[];
  readonly numTeachers: number;
  readonly distillWeight: number;
  /** The scalars of the optimizer, by name. */
  readonly scalars: NamedArrays;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The scalars that a step puts out, by name: `labelLoss`, `squaredGradNorm`, and with teachers `distillLoss`,
 * `divergence` and their statistics.
 */
export type StepRecord = ReadonlyMap<string, number>;

/**
 * For how many teachers programs are compiled ahead; one for more is compiled by the step that first needs it. There is one for
 * each number of teachers, and those for all numbers up to 63 together hold hundreds of megabytes.
 */
export const MOST_AHEAD = 8;

export interface Stepper extends Pick<Closable, "close"> {
  /**
   * Compile the programs of a step without teachers, and then in the background those for 1 to `maxTeachers` teachers,
   * at most {@link MOST_AHEAD}: a step waits only when the program it needs is not ready.
   */
  prepare(maxTeachers: number): Promise<void>;
  /**
   * Take a step, unless a loss or the norm of the gradient is not finite: then nothing changes. When the signal cancels it, it
   * rejects with the signal's reason, and nothing has changed either.
   */
  run(input: StepInput): Promise<StepRecord>;
}

/** Workers that take a step together: they add up their gradients and losses over all workers. */
export interface Workers {
  /** The sums of some numbers over all workers. */
  sum(numbers: readonly number[], signal?: AbortSignal): Promise<readonly number[]>;
  /** Replace state tensors of these names, at every worker, by their sums over all workers. */
  reduce(names: readonly string[], signal?: AbortSignal): Promise<void>;
}

/** One worker: its own sums are those of all. */
const oneWorker: Workers = {
  sum: async (numbers) => numbers,
  reduce: async () => {},
};

/** The whole step of one part in one graph. */
export function fusedStepper(engine: Engine, learner: Learner): Stepper {
  const programs = programCache(engine);
  const program = (numTeachers: number) => programs.get(String(numTeachers), () => stepGraph(learner, numTeachers));
  return {
    prepare: (maxTeachers) => prepareAll(maxTeachers, program),
    async run({ parts, signal, ...input }) {
      const { run } = await program(input.numTeachers);
      return recordOf([await run({ ...parts[0], ...teacherFeeds(input), ...input.scalars }, { signal })]);
    },
    close: programs.close,
  };
}

/**
 * A stepper that adds up the gradients of each part over the parts and over all workers, and then updates by their
 * mean: the step that a single batch of all rows would take. Parts have equally many rows; where labels have weights,
 * or some do not count, the label loss of a part counts by the weight of its labels.
 */
export function splitStepper(engine: Engine, learner: Learner, workers: Workers = oneWorker): Stepper {
  const { labelWeight } = learner.objective;
  const programs = programCache(engine);
  const accumulate = (numTeachers: number) =>
    programs.get(`accumulate ${numTeachers}`, () => accumulateGraph(learner, numTeachers));
  const apply = (numTeachers: number) => {
    const numStates = learner.model.state ? numTeachers : 0;
    return programs.get(`apply ${numStates}`, () => applyGraph(learner, numStates));
  };
  const sumNames = [...Object.keys(withPrefix(stateNames.gradSum, learner.model.params)), stateNames.lossSum];
  /** The number of teachers for which the engine holds running sums; null when it holds none that are whole. */
  let sumsAreKeptFor: number | null = null;

  /** By how much the label loss of each part counts, 1 on average over all parts of all workers. */
  async function sharesOf(parts: readonly NamedArrays[], signal: AbortSignal | undefined) {
    const weights = parts.map((part) => labelWeight?.(part[labelsName]?.data as ArrayLike<number>) ?? 1);
    const own = weights.reduce((total, weight) => total + weight, 0);
    const [total = 0, numParts = 0] = await workers.sum([own, parts.length], signal);
    return { shares: weights.map((weight) => (total > 0 ? (weight * numParts) / total : 1)), numParts };
  }

  return {
    prepare: async (maxTeachers) => {
      await Promise.all([prepareAll(maxTeachers, accumulate), apply(0)]);
    },
    async run({ parts, signal, ...input }) {
      const [first, last] = [await accumulate(input.numTeachers), await apply(input.numTeachers)];
      if (sumsAreKeptFor !== input.numTeachers) {
        const specs = sumSpecs(learner, input.numTeachers);
        await engine.write(
          mapValues(specs, ({ shape }) => zeros(shape)),
          { memory: "given" },
        );
      }
      // A step that does not end leaves sums that are not whole.
      sumsAreKeptFor = null;
      const { shares, numParts } = await sharesOf(parts, signal);
      const results: NamedArrays[] = [];
      for (const [i, part] of parts.entries()) {
        const share = labelWeight ? { labelShare: scalar(shares[i] as number) } : {};
        const feeds = { ...part, ...share, ...teacherFeeds(input), keepSum: scalar(i === 0 ? 0 : 1) };
        results.push(await first.run(feeds, { signal }));
      }
      await workers.reduce(sumNames, signal);
      const applied = await last.run({ numBatches: scalar(numParts), ...input.scalars }, { signal });
      sumsAreKeptFor = input.numTeachers;
      return recordOf([...results, applied], shares);
    },
    close: programs.close,
  };
}

async function prepareAll(maxTeachers: number, program: (numTeachers: number) => Promise<Program>): Promise<void> {
  await program(0);
  const others = async () => {
    for (let numTeachers = 1; numTeachers <= Math.min(maxTeachers, MOST_AHEAD); numTeachers++)
      await program(numTeachers);
  };
  // A program that failed to compile is compiled again by the step that needs it, which then reports why.
  others().catch(() => undefined);
}

function teacherFeeds({ numTeachers, distillWeight }: Pick<StepInput, "numTeachers" | "distillWeight">): NamedArrays {
  return numTeachers > 0 ? { distillWeight: scalar(distillWeight) } : {};
}

/** Scalars by name: the mean over the results that have one, of label losses by their shares. */
function recordOf(results: readonly NamedArrays[], shares: readonly number[] = []): StepRecord {
  const names = new Set(results.flatMap((result) => Object.keys(result)));
  return new Map(
    [...names].map((name) => {
      const values = results.flatMap((result, i) => {
        const value = result[name]?.data[0];
        const share = name === "labelLoss" ? (shares[i] ?? 1) : 1;
        return value === undefined ? [] : [share * Number(value)];
      });
      return [name, values.reduce((sum, value) => sum + value, 0) / values.length];
    }),
  );
}

/** The running sums of a step, and the tensors that are carried from part to part. */
function sumSpecs({ model }: Learner, numTeachers: number): Record<string, { readonly shape: readonly number[] }> {
  const grads = withPrefix(stateNames.gradSum, model.params);
  return {
    ...grads,
    [stateNames.lossSum]: { shape: [] },
    ...withPrefix(stateNames.after, carriedSpecs(model, numTeachers)),
  };
}
