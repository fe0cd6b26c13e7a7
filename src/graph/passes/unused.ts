import { scalar } from "../../runtime/array.js";
import type { Graph } from "../graph.js";
import { rootsOf } from "../graph.js";
import { resultOf, withBody } from "../ops/scan.js";
import * as ops from "../ops.js";
import { isOp, type ScanBody, type Tensor, topologicalOrder } from "../tensor.js";
import { allTensors, type Pass, type Results } from "./walk.js";

/**
 * What nothing reads is not computed: of a loop the outputs, the states that no other state and no output needs, and the
 * sequences that no step needs; all but one part of a tensor that is cut. What is left is computed as before, to the bit.
 *
 * Loops lose what they save for the way back: no gradient may be taken of a graph after this pass.
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
    if (!isOp(tensor, "scan")) continue;
    const { nextStates, outputs, saved } = tensor.attributes.body;
    for (const root of [...nextStates, ...outputs, ...saved]) markFirst(root);
  }
  rootsOf(graph).forEach(markFirst);
  return read;
}

function onlyPart(tensor: Tensor<"split">, index: number): Results {
  const { axis, sizes } = tensor.attributes;
  const start = sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
  const [x] = tensor.inputs as [Tensor];
  return new Map([[index, ops.slice(x, axis, start, start + (sizes[index] ?? 0))]]);
}

/** A loop without what nothing wants. */
function trimmed(whole: Tensor<"scan">, wanted: ReadonlySet<number>): Tensor | Results {
  const { body } = whole.attributes;
  const numStates = body.states.length;
  const collected = [...body.outputs, ...body.saved];
  const outputs = [...new Set(collected.filter((_, i) => wanted.has(numStates + i)))];
  const live = liveStates(body, wanted, outputs);
  const roots = [...live.map((i) => body.nextStates[i] as Tensor), ...outputs];
  const needed = new Set(topologicalOrder(roots, new Set(body.captured)));
  const sequences = body.elements.flatMap((element, i) => (needed.has(element) ? [i] : []));
  // A loop has a state, and a sequence that says how many steps it takes.
  const isIdle = live.length === 0;
  const elements = sequences.length > 0 ? sequences : [0];
  const hasIdleState = numStates === 1 && body.nextStates[0] === body.states[0];
  const hasAllStates = isIdle ? hasIdleState : live.length === numStates;
  if (hasAllStates && elements.length === body.elements.length && outputs.length === collected.length) return whole;

  const only = <T>(list: readonly T[], kept: readonly number[]) => kept.map((i) => list[i] as T);
  const idle = { state: ops.input("idle", []), start: ops.constant(scalar(0)) };
  const states = isIdle ? [idle.state] : only(body.states, live);
  const nextStates = isIdle ? [idle.state] : only(body.nextStates, live);
  const own = [...(isIdle ? [idle.start] : only(whole.inputs, live)), ...only(whole.inputs.slice(numStates), elements)];
  const made = withBody(
    whole,
    { states, nextStates, elements: only(body.elements, elements), outputs, saved: [] },
    own,
  );
  const at = (index: number) => resultOf(made, index);
  const results = new Map(live.map((old, i) => [old, at(i)] as const));
  collected.forEach((output, i) => {
    if (wanted.has(numStates + i)) results.set(numStates + i, at(states.length + outputs.indexOf(output)));
  });
  return results;
}

/** The numbers of the states that are wanted, or that what is wanted needs. */
function liveStates(body: ScanBody, wanted: ReadonlySet<number>, outputs: readonly Tensor[]): number[] {
  const live = new Set(body.states.flatMap((_, i) => (wanted.has(i) ? [i] : [])));
  for (let before = -1; before !== live.size; ) {
    before = live.size;
    const roots = [...[...live].map((i) => body.nextStates[i] as Tensor), ...outputs];
    const needed = new Set(topologicalOrder(roots, new Set(body.captured)));
    body.states.forEach((state, i) => {
      if (needed.has(state)) live.add(i);
    });
  }
  return [...live].sort((a, b) => a - b);
}
