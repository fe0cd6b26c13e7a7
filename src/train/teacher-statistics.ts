/** Statistics of a step's teachers: small sums over the batch, which student and teachers predict anyway. */
import {
  abs,
  add,
  constant,
  div,
  expand,
  gather,
  greater,
  log,
  mul,
  reduceMean,
  reduceSum,
  square,
  sub,
  where,
} from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import type { Objective } from "../nn/losses.js";
import { int32 } from "../runtime/array.js";

/** The statistics of one teacher on one step's batch. */
export interface TeacherStatistics {
  /** Its label loss, in nats per example. */
  readonly loss: number;
  /** The label loss that it expects of itself: the mean entropy of its probabilities, 0 of numbers. */
  readonly expectedLoss: number;
  /** The variance of its probabilities over the batch; of several classes, summed. */
  readonly variance: number;
  /**
   * Mean absolute difference between its probabilities and the student's, of several classes half the sum over them (the
   * total variation): how far the two models are apart. Of a sample, where a batch has very many logits.
   */
  readonly distance: number;
}

/**
 * The variance of the student's probabilities, and the prior loss: the label loss of guessing by the frequencies of the
 * batch's labels, corrected for labels outside the batch.
 */
export interface StudentStatistics {
  readonly variance: number;
  readonly priorLoss: number;
}

/** Names of the scalars that a step puts out. */
export const statisticNames = {
  priorLoss: "statistics.priorLoss",
  variance: "statistics.variance",
  teacher: (slot: number, statistic: keyof TeacherStatistics) => `statistics.${slot}.${statistic}`,
} as const;

/**
 * The statistics of a batch as outputs of its step, from the logits of the student and of the teachers, in slot order. Expected losses, variances
 * and distances are those of {@link sample}. Losses are of rows with their weights, where they have some.
 */
export function teacherStatistics(
  objective: Objective,
  logits: Tensor,
  teachers: readonly Tensor[],
  labels: Tensor,
  weights?: Tensor,
): Tensors {
  const probs = objective.probs(sample(logits));
  const outputs: Record<string, Tensor> = {
    [statisticNames.priorLoss]: add(objective.priorLoss(labels, weights), unseenLabels(objective, labels, weights)),
    [statisticNames.variance]: variance(probs),
  };
  for (const [slot, teacher] of teachers.entries()) {
    const predicted = objective.probs(sample(teacher));
    outputs[statisticNames.teacher(slot, "loss")] = objective.labelLoss(teacher, labels, weights);
    outputs[statisticNames.teacher(slot, "expectedLoss")] = objective.expectedLoss(
      sample(teacher),
      weights && sample(weights, teacher),
    );
    outputs[statisticNames.teacher(slot, "variance")] = variance(predicted);
    outputs[statisticNames.teacher(slot, "distance")] = meanDistance(predicted, probs);
  }
  return outputs;
}

/**
 * What guessing by the frequencies of n labels loses more on other labels than on these: log(1 + k / n) / 2, where the
 * guess takes k numbers from the labels. That is about k / 2n (Miller and Madow 1955); the whole log(1 + k / n) would
 * be right if no label counted for its own guess. Labels with weights w are as many as (sum w)^2 / sum w^2 (Kish 1965).
 */
function unseenLabels({ numGuessed }: Objective, labels: Tensor, weights?: Tensor): Tensor {
  const numLabels = weights ? effectiveNumber(weights) : reduceSum(expand(1, labels));
  return mul(0.5, log(add(1, div(numGuessed, numLabels))));
}

/** (sum w)^2 / sum w^2, and 1 where all weights are 0. */
function effectiveNumber(weights: Tensor): Tensor {
  const squares = reduceSum(square(weights));
  return where(greater(squares, 0), div(square(reduceSum(weights)), squares), 1);
}

/** Logits of a batch that are looked at: of more, statistics would cost a step more than they show. */
const MOST_LOGITS = 2 ** 20;

/** Rows that are looked at, however many classes they have. */
const FEWEST_ROWS = 16;

/**
 * All rows of the logits or, where they are known to be more than {@link MOST_LOGITS} logits, some rows at equal
 * distances; and the same rows of something else.
 */
function sample(of: Tensor, logits = of): Tensor {
  const [numRows, numClasses] = logits.shape;
  if (logits.shape.length !== 2 || typeof numRows !== "number" || typeof numClasses !== "number") return of;
  const few = Math.max(FEWEST_ROWS, Math.floor(MOST_LOGITS / numClasses));
  if (few >= numRows) return of;
  const rows = Int32Array.from({ length: few }, (_, i) => Math.floor((i * numRows) / few));
  return gather(of, constant(int32(rows)));
}

function variance(probs: Tensor): Tensor {
  const centred = sub(probs, reduceMean(probs, [0], true));
  return reduceMean(ofExample(mul(centred, centred)));
}

function meanDistance(p: Tensor, q: Tensor): Tensor {
  const apart = ofExample(abs(sub(p, q)));
  // Half the sum over classes: with two classes, that is the difference in the probability of one of them.
  return reduceMean(p.shape.length > 1 ? mul(0.5, apart) : apart);
}

/** The sum over classes, where there are several. */
function ofExample(x: Tensor): Tensor {
  return x.shape.length > 1 ? reduceSum(x, [x.shape.length - 1]) : x;
}
