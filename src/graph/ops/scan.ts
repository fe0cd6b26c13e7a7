import { ShapeError } from "../../errors.js";
import { zeros } from "../../runtime/array.js";
import { formatShape } from "../shape.js";
import {
  node,
  part,
  placeholder,
  type Result,
  type ScanBody,
  type Tensor,
  type Tensors,
  topologicalOrder,
} from "../tensor.js";
import { sameShape } from "./checks.js";
import { add } from "./elementwise.js";
import { constant } from "./leaves.js";

export interface ScanOptions {
  /** Values before the first step. */
  readonly states: readonly Tensor[];
  /** Tensors [steps, ...] of which each step gets its element. */
  readonly sequences: readonly Tensor[];
  /** Go from the last element to the first; outputs keep the places of the elements they were made from. */
  readonly reverse?: boolean | undefined;
  /** One step. Tensors from outside that do not depend on states or elements are computed once, outside. */
  readonly body: (
    states: readonly Tensor[],
    elements: readonly Tensor[],
  ) => { readonly states: readonly Tensor[]; readonly outputs: readonly Tensor[] };
}

/**
 * A loop over time: states are carried from step to step, and each step gives outputs, returned as tensors [steps, ...].
 *
 * Throws {@link ShapeError} without a state or a sequence, when sequences differ in their number of steps, or when a step
 * changes the number, shape or dtype of the states.
 */
export function scan({ states, sequences, reverse = false, body }: ScanOptions): {
  readonly states: readonly Tensor[];
  readonly outputs: readonly Tensor[];
} {
  checkSequences(states, sequences);
  const stateInputs = states.map(placeholder);
  const elements = sequences.map(elementOf);
  const { states: nextStates, outputs } = body(stateInputs, elements);
  checkStates(states, nextStates);
  return resultsOf({ states: stateInputs, elements, nextStates, outputs }, states, sequences, reverse);
}

/**
 * A loop over the elements of sequences [steps, ...]: the sums over all steps of each step's terms, by their names, and its
 * outputs [steps, ...]. Throws what {@link scan} throws.
 */
export function sumOverSteps(
  sequences: readonly Tensor[],
  body: (elements: readonly Tensor[]) => { readonly terms: Tensors; readonly outputs: readonly Tensor[] },
): { readonly sums: Tensors; readonly outputs: readonly Tensor[] } {
  const elements = sequences.map(elementOf);
  const { terms: named, outputs } = body(elements);
  const terms = Object.values(named);
  const first = terms.map(({ shape }) => constant(zeros(shape as number[])));
  checkSequences(first, sequences);
  const states = terms.map(placeholder);
  const nextStates = terms.map((term, i) => add(states[i] as Tensor, term));
  const made = resultsOf({ states, elements, nextStates, outputs }, first, sequences, false);
  const sums = Object.keys(named).map((name, i) => [name, made.states[i] as Tensor] as const);
  return { sums: Object.fromEntries(sums), outputs: made.outputs };
}

const elementOf = ({ shape, dtype }: Tensor) => placeholder({ shape: shape.slice(1), dtype });

/** The last states and the outputs of a loop, which also saves the tensors that its gradient needs. */
function resultsOf(
  step: Omit<ScanBody, "captured" | "saved">,
  states: readonly Tensor[],
  sequences: readonly Tensor[],
  reverse: boolean,
): { readonly states: readonly Tensor[]; readonly outputs: readonly Tensor[] } {
  const { nextStates, outputs, elements } = step;
  const { captured, varying } = scopeOf([...nextStates, ...outputs], [...step.states, ...elements]);
  const products = varying.filter(({ op }) => op === "matmul");
  const own = { ...step, captured, saved: [...step.states, ...products] };
  const steps = sequences[0]?.shape[0] as number;
  const whole = loop(own, [...states, ...sequences, ...captured], steps, reverse);
  return {
    states: states.map((_, i) => resultOf(whole, i)),
    outputs: outputs.map((_, i) => resultOf(whole, states.length + i)),
  };
}

/** A loop over given inputs: states before the first step, sequences, and what all steps share. */
function loop(body: ScanBody, inputs: readonly Tensor[], steps: number, reverse: boolean): Tensor<"scan"> {
  const states: readonly Result[] = inputs.slice(0, body.states.length);
  const collected = [...body.outputs, ...body.saved].map(({ shape, dtype }) => ({ shape: [steps, ...shape], dtype }));
  const [first, ...others] = [...states, ...collected] as [Result, ...Result[]];
  return node("scan", inputs, { body, reverse }, first.shape, first.dtype, others);
}

/** Make a loop of a step, and find its `captured` tensors; `own` are the first states, if any, and the sequences. */
export function loopOf(body: Omit<ScanBody, "captured">, own: readonly Tensor[], reverse: boolean): Tensor<"scan"> {
  const roots = [...body.nextStates, ...body.outputs, ...body.saved];
  const { captured } = scopeOf(roots, [...body.states, ...body.elements]);
  const steps = own[body.states.length]?.shape[0] as number;
  return loop({ ...body, captured }, [...own, ...captured], steps, reverse);
}

/** A result of a loop: its last states, its outputs, then what it saved. */
export function resultOf(whole: Tensor, index: number): Tensor {
  return index === 0 ? whole : part(whole, index);
}

function checkSequences(states: readonly Tensor[], sequences: readonly Tensor[]): void {
  const [first, ...others] = sequences;
  if (states.length === 0 || !first) {
    throw new ShapeError(`scan: needs a state and a sequence, got ${states.length} and ${sequences.length}`);
  }
  for (const sequence of sequences) {
    if (typeof sequence.shape[0] !== "number") {
      throw new ShapeError(`scan: the number of steps must be known, got ${formatShape(sequence.shape)}`);
    }
  }
  const odd = others.find(({ shape }) => shape[0] !== first.shape[0]);
  if (odd) {
    const shapes = `${formatShape(first.shape)} and ${formatShape(odd.shape)}`;
    throw new ShapeError(`scan: all sequences must have the same number of steps, got ${shapes}`);
  }
}

function checkStates(before: readonly Tensor[], after: readonly Tensor[]): void {
  if (before.length !== after.length) {
    throw new ShapeError(`scan: a step must keep the number of states, got ${before.length} and ${after.length}`);
  }
  for (const [i, was] of before.entries()) {
    const is = after[i] as Tensor;
    if (sameShape(was.shape, is.shape) && was.dtype === is.dtype) continue;
    const [from, to] = [was, is].map(({ dtype, shape }) => dtype + formatShape(shape));
    throw new ShapeError(`scan: a step must keep the shape of state ${i}, got ${from} and ${to}`);
  }
}

/** The tensors that a step takes from outside, and those that it computes anew each time. */
function scopeOf(roots: readonly Tensor[], own: readonly Tensor[]): { captured: Tensor[]; varying: Tensor[] } {
  const varying = new Set<Tensor>(own);
  const captured = new Set<Tensor>();
  const order = topologicalOrder(roots);
  for (const tensor of order) if (tensor.inputs.some((used) => varying.has(used))) varying.add(tensor);
  const take = (tensor: Tensor) => {
    if (!varying.has(tensor) && tensor.op !== "constant") captured.add(tensor);
  };
  for (const tensor of order) if (varying.has(tensor)) tensor.inputs.forEach(take);
  roots.forEach(take);
  return { captured: [...captured], varying: [...varying].filter((tensor) => !own.includes(tensor)) };
}
