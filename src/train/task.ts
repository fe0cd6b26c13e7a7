/** Tasks: everything that a run must know of binary labels, of classes, or of numbers. There is one maker for each. */

import type { Metrics, TaskKind } from "../log/events.js";
import type { DistillLossName } from "../nn/distill-losses.js";
import type { LabelSmoothing } from "../nn/label-losses.js";
import { binary, type Objective } from "../nn/losses.js";
import { categorical, type RegressionOptions, regression, weightedBinary } from "../nn/objectives.js";
import {
  classCalibrationError,
  classLogLoss,
  classLosses,
  decidesYes,
  decisions,
  macroAuc,
  topAccuracy,
} from "./class-metrics.js";
import type { Predictions } from "./evaluate.js";
import type { ErrorScale } from "./intervals.js";
import { auc, calibrationError, type Floats, logLoss, logLosses, meanAbsoluteDifference, shareOf } from "./metrics.js";
import { errors, explainedVariance, meanError } from "./number-metrics.js";
import { binaryCalibration, type Calibration, classCalibration } from "./temperature.js";

export interface Task {
  readonly kind: TaskKind;
  /** The losses of a training step, and the dtype of its labels. */
  readonly objective: Objective;
  /** Width of the model's head: with 1 its logits are [batch], else [batch, outputs]. */
  readonly numOutputs: number;
  /** The name of the loss, in words. */
  readonly lossName: string;
  /** Entries that the task adds to the metadata of an exported model. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The loss by which checkpoints are chosen, and the metrics; all of them weighted where rows have weights. */
  readonly measure: (predictions: Predictions) => { readonly loss: number } & Metrics;
  /** The loss of each row, [rows]: `measure` has their mean as its loss, where labels have no weights. */
  readonly rowLosses: (predictions: Predictions) => Float64Array;
  /** For numbers, how labels differ from predictions; null for classes. */
  readonly errorScale: ErrorScale | null;
  /** The temperature by which probabilities are scaled after training; left out where they are not. */
  readonly calibration?: Calibration;
  /** How far two sets of predictions of the same rows are apart, on average. */
  readonly distance: (a: Floats, b: Floats) => number;
  /** How often two sets of predictions lead to different decisions; for numbers, their mean distance. */
  readonly churn: (a: Floats, b: Floats) => number;
  /** Whether the decision of each row is its label, 1 or 0: [rows]; left out for numbers, which are not decided. */
  readonly isRight?: (predictions: Pick<Predictions, "probs" | "labels">) => Uint8Array;
}

/** The output of an exported model: the probability of the positive label, those of all classes, or the number. */
export const outputNames: { readonly [K in TaskKind]: string } = {
  binary: "probability",
  multiclass: "probabilities",
  regression: "prediction",
};

/** Classes up to which their macro AUC is a metric: it sorts all rows once for each. */
const MAX_AUC_CLASSES = 20;

/** Classes above which the top-5 accuracy is a metric. */
const TOP = 5;

export interface BinaryTaskOptions {
  /** The values of label 0 and label 1, where they have words of their own. */
  readonly classes?: readonly string[] | undefined;
  /** The weight of the positive label, that of the negative being 1. */
  readonly positiveWeight?: number | undefined;
  readonly smoothing?: LabelSmoothing | undefined;
  readonly distillLoss?: DistillLossName | undefined;
  readonly hasTemperature?: boolean | undefined;
}

/** Binary, a label that is 0 or 1: the probability that it is 1. A probability of a half or more decides for it. */
export function binaryTask({ classes, hasTemperature = false, ...options }: BinaryTaskOptions = {}): Task {
  const { positiveWeight = 1 } = options;
  const isPlain = Object.values(options).every((value) => value === undefined);
  const decides = (p: number | undefined) => decidesYes(p ?? 0);
  return {
    kind: "binary",
    objective: isPlain ? binary : weightedBinary(options),
    numOutputs: 1,
    lossName: logLossName(positiveWeight !== 1),
    metadata: classes === undefined ? {} : { negative: classes[0] ?? "", positive: classes[1] ?? "" },
    measure: ({ probs, labels, weights }) => ({
      loss: logLoss(probs, labels, positiveWeight, weights),
      ...(positiveWeight !== 1 && { logLoss: logLoss(probs, labels, 1, weights) }),
      auc: auc(probs, labels, weights),
      accuracy: shareOf(labels.length, (i) => decides(probs[i]) === (labels[i] === 1), weights),
      calibrationError: calibrationError(probs, (i) => labels[i] === 1, weights),
    }),
    rowLosses: ({ probs, labels }) => logLosses(probs, labels),
    errorScale: null,
    ...(hasTemperature && { calibration: binaryCalibration([1, positiveWeight]) }),
    distance: meanAbsoluteDifference,
    churn: (a, b) => shareOf(a.length, (i) => decides(a[i]) !== decides(b[i])),
    isRight: ({ probs, labels }) => Uint8Array.from(probs, (p, i) => Number(decides(p) === (labels[i] === 1))),
  };
}

export interface MulticlassTaskOptions {
  /** Names of the classes by index. */
  readonly classes: readonly string[];
  readonly classWeights?: readonly number[] | undefined;
  readonly smoothing?: LabelSmoothing | undefined;
  readonly distillLoss?: DistillLossName | undefined;
  readonly hasTemperature?: boolean | undefined;
}

/** Multiclass, one of several classes: the probability of each. The most probable one is decided for. */
export function multiclassTask({ classes, hasTemperature = false, ...options }: MulticlassTaskOptions): Task {
  const numClasses = classes.length;
  const { classWeights } = options;
  return {
    kind: "multiclass",
    objective: categorical({ numClasses, ...options }),
    numOutputs: numClasses,
    lossName: logLossName(classWeights !== undefined),
    metadata: { task: "multiclass", classes: JSON.stringify(classes) },
    measure: ({ probs, labels, weights }) => ({
      loss: classLogLoss(probs, labels, classWeights, weights),
      ...(classWeights && { logLoss: classLogLoss(probs, labels, undefined, weights) }),
      ...(numClasses <= MAX_AUC_CLASSES && { auc: macroAuc(probs, labels, weights) }),
      accuracy: topAccuracy(probs, labels, 1, weights),
      ...(numClasses > TOP && { top5Accuracy: topAccuracy(probs, labels, TOP, weights) }),
      calibrationError: classCalibrationError(probs, labels, weights),
    }),
    rowLosses: ({ probs, labels }) => classLosses(probs, labels),
    errorScale: null,
    ...(hasTemperature && { calibration: classCalibration(numClasses, classWeights) }),
    // Half the sum over classes: of two, the distance between the probabilities of either.
    distance: (a, b) => (numClasses / 2) * meanAbsoluteDifference(a, b),
    churn: (a, b) => {
      const [ofA, ofB] = [decisions(a, numClasses), decisions(b, numClasses)];
      return shareOf(ofA.length, (i) => ofA[i] !== ofB[i]);
    },
    isRight: ({ probs, labels }) =>
      Uint8Array.from(decisions(probs, numClasses), (decided, i) => Number(decided === labels[i])),
  };
}

export interface RegressionTaskOptions extends RegressionOptions {
  /** Given where labels and predictions are stored as (x - center) / scale; metrics are in the unit of x. */
  readonly shift?: { readonly center: number; readonly scale: number } | undefined;
}

/**
 * The regression task. The loss, in training and validation, is that of labels standardised by mean and standard
 * deviation, so that always predicting the mean costs about 1 under squared errors; with `logUnit`, it is that of the
 * labels' standardised logarithms. Metrics and predictions are in the unit of the labels.
 */
export function regressionTask({ shift, ...options }: RegressionTaskOptions): Task {
  const { loss = "squared", delta = 1, mean = 0, std = 1, logUnit } = options;
  const { center, scale } = shift ?? { center: 0, scale: 1 };
  const error = (difference: number) => errors[loss](difference / std, delta);
  const learned = ({ probs, labels }: Predictions) =>
    logUnit === undefined ? { probs, labels } : { probs: logsOf(probs, logUnit), labels: logsOf(labels, logUnit) };
  const lossOf = (predictions: Predictions) => {
    const { probs, labels } = learned(predictions);
    return meanError(probs, labels, error, predictions.weights);
  };
  return {
    kind: "regression",
    objective: regression(options),
    numOutputs: 1,
    lossName: `standardised ${loss} error`,
    metadata: {
      task: "regression",
      labelMean: String(center + scale * mean),
      labelStd: String(scale * std),
      ...(shift && { labelCenter: String(center) }),
      ...(logUnit !== undefined && { labelLogUnit: String(logUnit) }),
    },
    measure: ({ probs, labels, weights }) => ({
      loss: lossOf({ probs, labels, weights }),
      rmse: scale * Math.sqrt(meanError(probs, labels, errors.squared, weights)),
      mae: scale * meanError(probs, labels, errors.absolute, weights),
      r2: explainedVariance(probs, labels, weights),
    }),
    rowLosses(predictions) {
      const { probs, labels } = learned(predictions);
      return Float64Array.from(probs, (p, i) => error(p - (labels[i] as number)));
    },
    errorScale: {
      errors(predictions) {
        const { probs, labels } = learned(predictions);
        return Float64Array.from(probs, (p, i) => scale * ((labels[i] as number) - p));
      },
      moved: (prediction, error) =>
        logUnit === undefined ? prediction + error : logUnit * Math.expm1(Math.log1p(prediction / logUnit) + error),
    },
    distance: (a, b) => scale * meanAbsoluteDifference(a, b),
    churn: (a, b) => scale * meanAbsoluteDifference(a, b),
  };
}

/** ln(1 + x / unit). */
function logsOf(values: ArrayLike<number>, unit: number): Float64Array {
  return Float64Array.from(values, (x) => Math.log1p(x / unit));
}

function logLossName(isWeighted: boolean): string {
  return isWeighted ? "weighted log loss" : "log loss";
}
