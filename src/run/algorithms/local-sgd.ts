/** Local SGD and DiLoCo, in a configuration and in a run: workers that take steps of their own, and share params now and then. */
import { z } from "zod";
import { plain } from "../../baselines/plain.js";
import { type OuterStep, toTheMean } from "../../local-sgd/outer-step.js";
import { localStudent } from "../../local-sgd/student.js";
import { followApart } from "../../local-sgd/worker.js";
import type { Algorithm, Step } from "../../train/algorithm.js";
import type { Documented } from "../documented.js";
import type { AlgorithmContext, AlgorithmKind, Base, BaseContext, RunShape } from "./kind.js";

/**
 * Local SGD (Stich 2018): each of a group's `workers` takes `localSteps` steps by its own params and optimizer state, on its part of
 * each batch; then the mean of their params becomes everybody's. Groups train apart.
 *
 * @example
 * { kind: "localSgd", localSteps: 16 }
 */
export interface LocalSgdInput {
  readonly kind: "localSgd";
  /** Steps between two exchanges of params; 50 by default. */
  readonly localSteps?: number | undefined;
}

/**
 * DiLoCo (Douillard et al. 2023): as local SGD, but what all share moves by a step of SGD with Nesterov's momentum along the mean of
 * what the workers moved.
 *
 * @example
 * { kind: "diloco", localSteps: 500, outerLearningRate: 0.7, outerMomentum: 0.9 }
 */
export interface DilocoInput {
  readonly kind: "diloco";
  /** Steps between two exchanges of params; 50 by default. */
  readonly localSteps?: number | undefined;
  /** Learning rate of the outer step; 0.7 by default. At 1 with momentum 0 it is local SGD, to the bit. */
  readonly outerLearningRate?: number | undefined;
  /** Nesterov's momentum of the outer step, below 1; 0.9 by default. */
  readonly outerMomentum?: number | undefined;
}

// As many as between two snapshots of codistillation, so that two workers send as many bytes as two groups do.
const localSteps = z.int().positive().default(50);

const localSchema = z.strictObject({ kind: z.literal("localSgd"), localSteps });
const dilocoSchema = z.strictObject({
  kind: z.literal("diloco"),
  localSteps,
  outerLearningRate: z.number().positive().default(0.7),
  outerMomentum: z.number().nonnegative().lt(1).default(0.9),
});

type Local = z.output<typeof localSchema>;
type Diloco = z.output<typeof dilocoSchema>;

function problemsOf({ kind, localSteps }: Local | Diloco, { numSteps, record, ema }: RunShape): string[] {
  const problems: string[] = [];
  if (localSteps > numSteps)
    problems.push(`algorithm.localSteps: must be at most numSteps (${numSteps}), got ${localSteps}`);
  if (record)
    problems.push(`record: must be false with algorithm "${kind}", whose groups exchange no snapshots to record`);
  if (ema && kind === "diloco") {
    problems.push(
      'ema: must be left out with algorithm "diloco", as an average over the steps of workers knows nothing of the outer step',
    );
  }
  return problems;
}

/** The group's own worker and those that follow it, as a student. */
function baseOf(localSteps: number, outer: OuterStep, { startCrew, ...context }: BaseContext): Base {
  const crew = startCrew();
  const found = crew?.comm.size ?? 1;
  if (found !== context.workers) {
    throw new Error(`internal: a group of ${context.workers} workers has ${found}; runGroup is given startCrew`);
  }
  const student = localStudent({ ...context, crew, localSteps, outer });
  return { student, crew, validating: (validate) => (signal) => student.showing(() => validate(signal)) };
}

/** Plain training by the steps of the base, and a line in the log for each exchange. */
function start({ student, stream, numSteps, accumulate, group, log }: AlgorithmContext): Algorithm {
  async function* steps(signal: AbortSignal): AsyncGenerator<Step> {
    for await (const step of plain({ student, stream, numSteps, accumulate, signal })) {
      if (step.exchange) log({ event: "averaged", group, step: step.step, ...step.exchange });
      yield step;
    }
  }
  return { prepare: () => student.prepare(0, accumulate), steps, save: () => ({ info: {}, arrays: {} }) };
}

/** What both have alike. */
const alike = {
  problems: problemsOf,
  distillation: () => ({}),
  teachesFrom: () => null,
  follow: followApart,
  start: (_: unknown, context: AlgorithmContext) => start(context),
};

export const localSgd: AlgorithmKind<LocalSgdInput, Local, Local> = {
  schema: localSchema satisfies Documented<typeof localSchema, LocalSgdInput>,
  inSteps: (options) => options,
  declared: ({ localSteps }) => ({ localSteps }),
  base: async ({ localSteps }, context) => baseOf(localSteps, toTheMean, context),
  ...alike,
};

export const diloco: AlgorithmKind<DilocoInput, Diloco, Diloco> = {
  schema: dilocoSchema satisfies Documented<typeof dilocoSchema, DilocoInput>,
  inSteps: (options) => options,
  declared: ({ kind: _, ...options }) => options,
  base: async ({ localSteps, outerLearningRate, outerMomentum }, context) =>
    baseOf(localSteps, { learningRate: outerLearningRate, momentum: outerMomentum }, context),
  ...alike,
};
