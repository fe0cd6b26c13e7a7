/** Temperature scaling of probabilities (Guo et al. 2017, section 4.2): one number, fitted to validation rows. */
import { div, log, maximum, sigmoid, softmax, sub } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import type { Predictions } from "./evaluate.js";
import { LEAST_PROB } from "./metrics.js";

/** Temperature scaling of a task's probabilities. */
export interface Calibration {
  /** The temperature for predictions and their labels; see {@link temperatureOf}. */
  readonly fit: (predictions: Predictions) => number;
  /** Probabilities at a temperature: of classes p^(1/T) / sum p^(1/T), on the host. */
  readonly apply: (probs: Float32Array, temperature: number) => Float32Array;
  /** The same in a graph, of probabilities [batch] or [batch, classes]. */
  readonly graph: (probs: Tensor, temperature: number) => Tensor;
}

/** Of probabilities [batch] of the second of two classes; the label losses have a weight each. */
export function binaryCalibration(weights: readonly [negative: number, positive: number] = [1, 1]): Calibration {
  const asClasses = (probs: ArrayLike<number>) => {
    const both = new Float64Array(2 * probs.length);
    for (let i = 0; i < probs.length; i++) {
      both[2 * i] = 1 - (probs[i] as number);
      both[2 * i + 1] = probs[i] as number;
    }
    return both;
  };
  return {
    fit: ({ probs, labels, weights: rowWeights }) =>
      temperatureOf({ probs: asClasses(probs), labels, numClasses: 2, weights, rowWeights }),
    apply: (probs, temperature) =>
      Float32Array.from(probs, (p) => 1 / (1 + Math.exp((logOf(1 - p) - logOf(p)) / temperature))),
    graph: (probs, temperature) => sigmoid(div(sub(logAt(probs), logAt(sub(1, probs))), temperature)),
  };
}

/** Of probabilities [batch, classes]; the label loss has a weight for each class, 1 by default. */
export function classCalibration(numClasses: number, weights?: readonly number[]): Calibration {
  return {
    fit: ({ probs, labels, weights: rowWeights }) =>
      temperatureOf({ probs, labels, numClasses, ...(weights && { weights }), rowWeights }),
    apply: (probs, temperature) => {
      const scaled = new Float32Array(probs.length);
      for (let at = 0; at < probs.length; at += numClasses) {
        let sum = 0;
        for (let k = 0; k < numClasses; k++) {
          const power = Math.exp(logOf(probs[at + k] as number) / temperature);
          scaled[at + k] = power;
          sum += power;
        }
        for (let k = 0; k < numClasses; k++) scaled[at + k] = (scaled[at + k] as number) / sum;
      }
      return scaled;
    },
    graph: (probs, temperature) => softmax(div(logAt(probs), temperature)),
  };
}

/** The standard deviation of ln T that is expected before any row is seen. */
const PRIOR_STD = 0.3;
const MOST_ROUNDS = 20;
const LARGEST_MOVE = 0.5;
const TOLERANCE = 1e-6;

/** Probabilities [rows, classes], the labels of the rows, and weights of classes and of rows; 1 each by default. */
export interface ForTemperature {
  readonly probs: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly numClasses: number;
  readonly weights?: readonly number[];
  readonly rowWeights?: ArrayLike<number> | undefined;
}

/**
 * The temperature T of the least
 *
 *     sum_i v_i w_yi (-log softmax(l_i / T)_yi) + (ln T)^2 / (2 s^2),   l = log p,
 *
 * by Newton's method for ln T. The second term, with s = 0.3, keeps the T of few rows near 1: without it, rows that are all
 * predicted right would ask for T = 0. Of very many rows it says nothing.
 */
export function temperatureOf({ probs, labels, numClasses, weights, rowWeights }: ForTemperature): number {
  const logs = Float64Array.from(probs, logOf);
  let logBeta = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const beta = Math.exp(logBeta);
    let [slope, curvature] = [0, 0];
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number;
      const { mean, variance } = momentsOf(logs, i * numClasses, numClasses, beta);
      const weight = (weights?.[label] ?? 1) * (rowWeights?.[i] ?? 1);
      slope += weight * beta * (mean - (logs[i * numClasses + label] as number));
      curvature += weight * beta ** 2 * variance;
    }
    // The second derivative by ln T has the slope in it too; where that is negative, the rest is curvature enough.
    const whole = curvature + Math.max(0, slope) + 1 / PRIOR_STD ** 2;
    const downhill = -(slope + logBeta / PRIOR_STD ** 2) / whole;
    const move = Math.max(-LARGEST_MOVE, Math.min(LARGEST_MOVE, downhill));
    logBeta += move;
    if (!(Math.abs(move) > TOLERANCE)) break;
  }
  return Math.exp(-logBeta);
}

/** Mean and variance of l under softmax(beta l), for the classes of a row. */
function momentsOf(logs: Float64Array, start: number, numClasses: number, beta: number) {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = start; k < start + numClasses; k++) largest = Math.max(largest, logs[k] as number);
  let [total, first, second] = [0, 0, 0];
  for (let k = start; k < start + numClasses; k++) {
    const distance = (logs[k] as number) - largest;
    const power = Math.exp(beta * distance);
    total += power;
    first += power * distance;
    second += power * distance ** 2;
  }
  const mean = first / total;
  return { mean: mean + largest, variance: second / total - mean ** 2 };
}

/** log p, of a p that is kept away from 0 as in the metrics. */
function logOf(p: number): number {
  return Math.log(Math.max(LEAST_PROB, p));
}

/** The same in a graph. */
function logAt(p: Tensor): Tensor {
  return log(maximum(p, LEAST_PROB));
}
