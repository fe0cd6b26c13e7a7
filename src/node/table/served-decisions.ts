/** What users ask of predictions beside the model's own outputs: a threshold of yes, an interval around a number. */
import { ConfigError } from "../../errors.js";
import { count, percent } from "../../report/format.js";
import { type Offsets, offsetsFor } from "../../train/intervals.js";
import type { ServedModel } from "./served-model.js";

export interface DecisionOptions {
  /** The probability from which on a binary model predicts its positive label, from 0 to 1; 0.5 by default. */
  readonly threshold?: number | undefined;
  /**
   * The level of an interval around each number that is predicted, above 0 and below 1: of rows like those of training,
   * at least this share has its label in it.
   */
  readonly interval?: number | undefined;
}

export interface Decisions {
  readonly threshold: number | undefined;
  /** What is added to a number for the ends of its interval; null where none was asked for. */
  readonly offsets: Offsets | null;
}

/**
 * What is asked of the predictions of a model. Throws {@link ConfigError} for a threshold or a level out of range, of a
 * model of another task, and for an interval that the model's validation rows are too few for.
 */
export function decisionsOf(model: ServedModel, { threshold, interval }: DecisionOptions): Decisions {
  if (threshold !== undefined) checkThreshold(threshold, model);
  return { threshold, offsets: interval === undefined ? null : offsetsOf(interval, model) };
}

function checkThreshold(threshold: number, { name, task }: ServedModel): void {
  if (task.kind !== "binary") {
    throw new ConfigError(
      `predict: a threshold is for a label of two values, and the label of ${name} is of the task ${task.kind}. Leave --threshold out.`,
    );
  }
  if (!(threshold >= 0 && threshold <= 1))
    throw new ConfigError(`predict: a threshold is a probability from 0 to 1, got ${threshold}`);
}

function offsetsOf(level: number, { name, task, errors }: ServedModel): Offsets {
  if (!(level > 0 && level < 1))
    throw new ConfigError(`predict: an interval has a level above 0 and below 1 (100 %), got ${level}`);
  if (task.kind !== "regression") {
    throw new ConfigError(
      `predict: an interval is for a label that is a number, and the label of ${name} is of the task ${task.kind}, whose probabilities say how sure it is. Leave --interval out.`,
    );
  }
  if (errors === null) {
    throw new ConfigError(
      `predict: an interval is made of the errors on validation rows, which ${name} does not say: it is an ensemble of models that were validated on different rows, or an earlier codistill wrote it. Use one model or the groups of one run, or finish its run again.`,
    );
  }
  const offsets = offsetsFor(errors, level);
  if (offsets !== null) return offsets;
  throw new ConfigError(
    `predict: an interval that holds ${percent(level)} of the labels needs at least ${count(Math.ceil(2 / (1 - level) - 1e-9) - 1)} validation rows, and ${name} had ${count(errors.count)}. Ask for less, or train with more validation rows.`,
  );
}
