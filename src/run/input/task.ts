/** What a configuration may say of the task. */
import type { DistillLossName } from "../../nn/distill-losses.js";

/** Label smoothing with where it goes. */
export interface LabelSmoothingOptionsInput {
  /** The share of each label that goes elsewhere, from 0 to below 1. */
  readonly amount: number;
  /** To all classes alike (default), or by their frequencies in the training rows. */
  readonly prior?: "uniform" | "unigram" | undefined;
}

/** A share of each label that goes to all classes alike, or elsewhere. */
export type LabelSmoothingInput = number | LabelSmoothingOptionsInput;

/** Options of tasks whose labels are classes. */
export interface ClassOptionsInput {
  /**
   * Weights of the classes in the label loss: "balanced" for rows / (classes x rows of the class), over the training rows,
   * or weights by the classes' names, 1 for those that are not named. The binary classes are "false" and "true".
   */
  readonly classWeights?: "balanced" | Record<string, number> | undefined;
  /** A share of each label, from 0 to below 1, that goes to all classes alike, or to others as `{ amount, prior }` says. */
  readonly labelSmoothing?: LabelSmoothingInput | undefined;
  /** How the student meets the teachers' mean probabilities; "softCrossEntropy" by default. */
  readonly distillLoss?: DistillLossName | undefined;
}

/** Labels of two values. */
export interface BinaryTaskInput extends ClassOptionsInput {
  readonly kind: "binary";
}

/** Labels of several classes. */
export interface MulticlassTaskInput extends ClassOptionsInput {
  readonly kind: "multiclass";
}

/** Labels that are numbers. */
export interface RegressionTaskInput {
  readonly kind: "regression";
  /** The error of predictions against labels and teachers, of standardised numbers; "squared" by default. */
  readonly loss?: "squared" | "absolute" | "huber" | undefined;
  /** Where Huber's error turns from a square to a line, in standard deviations of the label; 1 by default. */
  readonly delta?: number | undefined;
  /** "log" learns ln(1 + label / unit), of labels of 0 and more, and so never predicts below 0; "linear" by default. */
  readonly scale?: "linear" | "log" | undefined;
  /** What predictions are never below. */
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

/** How next-token prediction is learned. */
export interface LanguageTaskInput extends Omit<ClassOptionsInput, "classWeights"> {
  readonly kind?: "language" | undefined;
}
