import type { Objective } from "../nn/losses.js";
import type { Model } from "../nn/model.js";
import type { GradientTransformation } from "../optim/transformations.js";

/** A model, the losses that train it, and the rule of its updates. */
export interface Learner {
  readonly model: Model;
  readonly objective: Objective;
  readonly optimizer: GradientTransformation;
  /** Whether batches have a weight of each label (`weights`, of the shape of `labels`), which multiplies its loss; false by default. */
  readonly hasRowWeights?: boolean;
  readonly distillation?: Distillation;
  /** Teachers that do not change while the student trains; none by default. */
  readonly fixedTeachers?: FixedTeachers;
  /**
   * Keep a moving average of the params, e <- decay e + (1 - decay) params after each step, which begins as the initial
   * params.
   */
  readonly ema?: { readonly decay: number };
  /** Of steps of several parts, put out the squared norm of each part's own gradient; false by default. */
  readonly measuresNoise?: boolean;
}

/**
 * Teachers that do not change while the student trains: with their mean prediction t the label loss phi becomes
 * (1 - weight) phi + weight psi(t, prediction). With cross entropies this is the loss on labels of which the teachers make a share.
 */
export interface FixedTeachers {
  readonly weight: number;
  /** Of those that predict in the step: "float32" (default), or "int8" as {@link Distillation.teacherPrecision}. */
  readonly precision?: "float32" | "int8" | undefined;
  /** Those that predict in the step. Left out, batches have the mean for each row: `targets`, [batch] or [batch, classes]. */
  readonly networks?: readonly FixedNetwork[];
}

/** A teacher that predicts in the step: any network with the student's inputs and outputs, whose weights are given to the student. */
export interface FixedNetwork {
  /** Of as many chunks of rows as the student, where it has a head. */
  readonly model: Model;
  /** How much it counts in the mean, above 0: shares are divided by their sum. */
  readonly share: number;
}

/** The first examples of each batch of so many. */
export interface TaughtRows {
  readonly first: number;
  readonly of: number;
  /** Whether teachers predict for each of them what belongs to the next one, for the last one what belongs to the first; false by default. */
  readonly isShuffled?: boolean;
}

/** How the distillation loss psi joins the label loss phi; the paper's way by default. */
export interface Distillation {
  /** T: psi compares logits / T on both sides and is multiplied by T^2, which keeps the size of its gradient. 1 by default. */
  readonly temperature?: number;
  /** "sum" (default): phi + w psi. "convex": (1 - w) phi + w psi, whose gradient does not grow with w. */
  readonly mix?: "sum" | "convex";
  /** "float32" (default), or "int8": products of teachers in whole numbers of 8 bits, their weights by output channel. */
  readonly teacherPrecision?: "float32" | "int8";
  /** Teachers see the first so many examples of each batch of `of`, and psi is the mean over these; all by default. */
  readonly taught?: TaughtRows;
  /**
   * The share of fresh values, of tables: psi is of a copy of the batch, in which each value is with this probability that of another
   * row; phi stays that of the batch. 0 (default): psi is of the batch.
   */
  readonly freshInputs?: number;
  /** g: psi + g G in place of psi, where G is the mean {@link gramLoss} of the student's last hidden layer and each teacher's. 0 by default. */
  readonly gramWeight?: number;
}
