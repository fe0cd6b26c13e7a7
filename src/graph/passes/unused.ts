import { scalar } from "../../runtime/array.js";
import { type Graph, rootsOf } from "../graph.js";
import { loopOf, resultOf } from "../ops/scan.js";
import * as ops from "../ops.js";
import { isOp, type ScanBody, type Tensor, topologicalOrder } from "../tensor.js";
import { allTensors, type Pass, type Results, rootsOfBody } from "./walk.js";

/**
 * Removes what nothing reads: of a loop the outputs, the states that no other state and no output needs, and the
 * sequences that no step needs; of a split the other parts, where only one is read. What is left is computed as before,
 * to the bit.
 *
 * Loops lose the tensors that they save for their gradient: no gradient may be taken of a graph after this pass.
 */
export const unused: Pass = (graph) => {
  const read = readResults(graph);
  return (tensor, before) => {
    const wanted = read.get(before) ?? new Set();
    if (isOp(tensor, "scan")) return trimmed(tensor, wanted);
    if (isOp(tensor, "split") && wanted.size === 1) return onlyPart(tensor, [...wanted][0] as number);
    return tensor;
  };
};

/** Which results of each tensor are read or returned, 0 being the first. */
function readResults(graph: Graph): ReadonlyMap<Tensor, ReadonlySet<number>> {
  const read = new Map<Tensor, Set<number>>();
  const mark = (tensor: Tensor, result: number) => read.set(tensor, (read.get(tensor) ?? new Set()).add(result));
  const markFirst = (tensor: Tensor) => mark(tensor, 0);
  for (const tensor of allTensors(graph)) {
    if (isOp(tensor, "part")) mark(tensor.inputs[0] as Tensor, tensor.attributes.index);
    else tensor.inputs.forEach(markFirst);
    if (isOp(tensor, "scan")) rootsOfBody(tensor.attributes.body).forEach(markFirst);
  }
  rootsOf(graph).forEach(markFirst);
  return read;
}

function onlyPart({ inputs: [x], attributes: { axis, sizes } }: Tensor<"split">, index: number): Results {
  const start = sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
  return new Map([[index, ops.slice(x as Tensor, axis, start, start + (sizes[index] ?? 0))]]);
}

/** A loop without the results that nothing reads. */
function trimmed(whole: Tensor<"scan">, wanted: ReadonlySet<number>): Tensor | Results {
  const { body } = whole.attributes;
  const numStates = body.states.length;
  const collected = [...body.outputs, ...body.saved];
  const outputs = [...new Set(collected.filter((_, i) => wanted.has(numStates + i)))];
  const { live, needed } = neededOf(body, wanted, outputs);
  const used = body.elements.flatMap((element, i) => (needed.has(element) ? [i] : []));
  // A loop needs a state, and a sequence that gives the number of its steps.
  const elements = used.length > 0 ? used : [0];
  const isIdle = numStates === 1 && body.nextStates[0] === body.states[0];
  const hasAllStates = live.length === numStates || (live.length === 0 && isIdle);
  if (hasAllStates && elements.length === body.elements.length && outputs.length === collected.length) return whole;

  const { states, nextStates, first } =
    live.length === 0
      ? idle()
      : { states: at(live, body.states), nextStates: at(live, body.nextStates), first: at(live, whole.inputs) };
  const sequences = at(elements, whole.inputs.slice(numStates));
  const step = { states, nextStates, elements: at(elements, body.elements), outputs, saved: [] };
  const made = loopOf(step, [...first, ...sequences], whole.attributes.reverse);
  const results = new Map(live.map((old, i) => [old, resultOf(made, i)] as const));
  collected.forEach((output, i) => {
    if (wanted.has(numStates + i)) results.set(numStates + i, resultOf(made, states.length + outputs.indexOf(output)));
  });
  return results;
}

/** A state that never changes, and its first value, for a loop that needs none. */
function idle() {
  const state = ops.input("idle", []);
  return { states: [state], nextStates: [state], first: [ops.constant(scalar(0))] };
}

function at(numbers: readonly number[], tensors: readonly Tensor[]): Tensor[] {
  return numbers.map((i) => tensors[i] as Tensor);
}

/**
 * `live`: the numbers of the states that are wanted, or that wanted states and outputs need. `needed`: all tensors that
 * these states and the outputs need.
 */
function neededOf(
  { states, nextStates, captured }: ScanBody,
  wanted: ReadonlySet<number>,
  outputs: readonly Tensor[],
): { readonly live: readonly number[]; readonly needed: ReadonlySet<Tensor> } {
  let live = [...states.keys()].filter((i) => wanted.has(i));
  for (;;) {
    const roots = [...at(live, nextStates), ...outputs];
    const needed = new Set(topologicalOrder(roots, new Set(captured)));
    const more = [...states.keys()].filter((i) => live.includes(i) || needed.has(states[i] as Tensor));
    if (more.length === live.length) return { live, needed };
    live = more;
  }
}
