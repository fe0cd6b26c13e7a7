/** The losses of a model of several members, each of which predicts by itself. */
import { concat, reduceMean, reshape } from "../graph/ops.js";
import { joined } from "../graph/shape.js";
import type { Tensor } from "../graph/tensor.js";
import type { Objective } from "./losses.js";

/**
 * The objective of logits [batch, members] or [batch, members, classes], from that of one member's:
 *
 *     phi = mean_m phi(y, z_m),  psi = mean_m psi(q, z_m),  p = mean_m p(z_m).
 *
 * Each member learns by a loss of its own, and what is reported, shipped and taught is the mean of their predictions. The
 * loss of that mean would let the members make up for one another, and none would learn to predict by itself (Gorishniy,
 * Kotelnikov and Babenko 2025, section 3).
 */
export function membersObjective(one: Objective): Objective {
  const repeated = (values: Tensor, logits: Tensor) => forMembers(values, logits.shape[1] as number);
  const repeat =
    (of: (logits: Tensor, values: Tensor, weights?: Tensor) => Tensor) =>
    (logits: Tensor, values: Tensor, weights?: Tensor) =>
      of(flat(logits), repeated(values, logits), weights && repeated(weights, logits));
  return {
    ...one,
    probs: (logits) => {
      const [batch = "batch", count = 1, ...classes] = logits.shape;
      return reduceMean(reshape(one.probs(flat(logits)), [batch, count, ...classes]), [1]);
    },
    labelLoss: repeat(one.labelLoss),
    distillLoss: repeat(one.distillLoss),
    expectedLoss: (logits, weights) => one.expectedLoss(flat(logits), weights && repeated(weights, logits)),
  };
}

/** [batch, members, ...] as [batch x members, ...]. */
function flat(x: Tensor): Tensor {
  const [batch = "batch", count = 1, ...rest] = x.shape;
  return reshape(x, [joined([batch, count]), ...rest]);
}

/** Values [batch, ...] for each member: [batch x members, ...]. */
export function forMembers(values: Tensor, count: number): Tensor {
  const [batch = "batch", ...rest] = values.shape;
  const one = reshape(values, [batch, 1, ...rest]);
  return flat(
    concat(
      Array.from({ length: count }, () => one),
      1,
    ),
  );
}
