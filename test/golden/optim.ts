/** Problems for the optimizers, as data for `optim.py` and as numbers for the tests. */

import { adagrad, adam, adamW, rmsprop, sgd } from "../../src/optim/optimizers.js";
import {
  cosineSchedule,
  exponentialSchedule,
  linearSchedule,
  oneCycleSchedule,
  type Schedule,
  stepSchedule,
  withWarmUp,
} from "../../src/optim/schedules.js";
import type { GradientTransformation } from "../../src/optim/transformations.js";
import { sizeOf } from "../../src/runtime/array.js";
import { mapValues, named } from "../../src/runtime/named.js";
import { fold, normal, rootKey } from "../../src/runtime/random.js";

/** An optimizer of ours, and the one of torch.optim that it must follow. */
export interface Variant {
  readonly ours: (learningRate: Schedule) => GradientTransformation;
  readonly torch: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
}

const decay = { rate: 0.01 };

export const variants: Readonly<Record<string, Variant>> = {
  sgd: { ours: sgd, torch: { name: "SGD", options: {} } },
  adam: { ours: adam, torch: { name: "Adam", options: {} } },
  momentum: { ours: (rate) => sgd(rate, { momentum: 0.9 }), torch: { name: "SGD", options: { momentum: 0.9 } } },
  "nesterov with decay": {
    ours: (rate) => sgd(rate, { momentum: 0.8, isNesterov: true, decay }),
    torch: { name: "SGD", options: { momentum: 0.8, nesterov: true, weight_decay: 0.01 } },
  },
  adagrad: { ours: adagrad, torch: { name: "Adagrad", options: {} } },
  "adagrad with decay": {
    ours: (rate) => adagrad(rate, { decay, initialSum: 0.5, epsilon: 1e-6 }),
    torch: { name: "Adagrad", options: { weight_decay: 0.01, initial_accumulator_value: 0.5, eps: 1e-6 } },
  },
  rmsprop: { ours: rmsprop, torch: { name: "RMSprop", options: {} } },
  // The large epsilon keeps it from chaos near the minimum, where gradients do not vary.
  "rmsprop, centred, with momentum and decay": {
    ours: (rate) => rmsprop(rate, { alpha: 0.95, epsilon: 0.5, isCentered: true, momentum: 0.5, decay }),
    torch: {
      name: "RMSprop",
      options: { alpha: 0.95, eps: 0.5, centered: true, momentum: 0.5, weight_decay: 0.01 },
    },
  },
  "adam with decay": {
    ours: (rate) => adam(rate, { beta1: 0.8, beta2: 0.99, epsilon: 1e-4, decay }),
    torch: { name: "Adam", options: { betas: [0.8, 0.99], eps: 1e-4, weight_decay: 0.01 } },
  },
  adamW: { ours: (rate) => adamW(rate), torch: { name: "AdamW", options: {} } },
};

/** A descent to compare: what is minimised, by what rule, at what learning rate. */
export interface Trajectory {
  readonly problem: "quadratic" | "prescribed";
  readonly optimizer: string;
  /** `constant` is 2e-3; `linear` falls from 0.1 to 0 over all steps. */
  readonly schedule: "constant" | "linear";
}

/** Params by name, flat, after steps 100, 200, ... 1,000. */
export type Samples = readonly Readonly<Record<string, readonly number[]>>[];

export const NUM_STEPS = 1000;
export const SAMPLE_EVERY = 100;

export const trajectories: readonly Trajectory[] = (["quadratic", "prescribed"] as const)
  .flatMap((problem) =>
    Object.keys(variants).flatMap((optimizer) =>
      (["constant", "linear"] as const).map((schedule) => ({ problem, optimizer, schedule })),
    ),
  )
  // The file stays small: with given gradients, one schedule is enough for most.
  .filter(
    ({ problem, optimizer, schedule }) => problem === "quadratic" || schedule === "linear" || optimizer === "adam",
  );

export function trajectoryName({ problem, optimizer, schedule }: Trajectory): string {
  return `${problem}, ${optimizer}, ${schedule}`;
}

/** Bounds on the prescribed gradients of step 0: on their norm, about 5, and on each value. */
export const clips = { norm: [0.25, 3.3, 100], value: [0.3125, 100] } as const;

/** Schedules over 100 steps, and those of torch.optim.lr_scheduler that they must follow; learning rate 1. */
export const SCHEDULE_STEPS = 100;
export const schedules: Readonly<Record<string, Schedule>> = {
  "CosineAnnealingLR(optimizer, 100, eta_min=0.05)": cosineSchedule(1, 0.05, 100),
  "StepLR(optimizer, 30, gamma=0.2)": stepSchedule(1, [30, 60, 90], 0.2),
  "MultiStepLR(optimizer, [20, 50], gamma=0.3)": stepSchedule(1, [20, 50], 0.3),
  "ExponentialLR(optimizer, gamma=0.97)": exponentialSchedule(1, 0.97, 1),
  "LinearLR(optimizer, start_factor=1, end_factor=0.1, total_iters=60)": linearSchedule(1, 0.1, 60),
  "OneCycleLR(optimizer, max_lr=1, total_steps=100, pct_start=0.3, cycle_momentum=False)": oneCycleSchedule({
    peak: 1,
    numSteps: 100,
    peakAt: 29,
  }),
  "SequentialLR(optimizer, [LinearLR(optimizer, start_factor=0.1, total_iters=10), CosineAnnealingLR(optimizer, 90)], [10])":
    withWarmUp(cosineSchedule(1, 0, 90), 10, 0.1),
};

/** f(x) = sum of curvature (x - centre)^2 / 2, from `start`. */
export const quadratic = {
  start: [1, -2, 0.5],
  curvature: [0.25, 1, 4],
  centre: [-0.5, 0.75, 2],
} as const;

/** Params of a small network whose gradients are given, whatever the params are. */
export const prescribed = {
  shapes: { "layers.0.weight": [3, 4], "layers.0.bias": [4], "layers.1.weight": [4, 1], "layers.1.bias": [1] },
  start: (name: string): number[] => draws("start", name),
  grads: (step: number, name: string): number[] => draws(step, name),
} as const;

/** Multiples of 1/64, exact in every format. */
function draws(of: number | "start", name: string): number[] {
  const shape: readonly number[] | undefined = (prescribed.shapes as Record<string, readonly number[]>)[name];
  const values = normal(fold(fold(rootKey(11), of), name), sizeOf(shape ?? []));
  return Array.from(values, (value) => Math.round(value * 64) / 64);
}

/** The data that `optim.py` reads. */
export function optimData(): object {
  const all = (of: (name: string) => number[]) => mapValues(prescribed.shapes, (_, name) => of(name));
  return {
    numSteps: NUM_STEPS,
    sampleEvery: SAMPLE_EVERY,
    trajectories: trajectories.map((trajectory) => ({
      name: trajectoryName(trajectory),
      ...trajectory,
      torch: named(variants, trajectory.optimizer).torch,
    })),
    clips,
    schedules: Object.keys(schedules),
    scheduleSteps: SCHEDULE_STEPS,
    quadratic,
    prescribed: {
      start: all(prescribed.start),
      grads: Array.from({ length: NUM_STEPS }, (_, step) => all((name) => prescribed.grads(step, name))),
    },
  };
}
