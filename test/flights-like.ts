/** A small network of the kind the flights are trained with, and random data for it. */
import { binary } from "../src/nn/losses.js";
import { mlp } from "../src/nn/mlp.js";
import { initParams } from "../src/nn/model.js";
import { adam } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import type { GradientTransformation } from "../src/optim/transformations.js";
import { float32, int32, type NamedArrays, zeros } from "../src/runtime/array.js";
import { mapValues } from "../src/runtime/named.js";
import { fold, normal, rootKey, uniform } from "../src/runtime/random.js";
import type { Learner } from "../src/train/graphs.js";
import type { Teacher } from "../src/train/student.js";

const NUM_IDS = { origin: 20, weekday: 8 };

export interface ProofOptions {
  readonly hidden?: readonly number[];
  /** Width of each embedding. */
  readonly widths?: number;
  readonly optimizer?: GradientTransformation;
}

/** Two categorical features and two numeric ones into a multilayer perceptron, with Adam unless told otherwise. */
export function flightsLike({
  hidden = [16, 8],
  widths = 4,
  optimizer = adam(constantSchedule(2e-3)),
}: ProofOptions = {}): Learner {
  const model = mlp({
    categorical: mapValues(NUM_IDS, (numIds) => ({ numIds, width: widths })),
    numeric: { distance: { mean: 0.5, std: 2 }, hour: { mean: 0, std: 1 } },
    hidden,
  });
  return { model, objective: binary, optimizer };
}

/** Params by seed, biases included, as they might be after some training. */
export function randomParams({ model }: Learner, seed: number): NamedArrays {
  const jitter = (name: string, size: number) => normal(fold(fold(rootKey(seed), "jitter"), name), size);
  return mapValues(initParams(model, rootKey(seed)), ({ shape, data }, name) => {
    const noise = jitter(name, data.length);
    return float32(
      noise.map((value, i) => Number(data[i]) + 0.2 * value),
      shape,
    );
  });
}

/** A batch by seed: features and labels. */
export function randomBatch(numExamples: number, seed: number): NamedArrays {
  const draw = (name: string) => fold(fold(rootKey(seed), "batch"), name);
  const ids = (name: keyof typeof NUM_IDS) =>
    int32(Int32Array.from(uniform(draw(name), numExamples), (u) => Math.floor(u * NUM_IDS[name])));
  return {
    "features.origin": ids("origin"),
    "features.weekday": ids("weekday"),
    "features.distance": float32(normal(draw("distance"), numExamples)),
    "features.hour": float32(normal(draw("hour"), numExamples)),
    labels: float32(uniform(draw("labels"), numExamples).map((u) => Number(u < 0.3))),
  };
}

/** A teacher with random params. */
export function randomTeacher(learner: Learner, seed: number): Teacher {
  return { group: 1, step: 0, digest: `teacher ${seed}`, params: randomParams(learner, seed) };
}

/** The running sum of gradients before the first sub-batch. */
export function zeroGradSum({ model }: Learner): NamedArrays {
  return mapValues(model.params, ({ shape }) => zeros(shape));
}
