/** Steppers, which take one optimizer step on an engine: as one graph, or as gradients of parts and then the update. */

import { type Communicator, soleWorker } from "../comm/communicator.js";
import { labelsName, weightsName } from "../data/batch.js";
import type { Engine, Program } from "../engine/engine.js";
import type { WorkerUse } from "../log/events.js";
import { type NamedArrays, scalar, zeros } from "../runtime/array.js";
import type { Closable } from "../runtime/closable.js";
import { flatLength, viewsIn } from "../runtime/flat.js";
import { mapValues, named, underPrefix } from "../runtime/named.js";
import {
  accumulateGraph,
  applyGraph,
  type Distillation,
  type Learner,
  stateNames,
  stepGraph,
  sumSpecs,
} from "./graphs.js";
import { programCache } from "./program-cache.js";
import { inTeacherPrecision } from "./teacher-precision.js";

export interface StepInput {
  /** The inputs and labels of each part, and its states. Several parts together make one step on all their rows. */
  readonly parts: readonly NamedArrays[];
  readonly numTeachers: number;
  readonly distillWeight: number;
  /** How the distillation loss joins the label loss in this step, where that is not as the learner says. */
  readonly mix?: Distillation["mix"] | undefined;
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

/** What a step came to. */
export interface StepResult {
  readonly record: StepRecord;
  /** Of each worker, by rank; none of a step that one worker takes alone. */
  readonly workers: readonly WorkerUse[];
  /** The states after each part that was fed some, named as they were fed; left out where the step changed nothing. */
  readonly states?: readonly NamedArrays[];
}

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
  run(input: StepInput): Promise<StepResult>;
}

/** The whole step of one part in one graph. */
export function fusedStepper(engine: Engine, learner: Learner): Stepper {
  const programs = programCache(engine);
  const program = (numTeachers: number, mix?: Distillation["mix"]) =>
    programs.get(programName(numTeachers, mix), () =>
      inTeacherPrecision(learner, stepGraph(mixedBy(learner, mix), numTeachers)),
    );
  return {
    prepare: (maxTeachers) => prepareAll(maxTeachers, (numTeachers) => program(numTeachers)),
    async run({ parts, signal, ...input }) {
      const { run } = await program(input.numTeachers, input.mix);
      const result = await run({ ...parts[0], ...teacherFeeds(input), ...input.scalars }, { signal });
      return { record: recordOf([result]), workers: [] };
    },
    close: programs.close,
  };
}

/** Who takes a step together. */
export interface StepWorkers {
  readonly comm: Communicator;
  /** The engine that computes the update; null where another worker does, on state tensors that both see. */
  readonly updater: Engine | null;
}

/**
 * The gradients of each part, added up over the parts and over all workers, and then the update by their mean: the step that one
 * batch of all rows would be. Parts have equally many rows; where labels weigh differently, or some do not count, the label loss
 * of a part counts by the weight of its labels. Each part begins with the buffers of the step before, and their mean is kept.
 *
 * Part i of worker r of n is part i n + r of the step, and sums are taken in this order: so n workers with A parts each take the
 * same step, to the bit, as one worker with n A parts.
 */
export function splitStepper(
  engine: Engine,
  learner: Learner,
  { comm, updater }: StepWorkers = { comm: soleWorker(), updater: engine },
): Stepper {
  const { labelWeight } = learner.objective;
  const programs = programCache(engine);
  const updates = updater && programCache(updater);
  const accumulate = (numTeachers: number, mix?: Distillation["mix"], isLater = false) =>
    programs.get(`accumulate ${programName(numTeachers, mix)}${isLater ? " later" : ""}`, () =>
      inTeacherPrecision(learner, accumulateGraph(mixedBy(learner, mix), numTeachers, isLater)),
    );
  const apply = async () => updates?.get("apply", () => applyGraph(learner));
  const { buffers = {}, state } = learner.model;
  const hasBuffers = Object.keys(buffers).length > 0;
  let areSumsKept = false;

  /** Let the engines keep the sums, where the other workers see them if there are others. */
  async function keepSums(): Promise<void> {
    const empty = mapValues(sumSpecs(learner.model), ({ shape }) => zeros(shape));
    if (comm.size === 1) return engine.write(empty, { memory: "given" });
    const sums = viewsIn(comm.memory, sumSpecs(learner.model));
    comm.memory.fill(0);
    await engine.adopt(sums);
    if (updater !== engine) await updater?.adopt(sums);
  }

  /** By how much the label loss of each part of all workers counts, 1 on average. */
  async function sharesOf(parts: readonly NamedArrays[]): Promise<readonly number[]> {
    if (!labelWeight) return [];
    const own = parts.map(({ [labelsName]: labels, [weightsName]: weights }) => [
      labelWeight(labels?.data as ArrayLike<number>, weights?.data as ArrayLike<number> | undefined),
    ]);
    const weights = (await everyones(comm, own)).map(([weight = 0]) => weight);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => (total > 0 ? (weight * weights.length) / total : 1));
  }

  return {
    prepare: async (maxTeachers) => {
      await Promise.all([prepareAll(maxTeachers, (numTeachers) => accumulate(numTeachers)), apply()]);
    },
    async run({ parts, signal, ...input }) {
      const first = await accumulate(input.numTeachers, input.mix);
      // The others write their own part alone: what all added up before goes on in the sums of the leader.
      const isSumming = parts.length > 1 && comm.rank === 0;
      const later = isSumming ? await accumulate(input.numTeachers, input.mix, true) : first;
      const last = await apply();
      if (!areSumsKept) await keepSums();
      // Of a step that does not come to its end the sums are lost.
      areSumsKept = false;
      const shares = await sharesOf(parts);
      const numParts = parts.length * comm.size;
      const partShare = scalar(1 / numParts);
      const results: NamedArrays[] = [];
      const seconds = { compute: 0, reduce: 0 };
      for (const [i, part] of parts.entries()) {
        const share = labelWeight ? { labelShare: scalar(shares[i * comm.size + comm.rank] as number) } : {};
        const feeds = { ...part, ...share, ...teacherFeeds(input), partShare };
        const { run } = i === 0 ? first : later;
        seconds.compute += await secondsOf(async () => results.push(await run(feeds, { signal })));
        if (comm.size > 1) seconds.reduce += await secondsOf(() => comm.reduce(comm.memory, 0));
      }
      const records = await recordsOf(comm, results);
      const workers = comm.size === 1 ? [] : await everyones(comm, [[seconds.compute, seconds.reduce]]);
      const numBatches = hasBuffers ? { numBatches: scalar(numParts) } : {};
      const { isTaken, ...applied } = (await last?.run({ ...numBatches, ...input.scalars }, { signal })) ?? {};
      areSumsKept = true;
      const goesOn = state !== undefined && (await isSaidByLeader(comm, isTaken?.data[0] === 1));
      return {
        record: recordOf([...records, applied], shares),
        workers: workers.map(([compute = 0, reduce = 0]) => ({ compute, reduce })),
        ...(goesOn && { states: results.map((result) => underPrefix(stateNames.after, result)) }),
      };
    },
    async close() {
      await Promise.all([programs.close(), updates?.close()]);
    },
  };
}

/** Numbers that all workers together keep of a step's sums: what their communicator has memory for. */
export function numSums({ model }: Pick<Learner, "model">): number {
  return flatLength(sumSpecs(model));
}

function programName(numTeachers: number, mix: Distillation["mix"]): string {
  return mix ? `${numTeachers} ${mix}` : String(numTeachers);
}

/** The learner, whose distillation loss joins the label loss in another way where one is given. */
function mixedBy(learner: Learner, mix: Distillation["mix"]): Learner {
  return mix ? { ...learner, distillation: { ...learner.distillation, mix } } : learner;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
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

/** Scalars by name. */
type Scalars = Readonly<Record<string, { readonly data: ArrayLike<number | bigint> }>>;

/** What the parts of all workers say of themselves, in the order of parts. */
async function recordsOf(comm: Communicator, results: readonly NamedArrays[]): Promise<readonly Scalars[]> {
  const names = Object.keys(results[0] ?? {}).filter((name) => !name.startsWith(`${stateNames.after}.`));
  if (comm.size === 1)
    return results.map((result) => Object.fromEntries(names.map((name) => [name, named(result, name)])));
  const numbers = await everyones(
    comm,
    results.map((result) => names.map((name) => Number(result[name]?.data[0]))),
  );
  return numbers.map((own) => Object.fromEntries(names.map((name, i) => [name, { data: [own[i] as number] }])));
}

/** The numbers of each part of all workers, in the order of parts, of which each worker has its own. */
export async function everyones(
  comm: Communicator,
  own: readonly (readonly number[])[],
): Promise<readonly (readonly number[])[]> {
  if (comm.size === 1) return own;
  const width = own[0]?.length ?? 0;
  const all = new Float64Array(own.length * comm.size * width);
  // Each worker adds nothing to the numbers of the others.
  for (const [i, numbers] of own.entries()) all.set(numbers, (i * comm.size + comm.rank) * width);
  await comm.allReduce(all);
  return Array.from({ length: own.length * comm.size }, (_, part) => [
    ...all.subarray(part * width, (part + 1) * width),
  ]);
}

/** What the leader says, which alone may know. */
async function isSaidByLeader(comm: Communicator, own: boolean): Promise<boolean> {
  const word = Uint8Array.of(Number(own));
  if (comm.size > 1) await comm.broadcast(word, 0);
  return word[0] === 1;
}

/** Scalars by name: the mean over the results that have one, of label losses by their shares. */
function recordOf(results: readonly Scalars[], shares: readonly number[] = []): StepRecord {
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
