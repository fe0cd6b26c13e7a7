/** The losses of examples that are mixtures of two others, each with the labels of both. */
import { reshape } from "../graph/ops.js";
import { joined } from "../graph/shape.js";
import type { Tensor } from "../graph/tensor.js";
import type { Objective } from "./losses.js";
import { forMembers } from "./members.js";

/** How many labels an example has. */
const LABELS = 2;

/**
 * The objective of labels [batch, 2] with shares as weights [batch, 2], which sum to 2 in each row, from that of one label an
 * example (mixup, Zhang et al. 2018): with the shares l and 1 - l of two labels
 *
 *     phi = mean_i (l_i phi(y_i, z_i) + (1 - l_i) phi(y'_i, z_i)).
 *
 * It is the label loss of both labels as two rows of half the weight, so that class weights, smoothing and penalties mean what
 * they do for one. Teachers predict the mixture as they do any input: psi knows nothing of labels, and its rows count alike.
 */
export function mixedObjective(one: Objective): Objective {
  const each = (values: Tensor) => reshape(values, [joined(values.shape)]);
  const { dtype } = one.labels ?? { dtype: "float32" };
  return {
    ...one,
    labels: { shape: ["batch", LABELS], dtype },
    labelLoss: (logits, labels, shares) =>
      one.labelLoss(forMembers(logits, LABELS), each(labels), shares && each(shares)),
    priorLoss: (labels, shares) => one.priorLoss(each(labels), shares && each(shares)),
    distillLoss: (logits, targets) => one.distillLoss(logits, targets),
    entropy: (targets) => one.entropy(targets),
    expectedLoss: (logits) => one.expectedLoss(logits),
  };
}
