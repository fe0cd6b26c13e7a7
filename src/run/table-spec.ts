/** Learning the labels of a table's rows. */

import { rowsWithNoise } from "../data/label-noise.js";
import type { Rows } from "../data/records.js";
import { batchStream } from "../data/stream.js";
import { binaryClasses, type Preprocessing } from "../data/table.js";
import { type Predictions, predictAll } from "../train/evaluate.js";
import { predictGraph, shippedName } from "../train/graphs.js";
import type { Task } from "../train/task.js";
import type { TableRunConfig } from "./kinds/table.js";
import { type RunLearner, tableLearner } from "./learner.js";
import type { GroupSpec, RunSpec, Validated } from "./specs.js";
import { classesOf } from "./task.js";

/** A table's digest, and the preprocessing that was fitted on its training rows. */
export interface FittedTable {
  readonly digest: string;
  readonly preprocessing: Preprocessing;
}

/** A group's part of a table. */
export interface TableShard extends FittedTable {
  /** Training rows, and which of them are this group's shard. */
  readonly train: Rows;
  readonly shard: Uint32Array;
  readonly validation: Rows;
}

/** What all groups of a run on a table share. Throws what {@link tableLearner} throws. */
export function tableRunSpec(
  config: TableRunConfig,
  { digest, preprocessing }: FittedTable,
): RunSpec & { readonly learner: RunLearner } {
  return {
    digest,
    declared: {
      preprocessing,
      classes: classesOf(preprocessing.labels),
      // Left out for binary labels, so that runs which were declared before there were other tasks can go on.
      ...(config.task.kind !== "binary" && { task: config.task.kind }),
    },
    learner: tableLearner(config, preprocessing),
  };
}

/** The measures of predictions, after the temperature that fits them best where the task has one. */
export function validated(task: Task, predictions: Predictions & { readonly probs: Float32Array }): Validated {
  if (!task.calibration) return task.measure(predictions);
  const temperature = task.calibration.fit(predictions);
  const probs = task.calibration.apply(predictions.probs, temperature);
  return { ...task.measure({ ...predictions, probs }), temperature };
}

/** What a group of a run on a table trains. Throws what {@link tableLearner} throws. */
export function tableGroupSpec(config: TableRunConfig, data: TableShard): GroupSpec {
  const spec = tableRunSpec(config, data);
  const { learner } = spec;
  const { labelNoise = 0 } = config.data;
  const numClasses = classesOf(data.preprocessing.labels)?.length ?? binaryClasses.length;
  const rows = labelNoise > 0 ? rowsWithNoise(data.train, { share: labelNoise, numClasses }) : data.train;
  return {
    ...spec,
    numExamples: data.shard.length,
    stream: (key, cursor, part) =>
      batchStream({
        rows,
        indices: data.shard,
        batchSize: config.globalBatchSize / config.accumulate,
        key,
        ...(cursor && { cursor }),
        ...(part && { part }),
      }),
    async validator(engine) {
      const program = await engine.compile(predictGraph(learner, shippedName(learner)));
      return async (signal) => validated(learner.task, await predictAll(program, data.validation, signal));
    },
  };
}
