/** Rows of logits with labels or targets for every loss but the binary ones, as data for `losses.py` and for the tests. */
import type { DistillLossName } from "../../src/nn/distill-losses.js";
import type { SoftmaxCrossEntropyOptions } from "../../src/nn/label-losses.js";

/** The numbers that a loss is of, flat: 3 rows of 4 for classes, else one number each. */
export type RowLossCase =
  | { readonly kind: "label"; readonly options: SoftmaxCrossEntropyOptions; readonly labels: readonly number[] }
  | { readonly kind: "confidencePenalty"; readonly weight: number; readonly labels: readonly number[] }
  | { readonly kind: "binaryConfidencePenalty"; readonly weight: number; readonly targets: readonly number[] }
  | { readonly kind: "distill"; readonly name: DistillLossName; readonly targets: readonly number[] }
  | { readonly kind: "binaryDistill"; readonly name: DistillLossName; readonly targets: readonly number[] }
  | { readonly kind: "positiveWeight"; readonly weight: number; readonly targets: readonly number[] }
  | { readonly kind: "squared" | "absolute"; readonly targets: readonly number[] }
  | { readonly kind: "huber"; readonly delta: number; readonly targets: readonly number[] };

/** What PyTorch says: the loss, and its gradient by the logits. */
export interface RowLossResult {
  readonly loss: number;
  readonly gradient: readonly number[];
}

export const NUM_CLASSES = 4;
/** Logits of 3 rows of 4 classes, or of 12 numbers. */
export const LOGITS = [-1.5, 0.25, 0.75, 2, -3, 0.5, 1.25, -0.125, 4, -2.5, 0.375, 1];

const labels = [3, 1, 0];
const targets = [0.125, 0.5, 0.25, 0.125, 0.0625, 0.0625, 0.75, 0.125, 0.9375, 0.015625, 0.015625, 0.03125];
const numbers = [-1.25, 0.5, 0.75, -2, 3, 0.25, 1.5, 0.125, 2, -2.5, 4.375, 1.0625];
const probs = [0.125, 0.5, 0.25, 0.125, 0.0625, 0.5, 0.75, 0.875, 0.9375, 0.015625, 0.625, 0.03125];
const hard = [0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1];
const classWeights = [0.5, 2, 1, 0.25];
const prior = [0.5, 0.25, 0.125, 0.125];

const NAMES: readonly DistillLossName[] = [
  "softCrossEntropy",
  "klTeacherStudent",
  "klStudentTeacher",
  "symmetricKl",
  "jensenShannon",
  "centredLogitSquaredError",
];

export const rowLossCases: Readonly<Record<string, RowLossCase>> = {
  labels: { kind: "label", options: {}, labels },
  "class weights": { kind: "label", options: { classWeights }, labels },
  "a label that does not count": { kind: "label", options: { ignoreIndex: -100 }, labels: [3, -100, 0] },
  "a class that does not count": { kind: "label", options: { ignoreIndex: 1 }, labels },
  "uniform smoothing": { kind: "label", options: { smoothing: { amount: 0.125 } }, labels },
  "smoothing by unigrams": { kind: "label", options: { smoothing: { amount: 0.25, prior } }, labels },
  "everything at once": {
    kind: "label",
    options: { classWeights, ignoreIndex: 2, smoothing: { amount: 0.125 } },
    labels: [3, 2, 1],
  },
  "confidence penalty": { kind: "confidencePenalty", weight: 0.375, labels },
  "confidence penalty of two classes": { kind: "binaryConfidencePenalty", weight: 0.375, targets: hard },
  ...Object.fromEntries(NAMES.map((name) => [name, { kind: "distill", name, targets }] as const)),
  ...Object.fromEntries(
    NAMES.map((name) => [`${name} of two classes`, { kind: "binaryDistill", name, targets: probs }] as const),
  ),
  "positive weight 3": { kind: "positiveWeight", weight: 3, targets: hard },
  "positive weight 0.25, soft": { kind: "positiveWeight", weight: 0.25, targets: probs },
  "squared error": { kind: "squared", targets: numbers },
  "absolute error": { kind: "absolute", targets: numbers },
  "Huber's error": { kind: "huber", delta: 1, targets: numbers },
  "Huber's error beyond 0.5": { kind: "huber", delta: 0.5, targets: numbers },
};
