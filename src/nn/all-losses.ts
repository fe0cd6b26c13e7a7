/** Losses on labels and against the predictions of teachers, for objectives of one's own. */
export {
  asTwoClasses,
  binaryForm,
  centredLogitSquaredError,
  jensenShannon,
  klStudentTeacher,
  klTeacherStudent,
  leastValue,
  meanEntropy,
  softCrossEntropy,
  symmetricKl,
} from "./distill-losses.js";
export { gramLoss } from "./gram-loss.js";
export {
  absoluteError,
  bestConstantLoss,
  huberError,
  type LabelSmoothing,
  type SoftmaxCrossEntropyOptions,
  softmaxCrossEntropy,
  squaredError,
  weightedSigmoidCrossEntropy,
} from "./label-losses.js";
export { bernoulliEntropy, sigmoidCrossEntropy, withConfidencePenalty } from "./losses.js";
