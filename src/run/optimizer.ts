/** From the optimizer's part of a configuration to a chain of transformations. */
import { ConfigError } from "../errors.js";
import { nearest } from "../nearest.js";
import type { DecayOptions } from "../optim/decay.js";
import { adafactor, adagrad, adam, adamW, lamb, lars, lion, muon, rmsprop, sgd } from "../optim/optimizers.js";
import { matches } from "../optim/patterns.js";
import {
  constantSchedule,
  cosineSchedule,
  exponentialSchedule,
  inverseSquareRootSchedule,
  linearSchedule,
  oneCycleSchedule,
  type Schedule,
  stepSchedule,
  withWarmUp,
} from "../optim/schedules.js";
import type { GradientTransformation } from "../optim/transformations.js";
import type { OptimizerInSteps } from "./optimizer-schema.js";

/** The optimizer of a run; `changed` makes another learning rate of the configured one and its peak. */
export function configuredOptimizer(
  {
    optimizer,
    numSteps,
    globalBatchSize,
  }: {
    readonly optimizer: OptimizerInSteps;
    readonly numSteps: number;
    readonly globalBatchSize: number;
  },
  changed: (learningRate: Schedule, peak: number) => Schedule = (learningRate) => learningRate,
): GradientTransformation {
  const learningRate = learningRateFor(optimizer, globalBatchSize);
  const rate = changed(configuredSchedule({ ...optimizer, learningRate }, numSteps), learningRate);
  const { clip = {}, multipliers = {}, sparseParams = [] } = optimizer;
  const decay = decayOf(optimizer);
  const common = { clip, multipliers, sparseParams };
  const all = { ...common, ...(decay && { decay }) };
  switch (optimizer.kind) {
    case "sgd":
      return sgd(rate, { ...all, momentum: optimizer.momentum ?? 0, isNesterov: optimizer.nesterov ?? false });
    case "adagrad":
      return adagrad(rate, { ...optimizer, ...all });
    case "rmsprop":
      return rmsprop(rate, { ...optimizer, momentum: optimizer.momentum ?? 0, isCentered: optimizer.centred, ...all });
    case "adam":
      return adam(rate, { ...optimizer, ...all });
    case "adamW":
      return adamW(rate, { ...optimizer, ...all });
    case "lamb":
      return lamb(rate, { ...optimizer, ...all, trust: { except: optimizer.trustExcept } });
    case "lars": {
      const { momentum, coefficient } = optimizer;
      return lars(rate, { ...common, momentum, coefficient, decay: decay?.rate ?? 0, except: decay?.except ?? [] });
    }
    case "lion":
      return lion(rate, { ...optimizer, ...all });
    case "muon":
      return muon(rate, { ...optimizer, ...all });
    case "adafactor":
      return adafactor(rate, { ...optimizer, isRelative: optimizer.relativeStep, ...all });
  }
}

/**
 * The learning rate of steps of so many examples. One that is meant for others grows with them: in proportion (Goyal et al. 2017),
 * which keeps what a pass over the data moves the params by; or with the square root of their ratio (Krizhevsky 2014), which keeps the
 * variance of a step.
 */
export function learningRateFor(
  { learningRate, forBatch }: Pick<OptimizerInSteps, "learningRate" | "forBatch">,
  globalBatchSize: number,
): number {
  if (!forBatch) return learningRate;
  const ratio = globalBatchSize / forBatch.rows;
  return learningRate * (forBatch.rule === "linear" ? ratio : Math.sqrt(ratio));
}

/** The learning rate by step: the warm-up, if any, and then the schedule, which by default lasts to the end of the run. */
export function configuredSchedule(
  { learningRate, schedule, warmUp = 0 }: Pick<OptimizerInSteps, "learningRate" | "schedule" | "warmUp">,
  numSteps: number,
): Schedule {
  const { steps, from } = typeof warmUp === "object" ? warmUp : { steps: warmUp, from: 0 };
  const after = scheduleOver(numSteps - steps, learningRate, schedule);
  return steps > 0 ? withWarmUp(after, steps, from) : after;
}

/** A schedule that lasts for `numSteps` steps unless it names its own `steps`. */
function scheduleOver(numSteps: number, rate: number, schedule: OptimizerInSteps["schedule"]): Schedule {
  const given = typeof schedule === "string" ? ({ kind: schedule, to: 0 } as const) : schedule;
  // At least one step: a line of no steps would be at its end at once, and a warm-up rises to the first value of its
  // schedule.
  const length = Math.max(1, "steps" in given ? (given.steps ?? numSteps) : numSteps);
  switch (given.kind) {
    case "constant":
      return constantSchedule(rate);
    case "linear":
      return linearSchedule(rate, rate * given.to, length);
    case "cosine":
      return cosineSchedule(rate, rate * given.to, length);
    case "step":
      return stepSchedule(rate, given.at, given.factor);
    case "exponential":
      return exponentialSchedule(rate, given.factor, Math.max(1, given.every));
    case "inverseSquareRoot":
      return inverseSquareRootSchedule(rate, length);
    case "oneCycle": {
      const { peakAt } = given;
      const from = rate * given.from;
      return oneCycleSchedule({ peak: rate, numSteps: length, peakAt, from, to: from * given.to });
    }
  }
}

/**
 * Check that every pattern of an optimizer matches a param.
 *
 * Throws {@link ConfigError} that names the first pattern that matches none.
 */
export function checkPatterns(optimizer: OptimizerInSteps, params: readonly string[]): void {
  const lists = {
    "optimizer.multipliers": Object.keys(optimizer.multipliers ?? {}),
    "optimizer.weightDecay.rates": Object.keys(decayOf(optimizer)?.rates ?? {}),
    "optimizer.weightDecay.except": decayOf(optimizer)?.except ?? [],
    "optimizer.sparseParams": optimizer.sparseParams ?? [],
    "optimizer.adamFor": optimizer.kind === "muon" ? optimizer.adamFor : [],
    "optimizer.trustExcept": optimizer.kind === "lamb" ? optimizer.trustExcept : [],
  };
  for (const [path, patterns] of Object.entries(lists)) {
    const wrong = patterns.find((pattern) => !params.some((name) => matches(pattern, name)));
    if (wrong === undefined) continue;
    const meant = nearest(wrong, params);
    throw new ConfigError(
      `${path}: "${wrong}" must match a param, and matches none of ${params.join(", ")}` +
        (meant === undefined ? "" : `; did you mean "${meant}"?`),
    );
  }
}

function decayOf({ weightDecay }: OptimizerInSteps): DecayOptions | undefined {
  return typeof weightDecay === "number" ? { rate: weightDecay } : weightDecay;
}
