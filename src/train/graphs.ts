/** The graphs that training runs. A whole step is one of them: forward, losses, teachers, backward and update. */
import { gradients } from "../graph/grad.js";
import { add, div, greater, input, mul, reduceSum, stopGradient, sub, where } from "../graph/ops.js";
import type { Graph, Tensor, Tensors } from "../graph/tensor.js";
import type { Objective } from "../nn/losses.js";
import { inputTensors, type Model, paramTensors } from "../nn/model.js";
import type { GradientTransformation } from "../optim/optimizers.js";
import { mapValues, withPrefix } from "../runtime/named.js";
import { signs } from "./signs.js";

/** What is trained, by what losses and what rule. */
export interface Learner {
  readonly model: Model;
  readonly objective: Objective;
  readonly optimizer: GradientTransformation;
  readonly distillation?: Distillation;
  /** Keep an average of the params, e <- decay e + (1 - decay) params after each step, that begins as they do. */
  readonly ema?: { readonly decay: number };
}

/** How the distillation loss psi joins the label loss phi; the paper's way by default. */
export interface Distillation {
  /** T: psi compares logits / T on both sides and is multiplied by T^2, which keeps the size of its gradient. 1 by default. */
  readonly temperature?: number;
  /** "sum" (default): phi + w psi. "convex": (1 - w) phi + w psi, whose gradient does not grow with w. */
  readonly mix?: "sum" | "convex";
}

/** Names under which the engine keeps what a learner trains and learns from. */
export const kept = {
  params: "params",
  optState: "optState",
  ema: "ema",
  gradSum: "gradSum",
  teacher: (slot: number) => `teachers.${slot}`,
} as const;

/**
 * One optimizer step on one batch, with a number of teachers:
 *
 *     theta <- theta - eta grad{ phi(y, F(theta, f)) + w psi(mean_j F(theta_j, f), F(theta, f)) }.
 *
 * Outputs: `labelLoss`, `squaredGradNorm`, and with teachers `distillLoss`, `divergence` (the distillation loss less the
 * entropy of the targets: zero where the student agrees) and the signs of how well the teachers are. Updates params and optState.
 */
export function stepGraph(learner: Learner, numTeachers: number): Graph {
  const { params, losses, grads } = differentiate(learner, numTeachers);
  return update(learner, params, grads, losses);
}

/** The gradient of one of several sub-batches, added to the running sum; `keepSum` is 0 at the first, else 1. */
export function accumulateGraph(learner: Learner, numTeachers: number): Graph {
  const { losses, grads } = differentiate(learner, numTeachers);
  const isLater = greater(input("keepSum", []), 0);
  // Chosen and not multiplied: as 0 x NaN, a sum that was not finite would outlive its step.
  const sumOf = (name: string, { shape }: Tensor) => where(isLater, input(`${kept.gradSum}.${name}`, shape), 0);
  const sums = mapValues(grads, (grad, name) => add(sumOf(name, grad), grad));
  return { outputs: losses, updates: withPrefix(kept.gradSum, sums) };
}

/** The optimizer step on the mean of the `numBatches` gradients that were added up; `loss` is fed to be checked. */
export function applyGraph(learner: Learner): Graph {
  const params = paramTensors(learner.model, kept.params);
  const numBatches = input("numBatches", []);
  const grads = mapValues(paramTensors(learner.model, kept.gradSum), (sum) => div(sum, numBatches));
  const { outputs, updates } = update(learner, params, grads, { loss: input("loss", []) });
  return { outputs: { squaredGradNorm: outputs.squaredGradNorm as Tensor }, updates };
}

/** Under which name the engine keeps what predicts and is shipped: the average where there is one. */
export function shippedName({ ema }: Learner): string {
  return ema ? kept.ema : kept.params;
}

/** Probabilities of a batch, by the params kept under a prefix. */
export function predictGraph({ model, objective }: Pick<Learner, "model" | "objective">, prefix: string): Graph {
  const logits = model.apply(paramTensors(model, prefix), inputTensors(model));
  return { outputs: { probs: objective.probs(logits) }, updates: {} };
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
}

function differentiate(learner: Learner, numTeachers: number): Differentiated {
  const { model, objective, distillation = {} } = learner;
  const { temperature = 1, mix = "sum" } = distillation;
  const params = paramTensors(model, kept.params);
  const inputs = inputTensors(model);
  const logits = model.apply(params, inputs);
  const { shape, dtype } = objective.labels ?? { shape: ["batch"], dtype: "float32" };
  const labels = input("labels", shape, dtype);
  const labelLoss = objective.labelLoss(logits, labels);
  const soften = (sharp: Tensor) => (temperature === 1 ? sharp : div(sharp, temperature));
  const teachers = Array.from({ length: numTeachers }, (_, slot) =>
    model.apply(paramTensors(model, kept.teacher(slot)), inputs),
  );
  const targets = teachersMean(teachers.map((teacher) => objective.probs(soften(teacher))));
  if (!targets) return { params, losses: { labelLoss }, grads: gradientsOf(labelLoss, params) };

  const scale = (value: Tensor) => (temperature === 1 ? value : mul(value, temperature ** 2));
  const distillLoss = scale(objective.distillLoss(soften(logits), targets));
  const divergence = sub(distillLoss, scale(objective.entropy(targets)));
  const weight = input("distillWeight", []);
  const labelPart = mix === "sum" ? labelLoss : mul(sub(1, weight), labelLoss);
  const loss = add(labelPart, mul(weight, distillLoss));
  const losses = { labelLoss, distillLoss, divergence, ...signs(objective, logits, teachers, labels) };
  return { params, losses, grads: gradientsOf(loss, params) };
}

function gradientsOf(loss: Tensor, params: Tensors): Tensors {
  const names = Object.keys(params);
  const grads = gradients(loss, Object.values(params));
  return Object.fromEntries(names.map((name, i) => [name, grads[i] as Tensor]));
}

/**
 * The optimizer's part of a graph. The learning rate is made to depend on the norm of all gradients: so every reader of
 * a param comes before its new value, and params may be updated in place.
 *
 * Where a loss or the norm is not finite, the step changes nothing: gradients count as 0 (chosen and not multiplied, as
 * 0 x NaN is NaN), the learning rate is 0, and memory decays by 1.
 */
function update({ model, optimizer, ema }: Learner, params: Tensors, grads: Tensors, losses: Tensors): Graph {
  const squares = Object.values(grads).map((grad) => reduceSum(mul(grad, grad)));
  const squaredNorm = squares.reduce(add);
  const isSound = areFinite([squaredNorm, losses.loss ?? losses.labelLoss, losses.distillLoss]);
  const scalars = mapValues(optimizer.scalars, (_, name) => {
    const value = input(name, []);
    return name === "learningRate" ? where(isSound, value, 0) : value;
  });
  const optState = mapValues(optimizer.memory(model.params), ({ shape }, name) =>
    input(`${kept.optState}.${name}`, shape),
  );
  const soundGrads = mapValues(grads, (grad) => where(isSound, grad, 0));
  const after = optimizer.update(soundGrads, optState, scalars, (decay) => where(isSound, decay, 1));
  const newParams = mapValues(params, (param, name) => add(param, after.updates[name] as Tensor));
  const means = ema ? withPrefix(kept.ema, averaged(newParams, ema.decay, isSound)) : {};
  return {
    outputs: { ...losses, squaredGradNorm: squaredNorm },
    updates: { ...withPrefix(kept.params, newParams), ...withPrefix(kept.optState, after.optState), ...means },
  };
}

/** The moving average (Polyak and Juditsky 1992, with exponential weights) after one more step; the same if skipped. */
function averaged(params: Tensors, decay: number, isSound: Tensor): Tensors {
  const [past, present] = [where(isSound, decay, 1), where(isSound, 1 - decay, 0)];
  return mapValues(params, (param, name) => {
    return add(mul(input(`${kept.ema}.${name}`, param.shape), past), mul(param, present));
  });
}

/** Whether numbers are finite all of them: x - x is 0 where x is, and NaN where it is not. */
function areFinite(numbers: readonly (Tensor | undefined)[]): Tensor {
  const zeros = numbers.flatMap((x) => (x ? [sub(x, x)] : []));
  return greater(1, zeros.reduce(add));
}
