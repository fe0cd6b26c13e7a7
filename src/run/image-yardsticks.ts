/** What a model of images must beat to have learned something: the shares of the classes, whatever an image shows. */
import type { RunResult } from "../log/events.js";
import { loss } from "../report/format.js";
import type { Task } from "../train/task.js";
import { asTestMetrics } from "./score.js";

/** What the answer is made from, and what it is held against. */
export interface ClassShares {
  /** Training images of each class, and by how much its losses count, 1 each by default. */
  readonly counts: readonly number[];
  readonly classWeights?: readonly number[] | undefined;
  /** The class of each test image. */
  readonly labels: Int32Array;
}

/**
 * A result with the test scores of answering with the share of each class in training (times its weight), and a remark where the
 * shipped model is no better.
 */
export function besideShares(result: RunResult, task: Task, { counts, classWeights, labels }: ClassShares): RunResult {
  const weighted = counts.map((count, k) => count * (classWeights?.[k] ?? 1));
  const total = weighted.reduce((sum, count) => sum + count, 0);
  const shares = Float32Array.from(weighted, (count) => count / total);
  const probs = new Float32Array(labels.length * shares.length);
  for (let i = 0; i < labels.length; i++) probs.set(shares, i * shares.length);
  const constant = { name: "shares of the classes", ...asTestMetrics(task.measure({ probs, labels })) };
  const shipped = result.groups.find(({ group }) => group === result.shippedGroup);
  const isLearned = !shipped || shipped.testLoss < constant.testLoss;
  return {
    ...result,
    yardsticks: [constant],
    ...(!isLearned && {
      remarks: [
        `the model is no better than one answer to all images: ${result.lossName ?? "loss"} ${loss(shipped.testLoss)}, and ${loss(constant.testLoss)} by the ${constant.name}. Train for more steps (numSteps) or with a lower optimizer.learningRate, give more images, or look whether their classes are right.`,
      ],
    }),
  };
}
