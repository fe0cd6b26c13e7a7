/** The schema of a configuration's optimizer; `docs/optimizers.md` gives rules, sources and defaults. */
import { z } from "zod";
import { stepsOf, stepsOrShare } from "./steps.js";

const share = z.number().min(0).max(1);
const factor = z.number().positive().max(1);
const decayRate = z.number().min(0).lt(1);

/**
 * Learning rate by step, counted from the end of the warm-up. A schedule without `steps` lasts to the end of the run.
 */
const scheduleObject = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant") }),
  z.strictObject({ kind: z.literal("linear"), to: share.default(0), steps: stepsOrShare.optional() }),
  z.strictObject({ kind: z.literal("cosine"), to: share.default(0), steps: stepsOrShare.optional() }),
  z.strictObject({ kind: z.literal("step"), at: z.array(stepsOrShare).min(1), factor: factor.default(0.1) }),
  z.strictObject({ kind: z.literal("exponential"), factor, every: stepsOrShare }),
  z.strictObject({ kind: z.literal("inverseSquareRoot"), steps: stepsOrShare.default(10_000) }),
  z.strictObject({
    kind: z.literal("oneCycle"),
    peakAt: stepsOrShare.default("30%"),
    from: share.default(1 / 25),
    to: share.default(1e-4),
    steps: stepsOrShare.optional(),
  }),
]);

const schedule = z
  .union(
    [z.enum(["constant", "linear", "cosine"]), scheduleObject],
    'must be "constant", "linear", "cosine" or { kind, ... }',
  )
  .default("linear");

/** Weight decay: a rate, other rates by pattern, and patterns of params that do not decay, such as "*.bias". */
const weightDecay = z.union(
  [
    z.number().nonnegative(),
    z.strictObject({
      rate: z.number().nonnegative(),
      rates: z.record(z.string().min(1), z.number().nonnegative()).optional(),
      except: z.array(z.string().min(1)).default([]),
    }),
  ],
  "must be a number >= 0 or { rate, rates, except }",
);

const common = {
  learningRate: z.number().positive(),
  forBatch: z
    .strictObject(
      { rows: z.int().positive(), rule: z.enum(["linear", "squareRoot"]).default("linear") },
      {
        error: ({ code }) =>
          code === "invalid_type"
            ? "must be { rows }, the batch that learningRate is meant for, as { rows: 256 }"
            : undefined,
      },
    )
    .optional(),
  schedule,
  warmUp: z
    .union(
      [stepsOrShare, z.strictObject({ steps: stepsOrShare, from: share.default(0) })],
      'must be a whole number >= 0, a share of numSteps as in "5%", or { steps, from }',
    )
    .optional(),
  clip: z.strictObject({ value: z.number().positive().optional(), norm: z.number().positive().optional() }).optional(),
  multipliers: z.record(z.string().min(1), z.number().nonnegative()).optional(),
  sparseParams: z.array(z.string().min(1)).optional(),
};

/** Options of optimizers whose weight decay is coupled: part of the gradient. */
const coupled = { ...common, weightDecay: weightDecay.optional() };
/** Options of optimizers whose weight decay is decoupled: it does not pass through the moments. */
const decoupled = (rate: number) => ({ ...common, weightDecay: weightDecay.default(rate) });

const adamOptions = (epsilon: number) => ({
  beta1: decayRate.default(0.9),
  beta2: decayRate.default(0.999),
  epsilon: z.number().positive().default(epsilon),
});

/** The schema of `optimizer`. */
export const optimizerSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("adam"), ...coupled, ...adamOptions(1e-8) }),
  z.strictObject({ kind: z.literal("adamW"), ...decoupled(0.01), ...adamOptions(1e-8) }),
  z.strictObject({
    kind: z.literal("sgd"),
    ...coupled,
    momentum: decayRate.optional(),
    nesterov: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal("adagrad"),
    ...coupled,
    epsilon: z.number().positive().default(1e-10),
    initialSum: z.number().nonnegative().default(0),
  }),
  z.strictObject({
    kind: z.literal("rmsprop"),
    ...coupled,
    alpha: decayRate.default(0.99),
    epsilon: z.number().positive().default(1e-8),
    momentum: decayRate.optional(),
    centred: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal("lamb"),
    ...decoupled(0.01),
    ...adamOptions(1e-6),
    trustExcept: z.array(z.string().min(1)).default([]),
  }),
  z.strictObject({
    kind: z.literal("lars"),
    ...common,
    momentum: decayRate.default(0.9),
    coefficient: z.number().positive().default(0.001),
    weightDecay: weightDecay.default(0.0005),
  }),
  z.strictObject({
    kind: z.literal("lion"),
    ...decoupled(0),
    beta1: decayRate.default(0.9),
    beta2: z.number().positive().lt(1).default(0.99),
  }),
  z.strictObject({
    kind: z.literal("muon"),
    ...decoupled(0.01),
    ...adamOptions(1e-8),
    momentum: decayRate.default(0.95),
    adamFor: z.array(z.string().min(1)).default([]),
  }),
  z.strictObject({
    kind: z.literal("adafactor"),
    ...decoupled(0),
    relativeStep: z.boolean().default(true),
    maxRms: z.number().positive().default(1),
    minRms: z.number().positive().default(1e-3),
    decayExponent: z.number().positive().max(1).default(0.8),
    epsilon: z.number().positive().default(1e-30),
  }),
]);

/** An optimizer as it is configured, with its defaults. */
export type OptimizerConfig = z.output<typeof optimizerSchema>;

/**
 * A type with numbers of steps in place of shares of the run, which are the only free strings of a schedule or a
 * warm-up.
 */
type InSteps<T> = T extends object ? { [K in keyof T]: InSteps<T[K]> } : string extends T ? never : T;

type Timed<T> = { [K in keyof T]: K extends "schedule" | "warmUp" ? InSteps<T[K]> : T[K] };

/** An optimizer as a run has it: with steps, and without shares of numSteps. */
export type OptimizerInSteps = Timed<OptimizerConfig>;

/** Convert all shares of numSteps to steps. */
export function optimizerInSteps(optimizer: OptimizerConfig, numSteps: number): OptimizerInSteps {
  const { schedule, warmUp } = optimizer;
  return {
    ...optimizer,
    schedule: typeof schedule === "string" ? schedule : withSteps(schedule, numSteps),
    ...(warmUp !== undefined && {
      warmUp: typeof warmUp === "object" ? withSteps(warmUp, numSteps) : stepsOf(warmUp, numSteps),
    }),
  } as OptimizerInSteps;
}

/** A line for each broken rule that spans several options of an optimizer; none when all hold. */
export function optimizerProblems(optimizer: OptimizerInSteps, numSteps: number): string[] {
  const { schedule, warmUp = 0 } = optimizer;
  const problems: string[] = [];
  const warmUpSteps = typeof warmUp === "object" ? warmUp.steps : warmUp;
  if (warmUpSteps > numSteps)
    problems.push(`optimizer.warmUp: must be at most numSteps (${numSteps}), got ${warmUpSteps}`);
  else if (typeof schedule === "object" && schedule.kind === "oneCycle") {
    const { peakAt, steps: length = numSteps - warmUpSteps } = schedule;
    // A cycle of one step consists of its end, and a warm-up would rise to the learning rate of that end.
    if (length < 2 && schedule.steps !== undefined)
      problems.push(`optimizer.schedule.steps: must be at least 2 for a cycle, got ${length}`);
    else if (length < 2 && warmUpSteps > 0)
      problems.push(
        `optimizer.warmUp: must leave at least 2 of numSteps (${numSteps}) to the schedule "oneCycle", got ${warmUpSteps}; ` +
          "shorten it or raise numSteps",
      );
    else if (peakAt > length)
      problems.push(`optimizer.schedule.peakAt: must be at most the schedule's steps (${length}), got ${peakAt}`);
  }
  if (optimizer.kind === "lars" && typeof optimizer.weightDecay === "object" && optimizer.weightDecay.rates)
    problems.push('optimizer.weightDecay.rates: "lars" has one rate for all params; leave it out');
  if (optimizer.kind === "sgd" && optimizer.nesterov && !optimizer.momentum)
    problems.push("optimizer.nesterov: needs optimizer.momentum, as 0.9");
  return problems;
}

/** A record with its shares of numSteps converted to steps. */
function withSteps<T extends object>(record: T, numSteps: number): InSteps<T> {
  const entries = Object.entries(record).map(([name, value]) => {
    if (name === "steps" || name === "every" || name === "peakAt") return [name, stepsOf(value, numSteps)];
    return name === "at" ? [name, value.map((at: number | string) => stepsOf(at, numSteps))] : [name, value];
  });
  return Object.fromEntries(entries);
}
