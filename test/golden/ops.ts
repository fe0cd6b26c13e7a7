/** The operation cases as data, for `ops.py`: the table in `op-cases.ts` is the only source of their inputs. */
import { isOp, type Op, type Tensor, topologicalOrder } from "../../src/graph/tensor.js";
import type { NdArray } from "../../src/runtime/array.js";
import { cotangentFor } from "../numerics/gradcheck.js";
import { interpret } from "../numerics/interpreter.js";
import { type BuiltCase, buildCase } from "../suites/op-case.js";
import { opCases } from "../suites/op-cases.js";

/** One node of a case: an operation on earlier nodes, or a value; `isVaried` asks for the gradient by it. */
interface NodeData {
  readonly op: Op;
  readonly attributes: object;
  readonly operands: readonly number[];
  readonly value?: { readonly dtype: string; readonly shape: readonly number[]; readonly data: readonly number[] };
  readonly isVaried?: boolean;
}

interface CaseData {
  readonly name: string;
  readonly nodes: readonly NodeData[];
  readonly cotangent: readonly number[];
}

/** What PyTorch says of a case; arrays are flat, inputs and gradients by the names of the varied inputs. */
export interface OpResult {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly output: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

/** Every case that a gradient flows through. */
export function differentiableCases(): { readonly name: string; readonly built: BuiltCase }[] {
  return (Object.keys(opCases) as Op[]).flatMap((op) =>
    opCases[op]
      .map((opCase) => ({ name: `${op}: ${opCase.name}`, built: buildCase(op, opCase) }))
      .filter(({ built }) => built.wrt.length > 0),
  );
}

/** The cotangent that a case is checked with. */
export function cotangentOf({ output, feeds }: BuiltCase): NdArray {
  return cotangentFor(interpret({ outputs: { output }, updates: {} }, feeds).outputs.output?.shape ?? []);
}

/** The data that `ops.py` reads. */
export function opCaseData(): CaseData[] {
  return differentiableCases().map(({ name, built }) => {
    const order = topologicalOrder([built.output]);
    const nodes = order.map((tensor) => nodeData(tensor, order, built));
    return { name, nodes, cotangent: Array.from(cotangentOf(built).data, Number) };
  });
}

function nodeData(
  tensor: Tensor,
  order: readonly Tensor[],
  { feeds, wrt }: Pick<BuiltCase, "feeds" | "wrt">,
): NodeData {
  const operands = tensor.inputs.map((input) => order.indexOf(input));
  if (isOp(tensor, "input")) {
    const { name } = tensor.attributes;
    const value = valueData(feeds[name] as NdArray);
    return { op: "input", attributes: { name }, operands, value, isVaried: wrt.includes(tensor) };
  }
  if (isOp(tensor, "constant")) {
    return { op: "constant", attributes: {}, operands, value: valueData(tensor.attributes.value), isVaried: false };
  }
  const attributes = isOp(tensor, "scan") ? bodyData(tensor) : tensor.attributes;
  return { op: tensor.op, attributes, operands };
}

/** One step of a loop: its nodes, where the values that it is given belong among them, and which of them it gives. */
function bodyData({ attributes: { body, reverse } }: Tensor<"scan">) {
  const own = [...body.states, ...body.elements, ...body.captured];
  const results = [...body.nextStates, ...body.outputs];
  const order = [...own, ...topologicalOrder(results, new Set(own))];
  const nodes = order.map((tensor, place) => {
    if (own.includes(tensor)) return { op: tensor.op, attributes: {}, operands: [], place };
    return { ...nodeData(tensor, order, { feeds: {}, wrt: [] }), place };
  });
  return {
    nodes,
    given: own.map((_, place) => place),
    states: body.states.length,
    elements: body.elements.length,
    results: results.map((tensor) => order.indexOf(tensor)),
    reverse,
  };
}

function valueData({ dtype, shape, data }: NdArray) {
  return { dtype, shape, data: Array.from(data, Number) };
}
