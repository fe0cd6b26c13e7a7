/** From configuration to parts: the only place where names become objects. */
import type { Preprocessing } from "../data/table.js";
import { binary } from "../nn/losses.js";
import { mlp } from "../nn/mlp.js";
import { adam, sgd } from "../optim/optimizers.js";
import { constantSchedule, linearSchedule } from "../optim/schedules.js";
import type { GradientTransformation } from "../optim/transformations.js";
import type { Learner } from "../train/graphs.js";
import type { RunConfig } from "./schema.js";

/** The learner that a configuration describes, for data preprocessed so. */
export function makeLearner(config: RunConfig, preprocessing: Preprocessing): Learner {
  const { embeddings, embeddingWidth, hidden } = config.model;
  // A map, because a feature may be called "constructor".
  const widths = new Map(Object.entries(embeddings));
  const categorical = Object.entries(preprocessing.vocabularies).map(([name, vocabulary]) => [
    name,
    { numIds: vocabulary.length + 1, width: widths.get(name) ?? embeddingWidth },
  ]);
  const model = mlp({ categorical: Object.fromEntries(categorical), numeric: preprocessing.numeric, hidden });
  const { temperature, mix } = config.codistill;
  const { ema } = config;
  const optimizer = makeOptimizer(config);
  return { model, objective: binary, optimizer, distillation: { temperature, mix }, ...(ema && { ema }) };
}

function makeOptimizer({ optimizer, numSteps }: RunConfig): GradientTransformation {
  const { learningRate } = optimizer;
  const schedule =
    optimizer.schedule === "linear" ? linearSchedule(learningRate, 0, numSteps) : constantSchedule(learningRate);
  switch (optimizer.kind) {
    case "adam":
      return adam(schedule, optimizer);
    case "sgd":
      return sgd(schedule);
  }
}
