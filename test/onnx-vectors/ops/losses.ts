import * as ops from "../../../src/graph/ops.js";
import type { Tensor } from "../../../src/graph/tensor.js";
import { type SoftmaxCrossEntropyOptions, softmaxCrossEntropy } from "../../../src/nn/label-losses.js";
import { float32, int32, sizeOf } from "../../../src/runtime/array.js";
import { numbersAt, sizes, type Translations } from "../call.js";
import { notOurs } from "../values.js";
import { float } from "./elementwise.js";
import { withLast } from "./shapes.js";

export const lossesTranslations: Translations = {
  SoftmaxCrossEntropyLoss: (call) => {
    const logits = classesLast(float(call, 0));
    const labels = call.tensor(1);
    const classWeights = numbersAt(call, 2);
    const ignoreIndex = call.attribute("ignore_index")?.i;
    const options: SoftmaxCrossEntropyOptions = {
      ...(classWeights && { classWeights }),
      ...(ignoreIndex !== undefined && { ignoreIndex }),
    };
    const mean = softmaxCrossEntropy(logits, labels, options);
    const loss = {
      mean: () => mean,
      // Ours is a mean over the weights of the labels, of which the sum makes a sum.
      sum: () => ops.mul(mean, ops.reduceSum(labelWeights(labels, options))),
      none: () => ops.mul(eachRow(logits, labels, options), labelWeights(labels, options)),
    }[call.text("reduction", "mean")];
    if (!loss) return notOurs(`reduction ${call.text("reduction", "mean")}`);
    return [loss(), withLast(float(call, 0), 1, ops.logSoftmax)];
  },
  NegativeLogLikelihoodLoss: () =>
    notOurs("log probabilities as they are, and here they are of no distribution; ours takes logits"),
};

/** Logits [batch, classes, ...] as [batch, ..., classes]. */
function classesLast(x: Tensor): Tensor {
  const [batch, classes, ...others] = ops.allAxes(x) as [number, number, ...number[]];
  return others.length === 0 ? x : ops.transpose(x, [batch, ...others, classes]);
}

/** What each label counts: the weight of its class, 0 for those that are ignored. */
function labelWeights(labels: Tensor, { classWeights, ignoreIndex }: SoftmaxCrossEntropyOptions): Tensor {
  const isCounted = ignoreIndex === undefined ? undefined : ops.not(ops.equal(labels, ignoreIndex));
  const classes = isCounted ? ops.where(isCounted, labels, 0) : labels;
  const weights = classWeights
    ? ops.gather(ops.constant(float32(classWeights)), classes)
    : ops.expand(1, ops.cast(labels, "float32"));
  return isCounted ? ops.where(isCounted, weights, 0) : weights;
}

/** The loss of each row on its own: the mean of a batch of one. */
function eachRow(logits: Tensor, labels: Tensor, options: SoftmaxCrossEntropyOptions): Tensor {
  const numRows = sizeOf(sizes(labels));
  const classes = sizes(logits).at(-1) ?? 0;
  const { outputs } = ops.scan({
    states: [ops.constant(int32([0]))],
    sequences: [ops.reshape(logits, [numRows, 1, classes]), ops.reshape(labels, [numRows, 1])],
    body: ([state], [row, label]) => ({
      states: [state as Tensor],
      outputs: [softmaxCrossEntropy(row as Tensor, label as Tensor, options)],
    }),
  });
  return ops.reshape(outputs[0] as Tensor, labels.shape);
}
