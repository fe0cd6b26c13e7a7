/** Problems for the optimizers, as data for `optim.py` and as numbers for the tests. */

import { sizeOf } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { fold, key, normal } from "../../src/runtime/random.js";

/** A descent to compare: what is minimised, by what rule, at what learning rate. */
export interface Trajectory {
  readonly problem: "quadratic" | "prescribed";
  readonly optimizer: "sgd" | "adam";
  /** `constant` is 2e-3; `linear` falls from 0.1 to 0 over all steps. */
  readonly schedule: "constant" | "linear";
}

/** Params by name, flat, after steps 100, 200, ... 1,000. */
export type Samples = readonly Readonly<Record<string, readonly number[]>>[];

export const NUM_STEPS = 1000;
export const SAMPLE_EVERY = 100;

export const trajectories: readonly Trajectory[] = (["quadratic", "prescribed"] as const).flatMap((problem) =>
  (["sgd", "adam"] as const).flatMap((optimizer) =>
    (["constant", "linear"] as const).map((schedule) => ({ problem, optimizer, schedule })),
  ),
);

export function trajectoryName({ problem, optimizer, schedule }: Trajectory): string {
  return `${problem}, ${optimizer}, ${schedule}`;
}

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
  const values = normal(fold(fold(key(11), of), name), sizeOf(shape ?? []));
  return Array.from(values, (value) => Math.round(value * 64) / 64);
}

/** The data that `optim.py` reads. */
export function optimData(): object {
  const all = (of: (name: string) => number[]) => mapValues(prescribed.shapes, (_, name) => of(name));
  return {
    numSteps: NUM_STEPS,
    sampleEvery: SAMPLE_EVERY,
    trajectories: trajectories.map((trajectory) => ({ name: trajectoryName(trajectory), ...trajectory })),
    quadratic,
    prescribed: {
      start: all(prescribed.start),
      grads: Array.from({ length: NUM_STEPS }, (_, step) => all((name) => prescribed.grads(step, name))),
    },
  };
}
