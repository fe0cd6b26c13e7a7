/** The graphs that training runs. A whole step is one of them: forward, losses, teachers, backward and update. */
import { labelsName } from "../data/batch.js";
import { gradients } from "../graph/grad.js";
import type { Graph } from "../graph/graph.js";
import { add, div, greater, input, mul, reduceSum, stopGradient, sub, where } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { type Objective, predict } from "../nn/losses.js";
import { type BufferSpec, carry, inputTensors, type Model, paramTensors, train, weightTensors } from "../nn/model.js";
import { rowGradients, step, withRows } from "../optim/sparse-updates.js";
import type { GradientTransformation } from "../optim/transformations.js";
import { mapValues, underPrefix, withPrefix } from "../runtime/named.js";
import { type BeforeHead, learnOverChunks } from "./chunked-loss.js";
import { teacherStatistics } from "./teacher-statistics.js";

/** A model, the losses that train it, and the rule of its updates. */
export interface Learner {
  readonly model: Model;
  readonly objective: Objective;
  readonly optimizer: GradientTransformation;
  readonly distillation?: Distillation;
  /**
   * Keep a moving average of the params, e <- decay e + (1 - decay) params after each step, which begins as the initial
   * params.
   */
  readonly ema?: { readonly decay: number };
}

/** How the distillation loss psi joins the label loss phi; the paper's way by default. */
export interface Distillation {
  /** T: psi compares logits / T on both sides and is multiplied by T^2, which keeps the size of its gradient. 1 by default. */
  readonly temperature?: number;
  /** "sum" (default): phi + w psi. "convex": (1 - w) phi + w psi, whose gradient does not grow with w. */
  readonly mix?: "sum" | "convex";
}

/** Names under which the engine keeps the state of a learner and of its teachers. */
export const stateNames = {
  params: "params",
  optState: "optState",
  ema: "ema",
  gradSum: "gradSum",
  lossSum: "lossSum",
  buffers: "buffers",
  state: "state",
  /** The tensors of {@link carriedSpecs}, as they are after some of the sub-batches of a step. */
  after: "after",
  teacher: (slot: number) => `teachers.${slot}`,
  teacherState: (slot: number) => `teacherState.${slot}`,
} as const;

/**
 * The tensors that are carried from batch to batch without gradients, by their names in the engine: the model's
 * buffers, its state, and the state of each teacher.
 */
export function carriedSpecs(
  { buffers, state = {} }: Pick<Model, "buffers" | "state">,
  numTeachers: number,
): Record<string, BufferSpec> {
  const states = Array.from({ length: numTeachers }, (_, slot) => withPrefix(stateNames.teacherState(slot), state));
  return Object.assign(withPrefix(stateNames.buffers, buffers ?? {}), withPrefix(stateNames.state, state), ...states);
}

/** Under which prefixes an engine keeps the weights of a model. */
export interface WeightPrefixes {
  readonly params: string;
  readonly buffers: string;
}

/** Weights under the names that the student's have in the engine: params under a prefix, buffers under `buffers`. */
export function weightState<T>(
  { buffers = {} }: Pick<Model, "buffers">,
  weights: Readonly<Record<string, T>>,
  prefix: string = stateNames.params,
): Record<string, T> {
  const entries = Object.entries(weights);
  return Object.fromEntries(
    entries.map(([name, value]) => [`${Object.hasOwn(buffers, name) ? stateNames.buffers : prefix}.${name}`, value]),
  );
}

/**
 * One optimizer step on one batch, with a number of teachers:
 *
 *     theta <- theta - eta grad{ phi(y, F(theta, f)) + w psi(mean_j F(theta_j, f), F(theta, f)) }.
 *
 * Outputs: `labelLoss`, `squaredGradNorm`, and with teachers `distillLoss`, `divergence` (the distillation loss less
 * the entropy of the targets: zero where the student agrees) and the statistics of its teachers. Updates params,
 * optState, the average of the params, and the tensors of {@link carriedSpecs}.
 */
export function stepGraph(learner: Learner, numTeachers: number): Graph {
  const { params, losses, grads, carried } = differentiate(learner, numTeachers, carriedTensors(learner, numTeachers));
  const { outputs, updates, ...step } = update(learner, params, grads, finiteLosses(losses));
  return { ...step, outputs: { ...losses, ...outputs }, updates: { ...updates, ...carried } };
}

/**
 * Adds the gradient of one of a step's parts, and its losses, to the running sums; `keepSum` is 0 at the first part,
 * else 1. Where labels have weights, the label loss of the part is multiplied by `labelShare`.
 */
export function accumulateGraph(learner: Learner, numTeachers: number): Graph {
  const isLater = greater(input("keepSum", []), 0);
  const before = mapValues(carriedTensors(learner, numTeachers), (first, name) =>
    where(isLater, input(`${stateNames.after}.${name}`, first.shape), first),
  );
  const labelShare = learner.objective.labelWeight && input("labelShare", []);
  const { losses, grads, carried } = differentiate(learner, numTeachers, before, labelShare);
  // `where` instead of a product: 0 x NaN is NaN, so a sum that was not finite would outlive its step.
  const sumOf = (name: string, { shape }: Tensor) => where(isLater, input(`${stateNames.gradSum}.${name}`, shape), 0);
  const sums = mapValues(grads, (grad, name) => add(sumOf(name, grad), grad));
  const lossSum = finiteLosses(losses).reduce(add, where(isLater, input(stateNames.lossSum, []), 0));
  return {
    outputs: losses,
    updates: {
      ...withPrefix(stateNames.gradSum, sums),
      [stateNames.lossSum]: lossSum,
      ...withPrefix(stateNames.after, carried),
    },
  };
}

/** The losses that must be finite, or the step changes nothing. */
function finiteLosses({ labelLoss, distillLoss }: Tensors): Tensor[] {
  return [labelLoss, distillLoss].filter((loss) => loss !== undefined);
}

/** The optimizer step on the mean of the `numBatches` gradients that were added up. */
export function applyGraph(learner: Learner, numTeachers = 0): Graph {
  const params = paramTensors(learner.model, stateNames.params);
  const numBatches = input("numBatches", []);
  const grads = mapValues(paramTensors(learner.model, stateNames.gradSum), (sum) => div(sum, numBatches));
  const { updates, ...rest } = update(learner, params, grads, [input(stateNames.lossSum, [])]);
  const carried = mapValues(carriedTensors(learner, numTeachers), (before, name) =>
    where(greater(numBatches, 0), input(`${stateNames.after}.${name}`, before.shape), before),
  );
  return { ...rest, updates: { ...updates, ...carried } };
}

function carriedTensors({ model }: Learner, numTeachers: number): Tensors {
  return mapValues(carriedSpecs(model, numTeachers), ({ shape }, name) => input(name, shape));
}

/** The prefix of the params that predict and are shipped: the average where there is one. */
export function shippedName({ ema }: Learner): string {
  return ema ? stateNames.ema : stateNames.params;
}

/** The predictions for a batch, by the params under a prefix and the student's buffers. */
export function predictGraph({ model, objective }: Pick<Learner, "model" | "objective">, prefix: string): Graph {
  const logits = model.apply(weightTensors(model, prefix, stateNames.buffers), inputTensors(model));
  return { outputs: { probs: predict(objective, logits) }, updates: {} };
}

/** The mean prediction of the teachers; no gradient flows into it. */
function teachersMean(probs: readonly Tensor[]): Tensor | undefined {
  const [first, ...others] = probs;
  return first && stopGradient(div(others.reduce(add, first), probs.length));
}

interface Differentiated {
  readonly params: Tensors;
  readonly losses: Tensors;
  readonly grads: Tensors;
  /** The new values of the tensors of {@link carriedSpecs}. */
  readonly carried: Tensors;
}

function differentiate(learner: Learner, numTeachers: number, before: Tensors, labelShare?: Tensor): Differentiated {
  const { model, objective } = learner;
  const params = paramTensors(model, stateNames.params);
  const inputs = inputTensors(model);
  const under = (prefix: string) => underPrefix(prefix, before);
  const weights = { ...params, ...under(stateNames.buffers), ...under(stateNames.state) };
  const student = train(model, weights, inputs);
  const { shape, dtype } = objective.labels ?? { shape: ["batch"], dtype: "float32" };
  const labels = input(labelsName, shape, dtype);
  const teachers = Array.from({ length: numTeachers }, (_, slot) => {
    const own = { ...weightTensors(model, stateNames.teacher(slot)), ...under(stateNames.teacherState(slot)) };
    return { weights: own, ...carry(model, own, inputs) };
  });
  const own = { ...withPrefix(stateNames.buffers, student.buffers), ...withPrefix(stateNames.state, student.state) };
  const states = teachers.map(({ state }, slot) => withPrefix(stateNames.teacherState(slot), state));
  const carried: Tensors = Object.assign(own, ...states);
  const { losses, loss } = lossesOf(learner, [{ weights, ...student }, ...teachers], labels, labelShare);
  return { params, losses, grads: gradientsOf(loss, params), carried };
}

/** The output of a model for a batch. */
interface Said extends BeforeHead {
  readonly logits: Tensor;
}

/**
 * The losses and statistics of a student and its teachers, given in that order; and a scalar to differentiate, which
 * has the gradients of the loss. Computed chunk by chunk where the model has so many logits.
 */
function lossesOf(
  { model, objective, distillation = {} }: Learner,
  said: readonly Said[],
  labels: Tensor,
  labelShare: Tensor | undefined,
): { readonly losses: Tensors; readonly loss: Tensor } {
  const { temperature = 1, mix } = distillation;
  const soften = (sharp: Tensor) => (temperature === 1 ? sharp : div(sharp, temperature));
  const scale = (value: Tensor) => (temperature === 1 ? value : mul(value, temperature ** 2));
  const ofLogits = ([logits, ...teachers]: readonly Tensor[], given: Tensor): Tensors => {
    const labelLoss = objective.labelLoss(logits as Tensor, given);
    const targets = teachersMean(teachers.map((teacher) => objective.probs(soften(teacher))));
    if (!targets) return { labelLoss };
    const distillLoss = scale(objective.distillLoss(soften(logits as Tensor), targets));
    // The least loss against a single teacher is that of its own logits, whose logarithms are computed already.
    const [first, ...others] = teachers as [Tensor, ...Tensor[]];
    const least = others.length > 0 ? objective.entropy(targets) : objective.distillLoss(soften(first), targets);
    const divergence = sub(distillLoss, scale(least));
    return { labelLoss, distillLoss, divergence, ...teacherStatistics(objective, logits as Tensor, teachers, given) };
  };
  const lossOf = (losses: Tensors) => mixed(losses, mix, labelShare);
  const { head } = model;
  if (head && head.numChunks > 1) {
    const { means, loss } = learnOverChunks(head, said, labels, ofLogits, lossOf);
    return { losses: means, loss };
  }
  const losses = ofLogits(
    said.map(({ logits }) => logits),
    labels,
  );
  return { losses, loss: lossOf(losses) };
}

/** phi + w psi, or (1 - w) phi + w psi; phi alone without teachers. With a share s, s phi in place of phi. */
function mixed(losses: Tensors, mix: Distillation["mix"] = "sum", labelShare?: Tensor): Tensor {
  const { labelLoss, distillLoss } = losses as { labelLoss: Tensor; distillLoss?: Tensor };
  const phi = labelShare ? mul(labelShare, labelLoss) : labelLoss;
  if (!distillLoss) return phi;
  const weight = input("distillWeight", []);
  const labelPart = mix === "sum" ? phi : mul(sub(1, weight), phi);
  return add(labelPart, mul(weight, distillLoss));
}

function gradientsOf(loss: Tensor, params: Tensors): Tensors {
  const names = Object.keys(params);
  const grads = gradients(loss, Object.values(params));
  return Object.fromEntries(names.map((name, i) => [name, grads[i] as Tensor]));
}

/**
 * The optimizer's part of a graph. It waits for the norm of all gradients: so every reader of a param runs before the
 * param's new value is written, and params may be updated in place.
 *
 * Where the norm, or one of the numbers `mustBeFinite`, is not finite, the step changes nothing.
 */
function update(
  { model, optimizer, ema }: Learner,
  params: Tensors,
  grads: Tensors,
  mustBeFinite: readonly Tensor[],
): Graph {
  const touched = rowGradients(optimizer, grads);
  const squares = Object.values(withRows(grads, touched)).map((grad) => reduceSum(mul(grad, grad)));
  const squaredNorm = squares.reduce(add);
  const isSound = areFinite([squaredNorm, ...mustBeFinite]);
  const scalars = mapValues(optimizer.scalars, (_, name) => input(name, []));
  const optState = mapValues(optimizer.stateSpec(model.params), ({ shape }, name) =>
    input(`${stateNames.optState}.${name}`, shape),
  );
  const after = step(optimizer, { updates: grads, params, optState, scalars }, touched);
  const means = ema ? withPrefix(stateNames.ema, averaged(after.params, ema.decay)) : {};
  return {
    outputs: { squaredGradNorm: squaredNorm },
    updates: {
      ...withPrefix(stateNames.params, after.params),
      ...withPrefix(stateNames.optState, after.optState),
      ...means,
    },
    when: isSound,
  };
}

/** The moving average (Polyak and Juditsky 1992, with exponential weights) after one more step. */
function averaged(params: Tensors, decay: number): Tensors {
  return mapValues(params, (param, name) => {
    return add(mul(input(`${stateNames.ema}.${name}`, param.shape), decay), mul(param, 1 - decay));
  });
}

/** Whether all numbers are finite: x - x is 0 where x is finite, and NaN where it is not. */
function areFinite(numbers: readonly Tensor[]): Tensor {
  return greater(1, numbers.map((x) => sub(x, x)).reduce(add));
}
