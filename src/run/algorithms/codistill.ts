/** Codistillation in a configuration and in a run. */
import { z } from "zod";
import { codistill } from "../../codistill/codistill.js";
import { consolidating } from "../../codistill/consolidation.js";
import { ownTeacher, randomTeachers } from "../../codistill/control.js";
import { type Exchange, storeExchange } from "../../codistill/exchange.js";
import { replayExchange, traced } from "../../codistill/replay.js";
import { savedTeachers, saveTeachers } from "../../codistill/saved-teachers.js";
import { teachersOf } from "../../codistill/topology.js";
import { linearSchedule, type Schedule } from "../../optim/schedules.js";
import { fold } from "../../runtime/random.js";
import type { Documented } from "../documented.js";
import { type StepsOrShare, stepsOf, stepsOrShare } from "../steps.js";
import {
  type ConsolidateInput,
  consolidateInSteps,
  consolidateProblems,
  consolidateSchema,
  keepAt,
  rewarmed,
} from "./consolidate.js";
import { type Control, controlProblems } from "./control.js";
import { freshProblems } from "./fresh-inputs.js";
import type { AlgorithmContext, AlgorithmKind, RunShape } from "./kind.js";
import { interval, type LineInput, type WeightLineInput, weightLine } from "./lines.js";
import { exactly, stalenessProblems } from "./staleness.js";

/**
 * Codistillation (Anil et al. 2018): after a burn-in, each group also learns from the others' predictions. A single
 * group trains plainly.
 *
 * @example
 * { kind: "codistill", burnInSteps: "20%", distillWeight: 1, exchangeInterval: 50 }
 */
export interface CodistillInput {
  /** May be left out. */
  readonly kind?: "codistill" | undefined;
  /**
   * Steps before groups begin to teach one another, as a teacher must have learned something first: a number, or a
   * share of `numSteps`; "50%" by default.
   */
  readonly burnInSteps?: StepsOrShare | undefined;
  /** Weight of the distillation loss: a number, or a line; 1 by default. */
  readonly distillWeight?: number | WeightLineInput | undefined;
  /** Temperature of the distillation loss, by which the logits of student and teachers are divided; 1 by default. */
  readonly temperature?: number | undefined;
  /** "sum" (default): label loss + weight x distillation loss; "convex": (1 - weight) x label loss + weight x distillation loss. */
  readonly mix?: "sum" | "convex" | undefined;
  /**
   * "float32" (default), or "int8": teachers multiply in whole numbers of 8 bits, which costs less where
   * layers are wide.
   */
  readonly teacherPrecision?: "float32" | "int8" | undefined;
  /**
   * Above 0 and at most 1: teachers see this share of each batch, the first rows or texts, and the distillation loss is the mean over
   * these; 1 by default.
   */
  readonly distillShare?: number | undefined;
  /**
   * From 0 (default) to below 1, of tables: the distillation loss is of a copy of the batch in which each value is, with this
   * probability, that of another row; the label loss stays that of the batch. 0.3 is usual.
   */
  readonly freshInputs?: number | undefined;
  /**
   * Weight, beside the distillation loss, of how far the last hidden layers of the student and its teachers are apart: in which rows of
   * the batch they see as alike, 0 to 1. 0 by default.
   */
  readonly gramWeight?: number | undefined;
  /** Steps between two snapshots that a group publishes: a number, or a line; 50 by default. */
  readonly publishInterval?: number | LineInput | undefined;
  /** Steps between two looks for newer snapshots of the teachers: a number, or a line; 50 by default. */
  readonly exchangeInterval?: number | LineInput | undefined;
  /** A snapshot of a teacher is used until the student has known it for more than this many steps; 1,000 by default. */
  readonly maxStaleness?: number | undefined;
  /**
   * For studies: teachers are the others' params of exactly so many steps before, taken every `exchangeInterval` steps, for which groups
   * wait; a multiple of `publishInterval`. By default a teacher is the newest snapshot that has arrived, and nobody waits.
   */
  readonly staleness?: number | undefined;
  /** Who teaches whom: a name ("all" by default), `{ degree }` for that many random teachers each, or the list of each group's teachers. */
  readonly topology?:
    | "all"
    | "ring"
    | "pairs"
    | { readonly degree: number }
    | readonly (readonly number[])[]
    | undefined;
  /** How many of its newest snapshots a group leaves in the store; 10 by default. */
  readonly keepSnapshots?: number | undefined;
  /** Let each group end as a student of snapshots of all of them, its own included; `{}` for its defaults, none where it is left out. */
  readonly consolidate?: ConsolidateInput | undefined;
  /**
   * A control in place of codistillation, to compare it with: teachers of weights that are "random" and never learn; the others'
   * predictions "shuffled" over the rows of a batch; or one's "own" params as they were last published. Off by default.
   */
  readonly control?: Control | undefined;
}

export const codistillSchema = z.strictObject({
  kind: z.literal("codistill").default("codistill"),
  burnInSteps: stepsOrShare.default("50%"),
  distillWeight: z
    .union([z.number().nonnegative(), weightLine], "must be a number >= 0 or { from, to, steps }")
    .default(1),
  temperature: z.number().positive().default(1),
  mix: z.enum(["sum", "convex"]).default("sum"),
  teacherPrecision: z.enum(["float32", "int8"]).default("float32"),
  distillShare: z.number().positive().max(1).default(1),
  freshInputs: z.number().nonnegative().lt(1).default(0),
  gramWeight: z.number().nonnegative().default(0),
  publishInterval: interval.default(50),
  exchangeInterval: interval.default(50),
  maxStaleness: z.int().positive().default(1000),
  staleness: z.int().nonnegative().optional(),
  topology: z
    .union(
      [
        z.enum(["all", "ring", "pairs"]),
        z.strictObject({ degree: z.int().positive() }),
        z.array(z.array(z.int().nonnegative())),
      ],
      'must be "all", "ring", "pairs", { degree } or a list of teachers for each group',
    )
    .default("all"),
  keepSnapshots: z.int().min(2).default(10),
  consolidate: consolidateSchema.optional(),
  control: z.enum(["random", "shuffled", "own"]).optional(),
});

type Parsed = z.output<typeof codistillSchema>;
type Options = ReturnType<typeof inSteps>;

/** Shares of numSteps as steps, a constant weight as a line. */
function inSteps({ consolidate, ...parsed }: Parsed, numSteps: number) {
  const weight = parsed.distillWeight;
  const line = typeof weight === "number" ? { from: weight, to: weight, steps: 0 } : weight;
  const lineInSteps = (value: z.output<typeof interval>) =>
    typeof value === "number" ? value : { ...value, steps: stepsOf(value.steps, numSteps) };
  return {
    ...parsed,
    burnInSteps: stepsOf(parsed.burnInSteps, numSteps),
    distillWeight: { ...line, steps: stepsOf(line.steps, numSteps) },
    publishInterval: lineInSteps(parsed.publishInterval),
    exchangeInterval: lineInSteps(parsed.exchangeInterval),
    ...(consolidate && { consolidate: consolidateInSteps(consolidate, numSteps) }),
  };
}

function problemsOf(options: Options, run: RunShape): string[] {
  const { numGroups, numSteps, task } = run;
  const problems: string[] = [];
  const { topology, temperature } = options;
  if (Array.isArray(topology)) {
    const given = topology.length;
    if (given !== numGroups)
      problems.push(`algorithm.topology: must list the teachers of each of ${numGroups} groups, got ${given} lists`);
    for (const [group, teachers] of topology.entries()) {
      const wrong = teachers.find(
        (teacher, i) => teacher === group || teacher >= numGroups || teachers.indexOf(teacher) < i,
      );
      if (wrong !== undefined)
        problems.push(`algorithm.topology.${group}: must hold other groups, each once, got ${wrong}`);
    }
  }
  if (options.mix === "convex" && Math.max(options.distillWeight.from, options.distillWeight.to) > 1) {
    problems.push('algorithm.distillWeight: must be at most 1 when algorithm.mix is "convex"');
  }
  const { distillShare } = options;
  const batchSize = run.globalBatchSize / run.accumulate / run.workers;
  if (Number.isInteger(batchSize) && !isWhole(distillShare * batchSize)) {
    problems.push(
      `algorithm.distillShare: must leave a whole number of the ${batchSize} examples that a worker has at once, got ${distillShare}, which leaves ${distillShare * batchSize}`,
    );
  }
  if (options.burnInSteps > numSteps) {
    problems.push(`algorithm.burnInSteps: must be at most numSteps (${numSteps}), got ${options.burnInSteps}`);
  }
  if (task.kind === "regression" && temperature !== 1) {
    problems.push(
      `algorithm.temperature: softens probabilities, which task "regression" has none of; leave it out, got ${temperature}`,
    );
  }
  problems.push(...controlProblems(options, run), ...stalenessProblems(options, run));
  if (options.freshInputs > 0) problems.push(...freshProblems(options.freshInputs, run));
  if (options.consolidate) {
    const { publishInterval, exchangeInterval, burnInSteps } = options;
    const intervals = [publishInterval, exchangeInterval].map((one) =>
      typeof one === "number" ? one : Math.max(one.from, one.to),
    );
    const numTeachers = Math.max(...groupsOf(run).map((group) => teachersOf(topology, group, numGroups).length));
    problems.push(...consolidateProblems(options.consolidate, { numSteps, burnInSteps, numTeachers, intervals }));
  }
  return problems;
}

function groupsOf({ numGroups }: RunShape): number[] {
  return Array.from({ length: numGroups }, (_, group) => group);
}

/** Whether a number is a whole one, but for the rounding of a share as 0.1. */
function isWhole(number: number): boolean {
  return Math.round(number) > 0 && Math.abs(number - Math.round(number)) < 1e-9 * number;
}

/**
 * Codistillation of one group: its loop, and its exchange through the store, or in a replay the exchange of the
 * recorded run.
 */
function start(options: Options, context: AlgorithmContext) {
  const { student, stream, numSteps, accumulate } = context;
  const { burnInSteps, distillWeight: line } = options;
  const teachers = teachersOf(options.topology, context.group, context.numGroups, fold(context.seed, "topology"));
  const weight = linearSchedule(line.from, line.to, line.steps);
  const { consolidate } = options;
  const isConsolidating = (step: number) => consolidate !== undefined && step >= consolidate.from;
  const loop = (exchange: Exchange, signal: AbortSignal, publishFrom?: number) =>
    codistill({
      publishFrom,
      ...{ student, stream, exchange, numSteps, accumulate, burnInSteps, signal },
      publishInterval: intervalOf(options.publishInterval),
      exchangeInterval: intervalOf(options.exchangeInterval),
      distillWeight: (step) => (isConsolidating(step) ? (consolidate?.weight ?? 0) : weight(step - burnInSteps)),
      mix: (step) => (isConsolidating(step) && consolidate?.mix !== options.mix ? consolidate?.mix : undefined),
    });
  const prepare = () => student.prepare(teachers.length, accumulate);
  if (context.replay) {
    const exchange = replayExchange({ ...context.replay, model: context.model, fromStep: context.fromStep });
    return { prepare, steps: (signal: AbortSignal) => loop(exchange, signal), save: () => saveTeachers([]) };
  }
  const { store, group, model, incarnation, starts, isAlike, log } = context;
  const { known = [], kept = [] } = context.saved ? savedTeachers(context.saved) : {};
  const { control, staleness } = options;
  if (staleness !== undefined && teachers.length > 0) {
    const { exchange, publishFrom } = exactly({ ...options, staleness }, { ...context, teachers, known });
    const idle = exchange.idle;
    return {
      ...{ prepare, idle, save: () => saveTeachers(exchange.known()) },
      steps: (signal: AbortSignal) => loop(exchange, signal, publishFrom),
    };
  }
  if (control === "random" || control === "own") {
    const groups = teachers.length > 0 ? teachers : [group];
    const key = fold(context.seed, "control");
    const exchange = control === "own" ? ownTeacher(group, known) : randomTeachers(model, groups, fold(key, group));
    const ready = () => student.prepare(control === "own" ? 1 : groups.length, accumulate);
    return {
      ...{ prepare: ready, save: () => saveTeachers(exchange.known()) },
      steps: (signal: AbortSignal) => loop(exchange, signal),
    };
  }
  const live = storeExchange({
    ...options,
    ...{ store, group, model, incarnation, starts, isAlike, teachers, known, onEvent: log },
    fetchesOwn: consolidate !== undefined,
  });
  const consolidated =
    consolidate &&
    consolidating(live, {
      ...{ group, numGroups: context.numGroups, model, isAlike, kept, onEvent: log },
      from: [...teachers, group].sort((a, b) => a - b),
      keepAt: keepAt(consolidate),
    });
  // Teachers that err on purpose are not judged.
  const unjudged = control === undefined ? live : { ...live, observe() {} };
  const exchange = traced(consolidated ?? unjudged, group, log);
  return {
    prepare,
    steps: (signal: AbortSignal) => loop(exchange, signal),
    save: () => saveTeachers(exchange.known(), consolidated?.kept()),
    validated: exchange.validated,
    share: async () => exchange.publish?.(student.step, await student.params()),
    idle: exchange.idle,
  };
}

const intervalOf = (interval: Options["publishInterval"]): number | Schedule =>
  typeof interval === "number" ? interval : linearSchedule(interval.from, interval.to, interval.steps);

export const codistillation: AlgorithmKind<CodistillInput, Parsed, Options> = {
  schema: codistillSchema satisfies Documented<typeof codistillSchema, CodistillInput>,
  inSteps,
  problems: problemsOf,
  declared: ({ burnInSteps, control }) => ({ burnInSteps, ...(control && { control }) }),
  distillation: (
    { temperature, mix, teacherPrecision, distillShare, freshInputs, gramWeight, control },
    batchSize,
  ) => ({
    ...{ temperature, mix, teacherPrecision, freshInputs, gramWeight },
    ...((distillShare < 1 || control === "shuffled") && {
      taught: {
        ...{ first: Math.round(distillShare * batchSize), of: batchSize },
        ...(control === "shuffled" && { isShuffled: true }),
      },
    }),
  }),
  teachesFrom: ({ burnInSteps }) => burnInSteps,
  learningRate: ({ consolidate }, configured, run) =>
    consolidate ? rewarmed(consolidate, configured, run) : configured,
  start,
};
