/** The optimizers of ONNX (domain ai.onnx.preview.training) as steps of our chains. */
import { input } from "../../src/graph/ops.js";
import { adagrad, adam, sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import type { GradientTransformation } from "../../src/optim/transformations.js";
import { float32, type NamedArrays, type NdArray } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { descent, scalarsAt, toFloat32 } from "../fixtures/descent.js";
import type { Call } from "./call.js";
import { notOurs } from "./values.js";
import type { WholeProgram } from "./whole.js";

/** Memory that a chain of ours keeps as a multiple of what ONNX keeps. */
interface Memory {
  readonly name: string;
  readonly factor: number;
}

/**
 * r = R; m = alpha m + (1 - alpha) g; v = beta v + (1 - beta) g^2; x - r m / (sqrt(v) + epsilon), where r carries the
 * corrections of the moments if T > 0. There epsilon is added before the corrections, and with us after them.
 */
export function adamProgram(call: Call): WholeProgram {
  const [beta1, beta2] = [call.float("alpha", 0.9), call.float("beta", 0.999)];
  if (stepOf(call) > 0) return notOurs("epsilon before the corrections of the moments; ours comes after them");
  const epsilon = call.float("epsilon", 1e-6);
  const optimizer = adam(constantSchedule(rateOf(call)), { beta1, beta2, epsilon, decay: decayOf(call) });
  const memory = [
    { name: "adam.m", factor: 1 / (1 - beta1) },
    { name: "adam.v", factor: 1 / (1 - beta2) },
  ];
  // T = 0 asks for no corrections, as they are for us after infinitely many steps.
  return program(call, optimizer, memory, Number.POSITIVE_INFINITY);
}

/** v = v + g^2; x - R / (1 + T decay) g / (sqrt(v) + epsilon). */
export function adagradProgram(call: Call): WholeProgram {
  const decay = call.float("decay_factor", 0);
  const rate = (step: number) => rateOf(call) / (1 + step * decay);
  const optimizer = adagrad(rate, { epsilon: call.float("epsilon", 1e-6), decay: decayOf(call) });
  return program(call, optimizer, [{ name: "adagrad.v", factor: 1 }], stepOf(call));
}

/** v = alpha v + b g with b = 1 if T = 0, else beta; x - R v, or with Nesterov x - R (g + alpha v). */
export function momentumProgram(call: Call): WholeProgram {
  if (stepOf(call) > 0 && call.float("beta", 1) !== 1) return notOurs("a factor on the gradient after the first step");
  const isNesterov = call.text("mode", "standard") === "nesterov";
  const momentum = call.float("alpha", 0.9);
  const optimizer = sgd(constantSchedule(rateOf(call)), { momentum, isNesterov, decay: decayOf(call) });
  return program(call, optimizer, [{ name: "momentum.b", factor: 1 }], stepOf(call));
}

function rateOf(call: Call): number {
  return call.array(0).data[0] ?? Number.NaN;
}

function stepOf(call: Call): number {
  return call.array(1).data[0] ?? Number.NaN;
}

/** Decay is coupled: it is added to the gradient, which the moments take. */
function decayOf(call: Call) {
  if (call.float("norm_coefficient_post", 0) !== 0) return notOurs("a decay of the params after the step");
  return { rate: call.float("norm_coefficient", 0) };
}

/** One step: the inputs are R, T, all params, all gradients, then the memories, each for all params. */
function program(call: Call, optimizer: GradientTransformation, memory: readonly Memory[], step: number): WholeProgram {
  const numParams = (call.numInputs - 2) / (2 + memory.length);
  const all = (from: number) => Array.from({ length: numParams }, (_, i) => call.array(2 + from * numParams + i));
  const params = named("x", all(0));
  const graph = descent(optimizer, params, () => mapValues(params, ({ shape }, name) => input(`grads.${name}`, shape)));
  const memories = memory.map(({ name, factor }, i) => ({
    arrays: named(
      `optState.${name}.x`,
      all(2 + i).map((array) => scaled(array, factor)),
    ),
    factor,
  }));
  const kept = Object.assign({}, params, ...memories.map(({ arrays }) => arrays)) as NamedArrays;
  const resultsOf = (arrays: NamedArrays, factor: number) =>
    Object.keys(arrays).map((name) => ({ name, expected: (output: NdArray) => scaled(output, factor) }));
  return {
    graph,
    feeds: { ...named("grads.x", all(1)), ...mapValues(scalarsAt(optimizer.scalars, step), toFloat32) },
    kept,
    results: [...resultsOf(params, 1), ...memories.flatMap(({ arrays, factor }) => resultsOf(arrays, factor))],
  };
}

function named(prefix: string, arrays: readonly NdArray[]): NamedArrays {
  return Object.fromEntries(arrays.map((array, i) => [`${prefix}${i}`, array]));
}

function scaled({ shape, data }: NdArray, factor: number): NdArray {
  return float32(
    Float32Array.from(data, (value) => value * factor),
    shape,
  );
}
