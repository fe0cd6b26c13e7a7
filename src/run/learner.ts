/** From configuration to parts: the only place where names become objects. */
import type { Preprocessing } from "../data/table.js";
import { mlp } from "../nn/mlp.js";
import { checkTouchedRows } from "../optim/touched-rows.js";
import type { Learner } from "../train/graphs.js";
import type { Task } from "../train/task.js";
import { checkPatterns, makeOptimizer } from "./optimizer.js";
import type { RunConfig } from "./schema.js";
import { makeTask } from "./task.js";

/** What a run trains, and what it knows of its task beside the losses. */
export interface RunLearner extends Learner {
  readonly task: Task;
}

/**
 * The learner that a configuration describes, for data preprocessed so.
 *
 * Throws {@link ConfigError} when a pattern of the optimizer matches no param, or one whose rows it cannot touch, and when a
 * class weight names no class.
 */
export function makeLearner(config: RunConfig, preprocessing: Preprocessing): RunLearner {
  const { embeddings, embeddingWidth, hidden } = config.model;
  // A map, because a feature may be called "constructor".
  const widths = new Map(Object.entries(embeddings));
  const categorical = Object.entries(preprocessing.vocabularies).map(([name, vocabulary]) => [
    name,
    { numIds: vocabulary.length + 1, width: widths.get(name) ?? embeddingWidth },
  ]);
  const task = makeTask(config.task, preprocessing.labels);
  const { numOutputs, objective } = task;
  const { numeric } = preprocessing;
  const model = mlp({ categorical: Object.fromEntries(categorical), numeric, hidden, numOutputs });
  const { temperature, mix } = config.codistill;
  const { ema } = config;
  checkPatterns(config.optimizer, Object.keys(model.params));
  const optimizer = makeOptimizer(config);
  checkTouchedRows(optimizer, model.params);
  return { model, task, objective, optimizer, distillation: { temperature, mix }, ...(ema && { ema }) };
}
