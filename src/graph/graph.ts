import { ShapeError } from "../errors.js";
import type { NdArray } from "../runtime/array.js";
import { formatShape, isOp, isSameInput, type Tensor, topologicalOrder } from "./tensor.js";

/** What a program computes. */
export interface Graph {
  /** Values that a run returns, by name. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** New values of state tensors, by the names of their inputs. */
  readonly updates: Readonly<Record<string, Tensor>>;
  /** A bool scalar: where it does not hold, a run leaves the state tensors in `updates` as they are, to the bit. */
  readonly when?: Tensor;
}

/** Suffix that distinguishes the new value of a state tensor from its input, among the outputs of an ONNX model. */
export const UPDATED = ".updated";

/** The tensors that a graph returns, `when`, and the new values of state tensors, in this order. */
export function rootsOf(graph: Graph): Tensor[] {
  return [...alwaysOf(graph), ...Object.values(graph.updates)];
}

/** The tensors that every run computes: the outputs, and `when`. */
export function alwaysOf({ outputs, when }: Graph): Tensor[] {
  return [...Object.values(outputs), ...(when ? [when] : [])];
}

/**
 * The inputs of a graph by name; of several tensors that are one input ({@link isSameInput}) the first. Throws
 * {@link ShapeError} when two different inputs share a name.
 */
export function inputsOf(graph: Graph): Map<string, Tensor<"input">> {
  const inputs = new Map<string, Tensor<"input">>();
  for (const tensor of topologicalOrder(rootsOf(graph))) {
    if (!isOp(tensor, "input")) continue;
    const { name } = tensor.attributes;
    const first = inputs.get(name) ?? tensor;
    if (!isSameInput(first, tensor)) {
      const [one, other] = [first, tensor].map(({ dtype, shape }) => dtype + formatShape(shape));
      throw new ShapeError(`graph: two inputs are named "${name}", ${one} and ${other}; give each its own name`);
    }
    inputs.set(name, first);
  }
  return inputs;
}

/** A graph as text, one tensor a line, in the order of computation. */
export function formatGraph(graph: Graph): string {
  const names = new Map<Tensor, string>();
  const lines: string[] = [];
  for (const tensor of topologicalOrder(rootsOf(graph))) {
    const name = isOp(tensor, "input") ? tensor.attributes.name : `%${names.size}`;
    names.set(tensor, name);
    const parts = [...tensor.inputs.map((input) => names.get(input)), ...formatAttributes(tensor)];
    lines.push(`${name}: ${tensor.dtype}${formatShape(tensor.shape)} = ${tensor.op}(${parts.join(", ")})`);
  }
  for (const [name, tensor] of Object.entries(graph.outputs)) lines.push(`return ${name} = ${names.get(tensor)}`);
  if (graph.when) lines.push(`when ${names.get(graph.when)}`);
  for (const [name, tensor] of Object.entries(graph.updates)) lines.push(`update ${name} = ${names.get(tensor)}`);
  return lines.join("\n");
}

function formatAttributes(tensor: Tensor): string[] {
  if (isOp(tensor, "input")) return [];
  if (isOp(tensor, "constant")) return [formatValues(tensor.attributes.value)];
  if (isOp(tensor, "scan")) return formatBody(tensor);
  return Object.entries(tensor.attributes).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
}

function formatBody({ attributes: { body, reverse } }: Tensor<"scan">): string[] {
  const given = new Set([...body.states, ...body.elements, ...body.captured]);
  const ops = topologicalOrder([...body.nextStates, ...body.outputs], given).map(({ op }) => op);
  return [`${body.states.length} states`, `step=${ops.join(" ")}`, `reverse=${reverse}`];
}

function formatValues({ data }: NdArray): string {
  const shown = [...data.slice(0, 4)].join(", ");
  return data.length > 4 ? `${shown}, ...` : shown;
}
