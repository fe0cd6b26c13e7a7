import { type Graph, inputsOf } from "./graph.js";
import { rewrite } from "./passes/walk.js";
import { isOp } from "./tensor.js";

/**
 * The same graph, in which inputs of one name, shape and dtype are one tensor; the same object where they are already.
 *
 * Throws {@link ShapeError} when two inputs of one name differ.
 */
export function interned(graph: Graph): Graph {
  const inputs = inputsOf(graph);
  return rewrite(graph, (tensor) => (isOp(tensor, "input") ? (inputs.get(tensor.attributes.name) ?? tensor) : tensor));
}
