/** Makes a run's task from the task of a configuration and the statistics that ingestion fitted to the labels. */
import { binaryClasses, type LabelStatistics } from "../data/table.js";
import { ConfigError } from "../errors.js";
import type { TaskKind } from "../log/events.js";
import { nearest } from "../nearest.js";
import type { LabelSmoothing } from "../nn/label-losses.js";
import { withConfidencePenalty } from "../nn/losses.js";
import { binaryTask, multiclassTask, regressionTask, type Task } from "../train/task.js";
import type { TaskConfig } from "./task-schema.js";

type OfKind<K extends TaskKind> = Extract<TaskConfig, { readonly kind: K }>;
type OfClasses = OfKind<"binary" | "multiclass">;
type ClassStatistics = Extract<LabelStatistics, { readonly kind: "classes" }>;

/**
 * The task of a run.
 *
 * Throws {@link ConfigError} when a class weight names no class.
 */
export function configuredTask(task: TaskConfig, labels: LabelStatistics | undefined): Task {
  const made = (makers[task.kind] as (task: TaskConfig, labels: LabelStatistics | undefined) => Task)(task, labels);
  const { confidencePenalty = 0 } = task.kind === "regression" ? {} : task;
  return confidencePenalty > 0
    ? { ...made, objective: withConfidencePenalty(made.objective, confidencePenalty) }
    : made;
}

/**
 * The task whose label statistics ingestion must fit. None for binary labels whose frequencies no option needs: their
 * caches stay as they were before there were other tasks.
 */
export function labelsToFit(task: TaskConfig): TaskKind | undefined {
  const isPlain = task.kind === "binary" && task.classWeights === undefined && task.labelSmoothing === undefined;
  return isPlain ? undefined : task.kind;
}

/** The names of the classes; none for numbers. */
export function classesOf(labels: LabelStatistics | undefined): readonly string[] {
  if (labels === undefined) return binaryClasses;
  return labels.kind === "classes" ? labels.classes : [];
}

/** The weight of each class in the loss; left out where all count the same, or labels are numbers. */
export function classWeightsOf(task: TaskConfig, labels: LabelStatistics | undefined): readonly number[] | undefined {
  if (task.kind === "regression" || task.classWeights === undefined) return undefined;
  return weightsOf(task.classWeights, ofClasses(labels));
}

const makers: {
  readonly [K in TaskKind]: (task: OfKind<K>, labels: LabelStatistics | undefined) => Task;
} = {
  binary(task, labels) {
    const { classWeights, ...others } = classOptions(task, labels);
    const [negative = 1, positive = 1] = classWeights ?? [];
    // Left out where they are the usual names, so that the models of such labels stay as they were.
    const classes =
      labels?.kind === "classes" && labels.classes.join() !== binaryClasses.join() ? labels.classes : undefined;
    return binaryTask({ ...others, classes, ...(classWeights && { positiveWeight: positive / negative }) });
  },
  multiclass(task, labels) {
    return multiclassTask({ classes: ofClasses(labels).classes, ...classOptions(task, labels) });
  },
  regression({ loss, delta, least }, labels) {
    if (labels?.kind !== "numbers")
      throw new Error("internal: regression needs the mean and standard deviation of its labels");
    const { mean, std, shift, logUnit } = labels;
    const { center, scale } = shift ?? { center: 0, scale: 1 };
    return regressionTask({
      mean,
      std,
      ...(shift && { shift }),
      ...(logUnit !== undefined && { logUnit }),
      ...(least !== undefined && { least: (least - center) / scale }),
      ...(loss && { loss }),
      ...(delta !== undefined && { delta }),
    });
  },
};

/** The options that labels of classes share, with weights and priors as numbers. */
function classOptions(task: OfClasses, labels: LabelStatistics | undefined) {
  const { labelSmoothing, distillLoss, temperature } = task;
  const weights = classWeightsOf(task, labels);
  return {
    ...(weights && { classWeights: weights }),
    ...(labelSmoothing && { smoothing: smoothingOf(labelSmoothing, ofClasses(labels)) }),
    ...(distillLoss && { distillLoss }),
    ...(temperature && { hasTemperature: true }),
  };
}

function ofClasses(labels: LabelStatistics | undefined): ClassStatistics {
  if (labels?.kind !== "classes") throw new Error("internal: classes need their names and counts");
  return labels;
}

/** A weight for each class; "balanced" is rows / (classes x rows of the class), by which every class weighs the same. */
function weightsOf(given: NonNullable<OfClasses["classWeights"]>, { classes, counts }: ClassStatistics): number[] {
  if (given === "balanced") return counts.map((count) => sumOf(counts) / (classes.length * count));
  const weights = new Map(Object.entries(given));
  for (const name of weights.keys()) {
    if (classes.includes(name)) continue;
    const meant = nearest(name, classes);
    const shown = classes.slice(0, 20).join(", ") + (classes.length > 20 ? `, and ${classes.length - 20} more` : "");
    throw new ConfigError(
      `task.classWeights: "${name}" must be a class of the label; the classes are ${shown}` +
        (meant === undefined ? "" : `; did you mean "${meant}"?`),
    );
  }
  return classes.map((name) => weights.get(name) ?? 1);
}

function smoothingOf(
  { amount, prior }: NonNullable<OfClasses["labelSmoothing"]>,
  { counts }: ClassStatistics,
): LabelSmoothing {
  return prior === "unigram" ? { amount, prior: counts.map((count) => count / sumOf(counts)) } : { amount };
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
