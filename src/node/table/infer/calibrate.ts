/** How long a step takes here: a few of them, on random rows. */

import { featureName, labelsName, numbersName, weightsName } from "../../../data/batch.js";
import { areOneArray } from "../../../data/records.js";
import type { Feature } from "../../../infer/column.js";
import { NUM_QUANTILES } from "../../../nn/numeric-embedding.js";
import { resolveConfig } from "../../../run/config.js";
import type { TableRunInput } from "../../../run/input/run.js";
import { configOfKind } from "../../../run/kinds/kinds.js";
import { tableLearner } from "../../../run/learner.js";
import type { NamedArrays, NdArray } from "../../../runtime/array.js";
import { fold, rootKey, uniform } from "../../../runtime/random.js";
import { secondsOfStep } from "../../ort/step-seconds.js";

/**
 * The median seconds of a step of one group, without teachers, with the group's number of threads. The task is taken as
 * binary: others only add a few columns to the last layer, and the predictions of fixed teachers a few operations on a column.
 */
export async function stepSeconds(
  { task: _, teachers: _teachers, teacherWeight: _weight, ...input }: TableRunInput,
  features: readonly Feature[],
  threads: number,
): Promise<number> {
  const config = configOfKind(resolveConfig(input), "table", "measuring steps");
  const vocabularies = features
    .filter(({ kind }) => kind === "categorical")
    .map(({ name, numIds }) => [name, Array.from({ length: Math.max(1, numIds - 1) }, (_value, id) => String(id))]);
  const numeric = features.filter(({ kind }) => kind !== "categorical").map(({ name }) => [name, UNIFORM]);
  const learner = tableLearner(config, {
    vocabularies: Object.fromEntries(vocabularies),
    numeric: Object.fromEntries(numeric),
  });
  const batch = randomBatch(features, config.globalBatchSize);
  return secondsOfStep(learner, [batch], config.seed, threads);
}

/** Figures of uniform numbers: a number has as many bins as it can have. */
const UNIFORM = { mean: 0, std: 1, quantiles: Array.from({ length: NUM_QUANTILES }, (_, i) => i / NUM_QUANTILES) };

function randomBatch(features: readonly Feature[], numRows: number): NamedArrays {
  const draw = (name: string) => uniform(fold(rootKey(1), name), numRows);
  const numeric = features.filter(({ kind }) => kind !== "categorical");
  const isOneArray = areOneArray(numeric.length);
  const arrays = features.flatMap(({ name, kind, numIds }): [string, NdArray][] => {
    const shape = [numRows];
    if (kind !== "categorical")
      return isOneArray ? [] : [[featureName(name), { dtype: "float32", shape, data: draw(name) }]];
    const ids = Int32Array.from(draw(name), (x) => Math.floor(x * Math.max(2, numIds)));
    return [[featureName(name), { dtype: "int32", shape, data: ids }]];
  });
  if (isOneArray) {
    const data = uniform(fold(rootKey(1), numbersName), numRows * numeric.length);
    arrays.push([numbersName, { dtype: "float32", shape: [numRows, numeric.length], data }]);
  }
  const labels = Float32Array.from(draw("label"), (x) => Math.round(x));
  const column = (data: Float32Array): NdArray => ({ dtype: "float32", shape: [numRows], data });
  // A learner without weights of rows leaves them alone.
  const weights = new Float32Array(numRows).fill(1);
  return { ...Object.fromEntries(arrays), [labelsName]: column(labels), [weightsName]: column(weights) };
}
