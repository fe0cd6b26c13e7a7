/** Options of a configuration's task. */
import type { DistillLossName } from "../../nn/distill-losses.js";

/** Label smoothing, and the distribution that it mixes into the labels. */
export interface LabelSmoothingOptionsInput {
  /** The share of each label that is spread over the classes, from 0 to below 1. */
  readonly amount: number;
  /** Spread evenly over all classes ("uniform", default), or by their frequencies in the training rows ("unigram"). */
  readonly prior?: "uniform" | "unigram" | undefined;
}

/** Label smoothing: the share of each label that is spread evenly over all classes, or `{ amount, prior }`. */
export type LabelSmoothingInput = number | LabelSmoothingOptionsInput;

/** Options of tasks whose labels are classes. */
export interface ClassOptionsInput {
  /**
   * Weights of the classes in the label loss: "balanced" for rows / (classes x rows of the class), over the training rows,
   * or weights by the classes' names, 1 for those that are not named. The binary classes are "false" and "true".
   */
  readonly classWeights?: "balanced" | Record<string, number> | undefined;
  /**
   * Label smoothing: the share of each label, from 0 to below 1, that is spread evenly over all classes, or by `prior`
   * with `{ amount, prior }`. None by default.
   */
  readonly labelSmoothing?: LabelSmoothingInput | undefined;
  /**
   * The weight of the mean entropy of the predictions, in nats, which is taken off the label loss: confident predictions cost more
   * (Pereyra et al. 2017). 0 by default.
   */
  readonly confidencePenalty?: number | undefined;
  /**
   * The loss of the student's probabilities against the mean of its teachers' probabilities; "softCrossEntropy" by
   * default.
   */
  readonly distillLoss?: DistillLossName | undefined;
}

/** Options of labels of a table that are classes. */
export interface TableClassOptionsInput extends ClassOptionsInput {
  /**
   * Whether the probabilities are scaled by a temperature that is fitted to the validation rows at each validation: the best
   * step is that of the least loss after it, and the shipped model has it. False by default.
   */
  readonly temperature?: boolean | undefined;
}

/** Labels of two values. */
export interface BinaryTaskInput extends TableClassOptionsInput {
  readonly kind: "binary";
}

/** Labels of several classes. */
export interface MulticlassTaskInput extends TableClassOptionsInput {
  readonly kind: "multiclass";
}

/** Labels that are numbers. */
export interface RegressionTaskInput {
  readonly kind: "regression";
  /** The loss of predictions against labels and against teachers, both standardised; "squared" by default. */
  readonly loss?: "squared" | "absolute" | "huber" | undefined;
  /** Where the Huber loss turns from quadratic to linear, in standard deviations of the label; 1 by default. */
  readonly delta?: number | undefined;
  /**
   * "log" learns ln(1 + label / unit) of labels that are 0 or more, with a unit found from the labels, and never
   * predicts below 0; "linear" (default) learns the label itself.
   */
  readonly scale?: "linear" | "log" | undefined;
  /** Lower bound of predictions, in the unit of the label; none by default. */
  readonly least?: number | undefined;
}

/** A task by its name, or with options. */
export type TaskInput =
  | "binary"
  | "multiclass"
  | "regression"
  | BinaryTaskInput
  | MulticlassTaskInput
  | RegressionTaskInput;

/** Options of next-token prediction. */
export interface LanguageTaskInput extends Omit<ClassOptionsInput, "classWeights"> {
  readonly kind?: "language" | undefined;
}

/** The classes of images, with options. */
export interface ImageTaskInput extends TableClassOptionsInput {
  readonly kind?: "multiclass" | undefined;
}
