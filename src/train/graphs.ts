/** The graphs that training runs. A whole step is one of them: forward, losses, teachers, backward and update. */
import { labelsName, targetsName, weightsName } from "../data/batch.js";
import { gradients } from "../graph/grad.js";
import type { Graph } from "../graph/graph.js";
import { add, div, greater, input, mul, reduceSum, sub, where } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { predict } from "../nn/losses.js";
import {
  type BufferSpec,
  carry,
  inputTensors,
  keyName,
  type Model,
  paramTensors,
  train,
  weightTensors,
} from "../nn/model.js";
import { rowGradients, step, withRows } from "../optim/sparse-updates.js";
import { mapValues, underPrefix, withPrefix } from "../runtime/named.js";
import { fixedSaid, ownStates, statesAfter } from "./fixed-networks.js";
import { freshTensors } from "./fresh-rows.js";
import type { Learner, TaughtRows } from "./learner.js";
import { lossesOf, type Shares } from "./step-losses.js";
import { sized, taughtInputs, taughtStates } from "./taught-rows.js";

export type { Distillation, Learner, TaughtRows } from "./learner.js";

/** Names under which the engine keeps the state of a learner and of its teachers. */
export const stateNames = {
  params: "params",
  optState: "optState",
  ema: "ema",
  gradSum: "gradSum",
  lossSum: "lossSum",
  bufferSum: "bufferSum",
  buffers: "buffers",
  state: "state",
  /** Of a part of a step, the states that it comes to. */
  after: "after",
  teacher: (slot: number) => `teachers.${slot}`,
  /** Of a teacher that computes in 8 bits, the weights that are int8. */
  teacherInt8: (slot: number) => `teachersInt8.${slot}`,
  fixedTeacherInt8: (place: number) => `fixedTeachersInt8.${place}`,
  teacherState: (slot: number) => `teacherState.${slot}`,
} as const;

/**
 * The tensors that are carried from batch to batch without gradients, by their names in the engine: the model's
 * buffers, its state (with that of its fixed teachers, as `own`), and the state of each teacher.
 */
export function carriedSpecs(
  { buffers, state = {} }: Pick<Model, "buffers" | "state">,
  numTeachers: number,
  taught?: TaughtRows,
  own: NonNullable<Model["state"]> = state,
): Record<string, BufferSpec> {
  const ofTeacher = taughtStates(state, taught);
  const states = Array.from({ length: numTeachers }, (_, slot) => withPrefix(stateNames.teacherState(slot), ofTeacher));
  return Object.assign(withPrefix(stateNames.buffers, buffers ?? {}), withPrefix(stateNames.state, own), ...states);
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
 * Outputs: `labelLoss`, `squaredGradNorm`, with fixed teachers `targetLoss` (their psi), and with teachers `distillLoss`, `divergence` (the distillation loss less
 * the entropy of the targets: zero where the student agrees), `gramLoss` where it has a weight, and the statistics of its teachers. Updates params,
 * optState, the average of the params, and the tensors of {@link carriedSpecs}.
 */
export function stepGraph(learner: Learner, numTeachers: number): Graph {
  const { params, losses, grads, carried } = differentiate(learner, numTeachers, carriedTensors(learner, numTeachers));
  const { outputs, updates, ...step } = update(learner, params, grads, finiteLosses(losses));
  return { ...step, outputs: { ...losses, ...outputs }, updates: { ...updates, ...carried } };
}

/**
 * The gradient of one of a step's parts, and its losses: written to the running sums by the first part, and added to them by
 * a later one. `partShare` is by how much the loss of a part counts, 1 over the number of parts; where labels have weights,
 * `labelShare` multiplies the label loss. The buffers that each part makes of those of the step before are added up too. Its
 * states are fed, and put out under `after`: each part has states of its own, as it reads other rows. Of a learner that measures noise,
 * `squaredPartNorm` is the squared norm of the part's own gradient, as that of a step which is this part alone.
 */
export function accumulateGraph(learner: Learner, numTeachers: number, isLater = false): Graph {
  const before = carriedTensors(learner, numTeachers);
  const labelShare = learner.objective.labelWeight && input("labelShare", []);
  const shares = { partShare: input("partShare", []), labelShare };
  const { losses, grads, carried } = differentiate(learner, numTeachers, before, shares);
  const sumOf = (term: Tensor, name: string) => (isLater ? add(input(name, term.shape), term) : term);
  const sums = {
    ...withPrefix(stateNames.gradSum, grads),
    ...withPrefix(stateNames.bufferSum, underPrefix(stateNames.buffers, carried)),
    [stateNames.lossSum]: finiteLosses(losses).reduce(add),
  };
  const states = Object.fromEntries(Object.entries(carried).filter(([name]) => !isBuffer(name)));
  const noise = learner.measuresNoise && {
    squaredPartNorm: div(squaredNormOf(grads), mul(shares.partShare, shares.partShare)),
  };
  return { outputs: { ...losses, ...noise, ...withPrefix(stateNames.after, states) }, updates: mapValues(sums, sumOf) };
}

function isBuffer(name: string): boolean {
  return name.startsWith(`${stateNames.buffers}.`);
}

/** What the parts of a step add up, by the names under which an engine keeps it: the same at all workers. */
export function sumSpecs({
  params,
  buffers = {},
}: Pick<Model, "params" | "buffers">): Record<string, { readonly shape: readonly number[] }> {
  return {
    ...withPrefix(stateNames.gradSum, params),
    ...withPrefix(stateNames.bufferSum, buffers),
    [stateNames.lossSum]: { shape: [] },
  };
}

/** The losses that must be finite, or the step changes nothing. */
function finiteLosses({ labelLoss, targetLoss, distillLoss, gramLoss }: Tensors): Tensor[] {
  return [labelLoss, targetLoss, distillLoss, gramLoss].filter((loss) => loss !== undefined);
}

/**
 * The optimizer step by the gradient that parts have added up; buffers become the mean of those of the `numBatches` parts. Of a
 * model that carries a state, `isTaken` is 1 where the step is taken, and 0 where it changes nothing.
 */
export function applyGraph(learner: Learner): Graph {
  const { buffers = {}, state } = learner.model;
  const params = paramTensors(learner.model, stateNames.params);
  const grads = paramTensors(learner.model, stateNames.gradSum);
  const { updates, outputs, when } = update(learner, params, grads, [input(stateNames.lossSum, [])]);
  const numBatches = input("numBatches", []);
  const means = mapValues(buffers, ({ shape }, name) => {
    const mean = div(input(`${stateNames.bufferSum}.${name}`, shape), numBatches);
    // What is updated must be read, so that a step that is skipped can leave it.
    return where(greater(numBatches, 0), mean, input(`${stateNames.buffers}.${name}`, shape));
  });
  const verdict = state && when && { isTaken: where(when, 1, 0) };
  return {
    outputs: { ...outputs, ...verdict },
    updates: { ...updates, ...withPrefix(stateNames.buffers, means) },
    ...(when && { when }),
  };
}

/** The squared norm of the gradient that parts have added up, as {@link applyGraph} has it. */
export function gradientNormGraph({ model }: Pick<Learner, "model">): Graph {
  return { outputs: { squaredGradNorm: squaredNormOf(paramTensors(model, stateNames.gradSum)) }, updates: {} };
}

function squaredNormOf(grads: Tensors): Tensor {
  return Object.values(grads)
    .map((grad) => reduceSum(mul(grad, grad)))
    .reduce(add);
}

function carriedTensors(learner: Learner, numTeachers: number): Tensors {
  const specs = carriedSpecs(learner.model, numTeachers, learner.distillation?.taught, ownStates(learner));
  return mapValues(specs, ({ shape }, name) => input(name, shape));
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

interface Differentiated {
  readonly params: Tensors;
  readonly losses: Tensors;
  readonly grads: Tensors;
  /** The new values of the tensors of {@link carriedSpecs}. */
  readonly carried: Tensors;
}

function differentiate(learner: Learner, numTeachers: number, before: Tensors, shares: Shares = {}): Differentiated {
  const { model, objective } = learner;
  const taught = learner.distillation?.taught;
  const params = paramTensors(model, stateNames.params);
  const inputs = mapValues(model.inputs, ({ shape, dtype }, name) => input(name, sized(shape, taught), dtype));
  const under = (prefix: string) => underPrefix(prefix, before);
  const weights = { ...params, ...under(stateNames.buffers), ...under(stateNames.state) };
  const key = model.isRandom ? input(keyName, [2], "int32") : undefined;
  const student = train(model, weights, inputs, key);
  const { shape, dtype } = objective.labels ?? { shape: ["batch"], dtype: "float32" };
  const labels = input(labelsName, sized(shape, taught), dtype);
  const rowWeights = learner.hasRowWeights ? input(weightsName, sized(shape, taught)) : undefined;
  const fixed = fixedSaid(learner, inputs, under(stateNames.state));
  // Of the shape of the student's own predictions.
  const isGiven = learner.fixedTeachers !== undefined && !learner.fixedTeachers.networks;
  const targets = isGiven ? input(targetsName, objective.probs(student.logits).shape) : undefined;
  const fresh = numTeachers > 0 ? freshTensors(learner) : undefined;
  const teachers = Array.from({ length: numTeachers }, (_, slot) => {
    const own = { ...weightTensors(model, stateNames.teacher(slot)), ...under(stateNames.teacherState(slot)) };
    const said = carry(model, own, taughtInputs(model, inputs, taught));
    return { weights: own, ...said, ...(fresh && { fresh: carry(model, own, fresh) }) };
  });
  // Random as on the batch: the same units are dropped.
  const ofStudent = fresh && { fresh: train(model, weights, fresh, key) };
  const own = {
    ...withPrefix(stateNames.buffers, student.buffers),
    ...withPrefix(stateNames.state, statesAfter(student.state, fixed)),
  };
  const states = teachers.map(({ state }, slot) => withPrefix(stateNames.teacherState(slot), state));
  const carried: Tensors = Object.assign(own, ...states);
  const { losses, loss } = lossesOf(
    learner,
    [{ weights, ...student, ...ofStudent }, ...teachers],
    { labels, weights: rowWeights, targets, fixed },
    shares,
  );
  return { params, losses, grads: gradientsOf(loss, params), carried };
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
  const squaredNorm = squaredNormOf(withRows(grads, touched));
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
