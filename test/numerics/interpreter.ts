/**
 * The reference: every operation again, in double precision, as plainly as it can be said. It shares nothing with the
 * ONNX emission but the types, so that the two can be held against each other.
 */
import type { Graph } from "../../src/graph/graph.js";
import { isOp, type Op, type Tensor } from "../../src/graph/tensor.js";
import { mapValues } from "../../src/runtime/named.js";
import { contractionsValues } from "./interpreter/contractions.js";
import { convolutionValues } from "./interpreter/convolution.js";
import { elementwiseValues } from "./interpreter/elementwise.js";
import { indexingValues } from "./interpreter/indexing.js";
import { normalisationValues } from "./interpreter/normalisation.js";
import { randomValues } from "./interpreter/random.js";
import { scanValues } from "./interpreter/scan.js";
import { shapesValues } from "./interpreter/shapes.js";
import { isSeveral, type Numbers, numbers, operand, type Rule, type Rules, type Values } from "./interpreter/values.js";

export { type Numbers, numbers, type Values } from "./interpreter/values.js";

/** What a graph computes from what it is fed: outputs and the new values of kept inputs, by name. */
export function interpret(
  graph: Graph,
  feeds: Readonly<Record<string, Values>>,
): { readonly outputs: Record<string, Numbers>; readonly updates: Record<string, Numbers> } {
  const { outputs, updates, when } = graph;
  const evaluate = evaluator(feeds);
  const all = (tensors: Readonly<Record<string, Tensor>>) => mapValues(tensors, (tensor) => numbers(evaluate(tensor)));
  const isTaken = !when || numbers(evaluate(when)).data[0] !== 0;
  const left = (_: Tensor, name: string) => numbers(feeds[name] as Values);
  return { outputs: all(outputs), updates: isTaken ? all(updates) : mapValues(updates, left) };
}

/** Computes tensors, each once, from what is fed and from given values of some. */
function evaluator(
  feeds: Readonly<Record<string, Values>>,
  bound: ReadonlyMap<Tensor, Values> = new Map(),
): (tensor: Tensor) => Values {
  const known = new Map<Tensor, readonly Values[]>([...bound].map(([tensor, value]) => [tensor, [value]]));
  const evaluate = (tensor: Tensor): Values => partOf(tensor, 0);
  const partOf = (tensor: Tensor, index: number): Values => {
    const parts = known.get(tensor) ?? compute(tensor);
    known.set(tensor, parts);
    const part = parts[index];
    if (!part) throw new Error(`interpret: ${tensor.op} has no result ${index}`);
    return part;
  };
  const compute = (tensor: Tensor): readonly Values[] => {
    if (isOp(tensor, "part")) return [partOf(tensor.inputs[0] as Tensor, tensor.attributes.index)];
    const rule = rules[tensor.op] as Rule<Op>;
    const value = rule({
      ...tensor,
      inputs: tensor.inputs.map(evaluate),
      feeds,
      evaluate: (roots, bound) => roots.map(evaluator(feeds, bound)),
    });
    return isSeveral(value) ? value : [value];
  };
  return evaluate;
}

const rules: Rules<Op> = {
  input: ({ attributes: { name }, feeds }) => {
    const fed = feeds[name];
    if (!fed) throw new Error(`interpret: "${name}" was not fed`);
    return fed;
  },
  constant: ({ attributes: { value } }) => value,
  part: () => {
    throw new Error("interpret: a part is looked up, not computed");
  },
  stopGradient: ({ inputs }) => operand(inputs, 0),
  ...elementwiseValues,
  ...contractionsValues,
  ...normalisationValues,
  ...convolutionValues,
  ...shapesValues,
  ...indexingValues,
  ...randomValues,
  ...scanValues,
};
