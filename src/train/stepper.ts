/** How an engine takes one optimizer step: as one graph, or the gradients of parts first and then the update. */

import { labelsName } from "../data/batch.js";
import type { Engine, Program } from "../engine/engine.js";
import { type NamedArrays, scalar, zeros } from "../runtime/array.js";
import type { Closable } from "../runtime/closable.js";
import { mapValues, withPrefix } from "../runtime/named.js";
import { accumulateGraph, applyGraph, carriedSpecs, type Learner, stateNames, stepGraph } from "./graphs.js";
import { programCache } from "./program-cache.js";

export interface StepInput {
  /** What the model reads and the labels, of each part; several parts make the step of all their rows together. */
  readonly parts: readonly NamedArrays[];
  readonly numTeachers: number;
  readonly distillWeight: number;
  /** Those of the optimizer, by name. */
  readonly scalars: NamedArrays;
  readonly signal?: AbortSignal | undefined;
}

/** What a step says of itself, by name: `labelLoss`, `squaredGradNorm`, with teachers `distillLoss`, `divergence` and their statistics. */
export type StepRecord = ReadonlyMap<string, number>;

/**
 * For how many teachers programs are compiled ahead; one for more is compiled by the step that first needs it. There is one for
 * each number of teachers, and those for all numbers up to 63 together hold hundreds of megabytes.
 */
export const MOST_AHEAD = 8;

export interface Stepper extends Pick<Closable, "close"> {
  /**
   * Compile what a step without teachers needs, and in the background what it needs with up to so many, in that order and for
   * at most {@link MOST_AHEAD}: a step waits only for a program that is not ready when it is needed.
   */
  prepare(maxTeachers: number): Promise<void>;
  /**
   * Take a step, unless a loss or the norm of the gradient is not finite: then nothing changes. When the signal cancels it, it
   * rejects with the signal's reason, and nothing has changed either.
   */
  run(input: StepInput): Promise<StepRecord>;
}

/** Who takes a step together: what each of them adds up becomes the sum over all. */
export interface Workers {
  /** The sums of some numbers over all workers. */
  sum(numbers: readonly number[], signal?: AbortSignal): Promise<readonly number[]>;
  /** Put the sums of stateNames tensors over all workers in their place, at every worker the same. */
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
 * The gradients of each part, added up over the parts and over all workers, and then the update by their mean: the step that one
 * batch of all rows would be. Parts have equally many rows; where labels weigh differently, or some do not count, the label loss
 * of a part counts by the weight of its labels.
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
  /** For how many teachers the sums are kept; null for none at all. */
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
      // Of a step that does not come to its end the sums are lost.
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
  // The step that needs one that failed will say why.
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

/** What is added up over the parts of a step, and what goes from one to the next. */
function sumSpecs({ model }: Learner, numTeachers: number): Record<string, { readonly shape: readonly number[] }> {
  const grads = withPrefix(stateNames.gradSum, model.params);
  return {
    ...grads,
    [stateNames.lossSum]: { shape: [] },
    ...withPrefix(stateNames.after, carriedSpecs(model, numTeachers)),
  };
}
