/**
 * What the PyTorch twin is given: the settings of the runs, initial params and all batches. Both sides take their
 * inputs from here, so that whatever differs afterwards was computed differently.
 */
import { encodeSafetensors } from "../../src/checkpoint/safetensors.js";
import { type MlpOptions, mlp } from "../../src/nn/mlp.js";
import { initWeights } from "../../src/nn/model.js";
import { adam, sgd } from "../../src/optim/optimizers.js";
import { linearSchedule } from "../../src/optim/schedules.js";
import type { GradientTransformation } from "../../src/optim/transformations.js";
import { float32, int32, type NamedArrays } from "../../src/runtime/array.js";
import { named, withPrefix } from "../../src/runtime/named.js";
import { fold, type Key, normal, rootKey, uniform } from "../../src/runtime/random.js";

/** The settings that the two runs share. */
export interface TwinRun {
  readonly network: MlpOptions;
  readonly seed: number;
  readonly numGroups: number;
  readonly numSteps: number;
  readonly batchSize: number;
  readonly distillWeight: number;
}

/** Two groups in lockstep, once with SGD and once with Adam: the flights network, with small vocabularies. */
export const curvesRun = {
  network: {
    categorical: {
      origin: { numIds: 20, width: 16 },
      destination: { numIds: 20, width: 16 },
      halfHour: { numIds: 48, width: 8 },
      weekday: { numIds: 8, width: 4 },
      route: { numIds: 60, width: 16 },
    },
    numeric: { logDistance: { mean: 6.4, std: 0.7 } },
    hidden: [128, 64],
  },
  seed: 1,
  numGroups: 2,
  numSteps: 200,
  batchSize: 256,
  burnInSteps: 40,
  publishInterval: 10,
  exchangeInterval: 10,
  distillWeight: 1,
  /** Of the generations, each of which the one before teaches when it has finished. */
  numGenerations: 3,
  teacherWeight: 0.5,
  /** Of the last hidden layers, beside predictions, where these teach too. */
  gramWeight: 0.25,
  /** Learning rates go in a straight line from the first value to the second, reached after the last step. */
  optimizers: { sgd: [0.2, 0.2], adam: [2e-3, 0] },
} as const;

/** Single steps of Adam, each from a state on the way of group 0, with the two other groups as its teachers. */
export const stepsRun = {
  network: {
    categorical: {
      origin: { numIds: 6, width: 4 },
      destination: { numIds: 6, width: 4 },
      halfHour: { numIds: 8, width: 4 },
      weekday: { numIds: 4, width: 4 },
      route: { numIds: 10, width: 4 },
    },
    numeric: { logDistance: { mean: 6.4, std: 0.7 } },
    hidden: [16, 8],
  },
  seed: 2,
  numGroups: 3,
  numSteps: 200,
  batchSize: 64,
  exchangeInterval: 10,
  /** Neither 0 nor 1, so that a weight that is lost on the way shows. */
  distillWeight: 0.75,
  optimizers: { adam: [2e-3, 1e-3] },
  at: [0, 1, 50, 100, 199],
} as const;

export type OptimizerName = keyof typeof curvesRun.optimizers;

/** The optimizer of a name, with a learning rate from the first value to the second. */
export function twinOptimizer(
  name: OptimizerName,
  [from, to]: readonly [number, number],
  numSteps: number,
): GradientTransformation {
  const learningRate = linearSchedule(from, to, numSteps);
  return name === "adam" ? adam(learningRate) : sgd(learningRate);
}

/** The key that a group's initial params are drawn from. */
export function paramsKey({ seed }: TwinRun, group: number): Key {
  return fold(fold(rootKey(seed), `group ${group}`), "params");
}

/**
 * The batch of a group at a step: `features.*` and `labels`, all [batchSize]. Uniform ids, normal numbers of which some
 * are missing, and labels from a logistic rule that all groups share and no feature shows in full.
 */
export function twinBatch({ network, seed, batchSize }: TwinRun, group: number, step: number): NamedArrays {
  const draws = fold(fold(fold(rootKey(seed), `group ${group}`), "batches"), step);
  const logits = new Float64Array(batchSize).fill(-0.5);
  const features: Record<string, NamedArrays[string]> = {};
  for (const [name, { numIds }] of Object.entries(network.categorical)) {
    const effects = normal(fold(fold(rootKey(seed), "rule"), name), numIds);
    const ids = Int32Array.from(uniform(fold(draws, name), batchSize), (u) => Math.floor(u * numIds));
    ids.forEach((id, row) => {
      logits[row] = (logits[row] ?? 0) + 0.7 * (effects[id] ?? 0);
    });
    features[name] = int32(ids);
  }
  for (const [name, { mean, std }] of Object.entries(network.numeric)) {
    const isMissing = uniform(fold(fold(draws, name), "missing"), batchSize).map((u) => Number(u < 1 / 32));
    const values = normal(fold(draws, name), batchSize);
    values.forEach((value, row) => {
      logits[row] = (logits[row] ?? 0) + value;
      values[row] = isMissing[row] ? Number.NaN : mean + std * value;
    });
    features[name] = float32(values);
  }
  const chances = uniform(fold(draws, "labels"), batchSize);
  const labels = chances.map((chance, row) => Number(chance < 1 / (1 + Math.exp(-(logits[row] ?? 0)))));
  return { ...withPrefix("features", features), labels: float32(labels) };
}

/** The data that `twin.py` reads: the settings, and for each run a safetensors file in base64. */
export function twinData(): object {
  const file = (run: TwinRun) => Buffer.from(encodeSafetensors(inputsOf(run))).toString("base64");
  return { settings: { curves: curvesRun, steps: stepsRun }, curves: file(curvesRun), steps: file(stepsRun) };
}

/** Initial params as `<group>.params.*`; batches, one step under the other, as `<group>.batches.*` [numSteps, batchSize]. */
function inputsOf(run: TwinRun): NamedArrays {
  const groups = Array.from({ length: run.numGroups }, (_, group) => {
    const batches = Array.from({ length: run.numSteps }, (_, step) => twinBatch(run, group, step));
    const params = initWeights(mlp(run.network), paramsKey(run, group));
    return withPrefix(String(group), { ...withPrefix("params", params), ...withPrefix("batches", stacked(batches)) });
  });
  return Object.assign({}, ...groups);
}

function stacked(batches: readonly NamedArrays[]): NamedArrays {
  const [first = {}] = batches;
  return Object.fromEntries(
    Object.entries(first).map(([name, { dtype, shape }]) => {
      const rows = batches.flatMap((batch) => Array.from(named(batch, name).data, Number));
      const stackedShape = [batches.length, ...shape];
      return [name, dtype === "int32" ? int32(rows, stackedShape) : float32(rows, stackedShape)];
    }),
  );
}
