/** How passes go over a graph: every tensor once, each after its inputs, the steps of loops included. */
import { type Graph, inputsOf, rootsOf } from "../graph.js";
import { loopOf } from "../ops/scan.js";
import { sameShape } from "../ops.js";
import { formatShape, isOp, part, type ScanBody, type Tensor, topologicalOrder } from "../tensor.js";

/** The replacements of a tensor's results, by their numbers; results that nothing reads may be left out. */
export type Results = ReadonlyMap<number, Tensor>;

/**
 * The replacement of a tensor, which is the tensor itself where there is nothing to do. Its inputs, and the step of a
 * loop, are already replaced; `before` is the tensor with the old ones.
 */
export type PassRule = (tensor: Tensor, before: Tensor) => Tensor | Results;

/** How often each tensor of a graph is read or returned. */
export type Reads = ReadonlyMap<Tensor, number>;

/** A pass looks at a graph, and returns the rule that rewrites it. */
export type Pass = (graph: Graph, reads: Reads) => PassRule;

/** The graph rewritten by a rule; the same object where the rule changes nothing. */
export function rewrite(graph: Graph, rule: PassRule): Graph {
  const make = maker(rule, new Map());
  const all = (tensors: Graph["outputs"]) => {
    const names = Object.keys(tensors);
    const made = make(Object.values(tensors));
    return Object.fromEntries(names.map((name, i) => [name, made[i] as Tensor]));
  };
  const [when] = make(graph.when ? [graph.when] : []);
  const made: Graph = { outputs: all(graph.outputs), updates: all(graph.updates), ...(when && { when }) };
  const before = rootsOf(graph);
  return rootsOf(made).every((tensor, i) => tensor === before[i]) ? graph : made;
}

/**
 * The same graph, in which inputs of one name, shape and dtype are one tensor; the same object where they are already.
 *
 * Throws {@link ShapeError} when two inputs of one name differ.
 */
export function interned(graph: Graph): Graph {
  const inputs = inputsOf(graph);
  return rewrite(graph, (tensor) => (isOp(tensor, "input") ? (inputs.get(tensor.attributes.name) ?? tensor) : tensor));
}

/** Rewrites tensors, each once; those of `bound` have their replacements already. */
function maker(rule: PassRule, bound: ReadonlyMap<Tensor, Tensor>): (roots: readonly Tensor[]) => Tensor[] {
  const made = new Map<Tensor, Tensor>(bound);
  const several = new Map<Tensor, Results>();
  const madeOf = (tensor: Tensor) => made.get(tensor) as Tensor;

  const remake = (before: Tensor): void => {
    const [whole] = before.inputs;
    const results = whole && several.get(whole);
    if (isOp(before, "part") && results) {
      const result = results.get(before.attributes.index);
      if (!result) throw new Error(`internal: a pass dropped result ${before.attributes.index} of ${whole.op}`);
      made.set(before, result);
      return;
    }
    const inputs = before.inputs.map(madeOf);
    const result = rule(withInputs(before, inputs, rule), before);
    const first = "op" in result ? result : result.get(0);
    if (!("op" in result)) several.set(before, result);
    // Where nothing reads the first of several results, any tensor may replace it.
    made.set(before, first ? checked(first, before) : before);
  };

  return (roots) => {
    for (const tensor of topologicalOrder(roots, new Set(made.keys()))) remake(tensor);
    return roots.map(madeOf);
  };
}

/** A tensor with other inputs; a loop with a rewritten step too. */
function withInputs(before: Tensor, inputs: readonly Tensor[], rule: PassRule): Tensor {
  if (isOp(before, "scan")) return withStep(before, inputs, rule);
  if (isOp(before, "part"))
    return inputs[0] === before.inputs[0] ? before : part(inputs[0] as Tensor, before.attributes.index);
  return inputs.every((input, i) => input === before.inputs[i]) ? before : { ...before, inputs };
}

/** A loop with other inputs, its step rewritten by the same rule, and its captured tensors found again. */
function withStep(before: Tensor<"scan">, inputs: readonly Tensor[], rule: PassRule): Tensor {
  const { body } = before.attributes;
  const own = [...body.states, ...body.elements];
  const given = inputs.slice(own.length);
  const bound = new Map<Tensor, Tensor>([
    ...own.map((tensor) => [tensor, tensor] as const),
    ...body.captured.map((tensor, i) => [tensor, given[i] as Tensor] as const),
  ]);
  const make = maker(rule, bound);
  const results = { nextStates: make(body.nextStates), outputs: make(body.outputs), saved: make(body.saved) };
  const roots = rootsOfBody(body);
  const isSame =
    inputs.every((input, i) => input === before.inputs[i]) &&
    body.captured.every((tensor, i) => tensor === given[i]) &&
    rootsOfBody({ ...body, ...results }).every((tensor, i) => tensor === roots[i]);
  if (isSame) return before;
  return loopOf({ ...body, ...results }, inputs.slice(0, own.length), before.attributes.reverse);
}

/** What a step computes: its next states, its outputs, what it saves. */
export function rootsOfBody({ nextStates, outputs, saved }: ScanBody): Tensor[] {
  return [...nextStates, ...outputs, ...saved];
}

/** The tensors of a step, each after its inputs, without what it takes from outside. */
export function tensorsOfBody(body: ScanBody): Tensor[] {
  return topologicalOrder(rootsOfBody(body), new Set(body.captured));
}

/** All tensors of a graph, those of the steps of loops included. */
export function allTensors(graph: Graph): Tensor[] {
  const withSteps = (tensors: readonly Tensor[]): Tensor[] =>
    tensors.flatMap((tensor) =>
      isOp(tensor, "scan") ? [tensor, ...withSteps(tensorsOfBody(tensor.attributes.body))] : [tensor],
    );
  return withSteps(topologicalOrder(rootsOf(graph)));
}

export function countReads(graph: Graph): Reads {
  const counts = new Map<Tensor, number>();
  const count = (tensor: Tensor) => counts.set(tensor, (counts.get(tensor) ?? 0) + 1);
  for (const tensor of allTensors(graph)) {
    tensor.inputs.forEach(count);
    if (isOp(tensor, "scan")) rootsOfBody(tensor.attributes.body).forEach(count);
  }
  rootsOf(graph).forEach(count);
  return counts;
}

/** A pass must not change the dtype or the shape of a tensor. */
function checked(after: Tensor, before: Tensor): Tensor {
  if (after.dtype === before.dtype && sameShape(after.shape, before.shape)) return after;
  const [was, is] = [before, after].map(({ op, dtype, shape }) => `${op} ${dtype}${formatShape(shape)}`);
  throw new Error(`internal: a pass made ${is} of ${was}`);
}
