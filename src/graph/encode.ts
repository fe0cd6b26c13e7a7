/** Graphs as files, for users of the package. The code that encodes them is loaded when it is first needed. */
import type { Graph } from "./graph.js";

/**
 * Encode a graph as the bytes of an ONNX model, with metadata by name. Inputs keep their names, outputs theirs, and the
 * new value of a state tensor `x` is the output `x.updated`. The symbolic leading axis is the dimension "batch". The
 * same graph gives the same bytes.
 *
 * @throws ShapeError when a name starts with "%", or an output has the name of an input.
 * @example
 * import { ops, toOnnx } from "codistill";
 * const x = ops.input("x", ["batch", 2]);
 * const bytes = await toOnnx({ outputs: { doubled: ops.mul(x, 2) }, updates: {} });
 * console.log(bytes.length);
 */
export async function toOnnx(graph: Graph, metadata: Readonly<Record<string, string>> = {}): Promise<Uint8Array> {
  const { toOnnx: encoded } = await import("./onnx.js");
  return encoded(graph, metadata);
}
