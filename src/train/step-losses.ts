/** The losses of a step: of the labels, and of the teachers' mean prediction. */
import { ConfigError } from "../errors.js";
import { add, div, input, mul, stopGradient, sub } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { gramLoss } from "../nn/gram-loss.js";
import { type BeforeHead, learnOverChunks } from "./chunked-loss.js";
import { fixedMean } from "./fixed-networks.js";
import type { Distillation, Learner } from "./learner.js";
import { taughtPlaces } from "./taught-rows.js";
import { teacherStatistics } from "./teacher-statistics.js";

/** By how much a part of a step counts, and by how much more or less its labels do; 1 where they are left out. */
export interface Shares {
  readonly partShare?: Tensor | undefined;
  readonly labelShare?: Tensor | undefined;
}

/**
 * The labels of a batch, and their weights where they have some: both [batch], or [batch, 2] of mixed examples. Where fixed teachers teach, also what they
 * predict, [batch] or [batch, classes].
 */
export interface Labelled {
  readonly labels: Tensor;
  readonly weights?: Tensor | undefined;
  readonly targets?: Tensor | undefined;
  /** Or what each of them says of the batch. */
  readonly fixed?: readonly Said[] | undefined;
}

/** The output of a model for a batch, and for a fresh copy of it where psi is of that. */
export interface Said extends BeforeHead {
  readonly logits: Tensor;
  readonly fresh?: Omit<Said, "weights" | "fresh">;
}

/**
 * The losses and statistics of a student and its teachers, given in that order; and a scalar to differentiate, which
 * has the gradients of the loss. Computed chunk by chunk where the model has so many logits.
 */
export function lossesOf(
  learner: Learner,
  said: readonly Said[],
  { labels, weights: everyWeight, targets: given, fixed = [] }: Labelled,
  shares: Shares,
): { readonly losses: Tensors; readonly loss: Tensor } {
  const { model, objective, distillation = {}, fixedTeachers } = learner;
  const { temperature = 1, mix, taught, gramWeight = 0 } = distillation;
  const soften = (sharp: Tensor) => (temperature === 1 ? sharp : div(sharp, temperature));
  const scale = (value: Tensor) => (temperature === 1 ? value : mul(value, temperature ** 2));
  const seen = (x: Tensor) => taughtPlaces(model, x, taught);
  const fresh = said.flatMap((one) => one.fresh?.logits ?? []);
  const ofLogits = ([every, ...beside]: readonly Tensor[], all: Tensor): Tensors => {
    const [teachers, fixedOnes] = [beside.slice(0, said.length - 1), beside.slice(said.length - 1)];
    const labelLoss = objective.labelLoss(every as Tensor, all, everyWeight);
    const ofFixed = given ? fromLabelUnit(given) : fixedMean(learner, fixedOnes.map(objective.probs));
    const ofLabels = ofFixed ? { labelLoss, targetLoss: againstFixed(every as Tensor, ofFixed) } : { labelLoss };
    const [freshLogits, ...freshTeachers] = fresh;
    const teaching = freshLogits ? freshTeachers : teachers;
    const targets = teachersMean(teaching.map((teacher) => objective.probs(soften(teacher))));
    if (!targets) return ofLabels;
    const [logits, labelled, weights] = [seen(every as Tensor), seen(all), everyWeight && seen(everyWeight)];
    const distillLoss = scale(objective.distillLoss(soften(freshLogits ?? logits), targets, weights));
    // The least loss against a single teacher is that of its own logits, whose logarithms are computed already.
    const [first, ...others] = teaching as [Tensor, ...Tensor[]];
    const least =
      others.length > 0 ? objective.entropy(targets, weights) : objective.distillLoss(soften(first), targets, weights);
    const divergence = sub(distillLoss, scale(least));
    const statistics = teacherStatistics(objective, logits, teachers, labelled, weights);
    return { ...ofLabels, distillLoss, divergence, ...statistics };
  };
  const { fromLabelUnit = (p: Tensor) => p } = objective;
  const againstFixed = (logits: Tensor, targets: Tensor) => objective.distillLoss(logits, targets, everyWeight);
  const lossOf = (losses: Tensors) => mixed(losses, { mix, fixedWeight: fixedTeachers?.weight, ...shares });
  const { head } = model;
  if (head && head.numChunks > 1) {
    if (everyWeight || given || taught || fresh.length > 0)
      throw new Error("internal: weights, given targets, and teaching on other rows, need all logits at once");
    const { means, loss } = learnOverChunks(head, [...said, ...fixed], labels, ofLogits, lossOf);
    return withGram(means, loss);
  }
  const losses = ofLogits(
    [...said, ...fixed].map(({ logits }) => logits),
    labels,
  );
  return withGram(losses, lossOf(losses));

  /** With w g times the mean Gram loss of the teachers added, which is of rows and so never cut into chunks. */
  function withGram(losses: Tensors, loss: Tensor) {
    if (gramWeight === 0 || said.length === 1) return { losses, loss };
    const [student, ...teachers] = said.map(({ fresh = {}, rows }, i) =>
      "logits" in fresh ? fresh.rows : rows && i === 0 ? seen(rows) : rows,
    );
    // Mixed examples have weights of their labels, and count alike as rows.
    const weights = everyWeight?.shape.length === 1 ? seen(everyWeight) : undefined;
    const each = teachers.map((teacher) => gramLoss(hidden(student), stopGradient(hidden(teacher)), weights));
    const gram = div(each.reduce(add), each.length);
    const weighted = mul(mul(input("distillWeight", []), gramWeight), gram);
    const { partShare } = shares;
    return {
      losses: { ...losses, gramLoss: gram },
      loss: add(loss, partShare ? mul(weighted, partShare) : weighted),
    };
  }
}

function hidden(rows: Tensor | undefined): Tensor {
  if (rows) return rows;
  throw new ConfigError(
    "algorithm.gramWeight: compares the last hidden layers of student and teachers, and the model gives none (`rows` of `carry` and `train`); leave it out",
  );
}

interface Mixing extends Shares {
  readonly mix?: Distillation["mix"] | undefined;
  /** The weight of the fixed teachers, where there are some. */
  readonly fixedWeight?: number | undefined;
}

/**
 * phi + w psi, or (1 - w) phi + w psi; phi alone without teachers. With a share s of labels, s phi in place of phi; with fixed
 * teachers of weight v and their loss psi_v, then (1 - v) phi + v psi_v in its place. All of it times the share of the part.
 */
function mixed(losses: Tensors, { mix = "sum", fixedWeight, partShare, labelShare }: Mixing): Tensor {
  const { labelLoss, targetLoss, distillLoss } = losses as {
    readonly labelLoss: Tensor;
    readonly targetLoss?: Tensor;
    readonly distillLoss?: Tensor;
  };
  const ofLabels = labelShare ? mul(labelShare, labelLoss) : labelLoss;
  const phi =
    targetLoss && fixedWeight !== undefined
      ? add(mul(1 - fixedWeight, ofLabels), mul(fixedWeight, targetLoss))
      : ofLabels;
  const whole = distillLoss ? withDistillation(phi, distillLoss, mix) : phi;
  return partShare ? mul(whole, partShare) : whole;
}

function withDistillation(phi: Tensor, psi: Tensor, mix: Distillation["mix"]): Tensor {
  const weight = input("distillWeight", []);
  return add(mix === "sum" ? phi : mul(sub(1, weight), phi), mul(weight, psi));
}

/** The mean prediction of the teachers; no gradient flows into it. */
function teachersMean(probs: readonly Tensor[]): Tensor | undefined {
  const [first, ...others] = probs;
  return first && stopGradient(div(others.reduce(add, first), probs.length));
}
