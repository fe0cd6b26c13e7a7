/** Makes the model, task and optimizer that a configuration names. */
import { numbersName } from "../data/batch.js";
import { areOneArray } from "../data/records.js";
import type { Preprocessing } from "../data/table.js";
import { ConfigError } from "../errors.js";
import type { Objective } from "../nn/losses.js";
import { membersObjective } from "../nn/members.js";
import { mlp } from "../nn/mlp.js";
import type { Model } from "../nn/model.js";
import type { TableFeaturesOptions } from "../nn/table-features.js";
import { tabm } from "../nn/tabm.js";
import { checkSparseParams } from "../optim/sparse-updates.js";
import type { Learner } from "../train/graphs.js";
import type { Task } from "../train/task.js";
import { algorithmOf } from "./algorithms.js";
import type { TableRunConfig } from "./kinds/table.js";
import type { TableModelConfig } from "./model-schema.js";
import { checkPatterns, configuredOptimizer } from "./optimizer.js";
import type { RunConfig } from "./schema.js";
import { configuredTask } from "./task.js";
import { DEFAULT_TEACHER_WEIGHT } from "./teacher-schema.js";
import { sharersOf } from "./workers.js";

/** What a run on a table trains, and its task. */
export interface RunLearner extends Learner {
  readonly task: Task;
}

/**
 * The learner that a configuration describes, for data with this preprocessing.
 *
 * Throws {@link ConfigError} when a pattern of the optimizer matches no param, or one that cannot have sparse updates,
 * when a class weight names no class, and for a hashed feature with more rows than names.
 */
export function tableLearner(config: TableRunConfig, preprocessing: Preprocessing): RunLearner {
  const { embeddings, embeddingWidth, hashed = {} } = config.model;
  // Maps, because a feature may be called "constructor".
  const widths = new Map(Object.entries(embeddings));
  const hashedRows = new Map(Object.entries(hashed));
  for (const [name, rows] of hashedRows) {
    const numNames = preprocessing.vocabularies[name]?.length ?? 0;
    if (rows > numNames) {
      throw new ConfigError(
        `model.hashed.${name}: must be fewer rows than the feature has names (${numNames}), got ${rows}; leave it out, and each has a row of its own`,
      );
    }
  }
  const categorical = Object.entries(preprocessing.vocabularies).map(([name, vocabulary]) => [
    name,
    {
      numIds: vocabulary.length + 1,
      width: widths.get(name) ?? embeddingWidth,
      ...(hashedRows.has(name) && { hashedRows: hashedRows.get(name) }),
    },
  ]);
  const task = configuredTask(config.task, preprocessing.labels);
  const { numeric } = preprocessing;
  const features = {
    categorical: Object.fromEntries(categorical),
    numeric,
    numbers: areOneArray(Object.keys(numeric).length) ? numbersName : undefined,
  };
  const { model, objective } = networkOf(config.model, features, task);
  const weighted = config.data.weight === undefined ? {} : { hasRowWeights: true };
  const taught = config.teachers && { fixedTeachers: { weight: config.teacherWeight ?? DEFAULT_TEACHER_WEIGHT } };
  return { ...learnerOf(config, model, objective), ...weighted, ...taught, task: { ...task, objective } };
}

/** The network of a table by its kind, and the objective of its logits. */
function networkOf(
  config: TableModelConfig,
  features: TableFeaturesOptions,
  { numOutputs, objective }: Task,
): { readonly model: Model; readonly objective: Objective } {
  const options = { ...config, ...features, numOutputs };
  switch (options.kind) {
    case "mlp":
      return { model: mlp(options), objective };
    case "tabm":
      return { model: tabm(options), objective: membersObjective(objective) };
  }
}

/**
 * The learner of a model and an objective, with the optimizer, distillation and averaging that the configuration names.
 *
 * Throws {@link ConfigError} when a pattern of the optimizer matches no param, or one that cannot have sparse updates.
 */
export function learnerOf(config: RunConfig, model: Model, objective: Objective): Learner {
  const { ema, globalBatchSize, accumulate, noiseScale = false } = config;
  checkPatterns(config.optimizer, Object.keys(model.params));
  const optimizer = configuredOptimizer(config, algorithmOf(config).learningRate);
  checkSparseParams(optimizer, model.params);
  const distillation = algorithmOf(config).distillation(globalBatchSize / accumulate / sharersOf(config));
  return { model, objective, optimizer, distillation, ...(ema && { ema }), ...(noiseScale && { measuresNoise: true }) };
}
