/** What the runs of a search for the limit train: changes of one configuration. */
import { resolveConfig } from "../../run/config.js";
import { learningRateFor } from "../../run/optimizer.js";
import type { RunConfig } from "../../run/schema.js";
import type { PlannedArm } from "./plan.js";
import { rateOf, type ScaleQuestion } from "./question.js";

/** Examples of a step are trained in at most so many parts: more of them take longer, and none is larger than it must be. */
const MOST_PARTS = 8;
/** A run is validated so often up to its horizon, so that the step of its target is known. */
const VALIDATIONS = 20;
/** Step events between two validations, so that most of them have none in their time. */
const EVENTS = 4;

/** The learning rate of a configuration for a worker's batch. */
export function ownRate({ optimizer }: RunConfig, workerBatch: number): number {
  return learningRateFor(optimizer, workerBatch);
}

/**
 * The configuration of a run of the search: one group on all data, which trains alone at a constant learning rate after its warm-up, so
 * that the steps to the target do not depend on how many were planned; without an average of params, whose length suits one number of
 * steps. Several workers are as many parts of a step, which is the same step to rounding; as many of them as the configuration has
 * workers are threads. Throws {@link ConfigError} where that is no configuration.
 */
export function armConfig(base: RunConfig, question: ScaleQuestion, arm: PlannedArm): RunConfig {
  const { workers, doublings, seed, numSteps, horizon } = arm;
  const parts = partsOf(base, workers);
  const interval = Math.max(1, Math.min(base.validationInterval, Math.floor(horizon / VALIDATIONS)));
  return resolveConfig({
    ...base,
    data: { ...base.data, regime: "all" },
    algorithm: { kind: "plain" },
    numGroups: 1,
    seed,
    numSteps,
    globalBatchSize: workers * question.workerBatch,
    ...parts,
    noiseScale: parts.accumulate * parts.workers > 1,
    optimizer: {
      ...base.optimizer,
      learningRate: rateOf(question, doublings),
      forBatch: undefined,
      schedule: "constant",
      warmUp: warmUpOf(base, Math.min(1, horizon / question.numSteps), numSteps),
    },
    validationInterval: interval,
    logInterval: Math.max(1, Math.min(base.logInterval, Math.floor(interval / EVENTS))),
    stopAtLoss: question.target ?? undefined,
    ema: undefined,
    earlyStopping: undefined,
    timeLimit: undefined,
    record: false,
  });
}

/**
 * How a step of so many workers is cut: none where sums of gradients are of whole tables, which sparse updates have not; as finely as the
 * configuration has it where it accumulates to save memory.
 */
export function partsOf({ workers: threads, accumulate, optimizer }: RunConfig, workers: number) {
  if (optimizer.sparseParams?.length) return { accumulate: 1, workers: 1 };
  const partsFor = (n: number) => (accumulate > 1 ? n * accumulate : largestDivisor(n));
  if (threads > 1 && workers % threads === 0) return { workers: threads, accumulate: partsFor(workers / threads) };
  return { workers: 1, accumulate: partsFor(workers) };
}

function largestDivisor(n: number): number {
  for (let divisor = Math.min(n, MOST_PARTS); divisor > 1; divisor--) if (n % divisor === 0) return divisor;
  return 1;
}

function warmUpOf({ optimizer }: RunConfig, share: number, numSteps: number) {
  const warmUp = optimizer.warmUp as number | { readonly steps: number } | undefined;
  const scaled = (steps: number) => Math.min(numSteps, Math.round(share * steps));
  if (warmUp === undefined) return undefined;
  return typeof warmUp === "number" ? scaled(warmUp) : { ...warmUp, steps: scaled(warmUp.steps) };
}

/** Options of a configuration that are numbers of steps, beside `numSteps`. */
const IN_STEPS = ["warmUp", "burnInSteps", "steps", "every", "peakAt", "at", "publishInterval", "exchangeInterval"];
/** Snapshots and looks for them in a run, at the least. */
const EXCHANGES = 40;

/** The share of a run's own steps that workers at the limit take to the target, beside those of the first number of workers. */
export interface AtLimit {
  readonly workers: number;
  readonly rate: number;
  /** Steps at the limit over steps at the beginning of the search, at most 1. */
  readonly share: number;
}

/**
 * The configuration of two groups at the limit, with its own schedule again: so many workers, and all that is counted in steps in
 * proportion to how many fewer they take; all teach one another, and nothing is consolidated.
 */
export function limitConfig(base: RunConfig, question: ScaleQuestion, { workers, rate, share }: AtLimit): RunConfig {
  const numSteps = Math.max(EXCHANGES, Math.round(share * question.numSteps));
  const scaled = numSteps / question.numSteps;
  const interval = (steps: number) => Math.max(1, Math.round(scaled * steps));
  const often = Math.max(1, Math.min(50, Math.floor(numSteps / EXCHANGES)));
  const algorithm =
    base.algorithm.kind === "codistill"
      ? { ...inProportion(base.algorithm, scaled), topology: "all", consolidate: undefined }
      : { kind: "codistill", publishInterval: often, exchangeInterval: often };
  return resolveConfig({
    ...base,
    algorithm,
    numGroups: 2,
    numSteps,
    globalBatchSize: workers * question.workerBatch,
    ...partsOf(base, workers),
    optimizer: { ...inProportion(base.optimizer, scaled), learningRate: rate, forBatch: undefined },
    validationInterval: interval(base.validationInterval),
    checkpointInterval: Math.max(interval(base.checkpointInterval), interval(base.validationInterval)),
    logInterval: Math.min(base.logInterval, interval(base.validationInterval)),
    ...(base.ema && { ema: { decay: base.ema.decay ** (1 / scaled) } }),
    timeLimit: undefined,
  });
}

/** A record whose numbers of steps are so many times as many, and at least 1 where they were. */
function inProportion<T>(value: T, scaled: number, name = ""): T {
  if (typeof value === "number") {
    const isOfSteps = IN_STEPS.includes(name) && value > 0;
    return (isOfSteps ? Math.max(1, Math.round(scaled * value)) : value) as T;
  }
  if (Array.isArray(value)) return value.map((one) => inProportion(one, scaled, name)) as T;
  if (typeof value !== "object" || value === null) return value;
  // The ends of a line of intervals are intervals.
  const nameOf = (key: string) => (name.endsWith("Interval") && key !== "steps" ? name : key);
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, inProportion(part, scaled, nameOf(key))]),
  ) as T;
}
