/** Which operations of ONNX our graphs are made of. */
import { gradients } from "../../src/graph/grad.js";
import type { Graph } from "../../src/graph/graph.js";
import { toOnnx } from "../../src/graph/onnx.js";
import { decodeModel, type GraphProto } from "../../src/graph/onnx-proto.js";
import { add, greater, input } from "../../src/graph/ops.js";
import type { Op, Tensor } from "../../src/graph/tensor.js";
import { weighted } from "../numerics/gradcheck.js";
import { buildCase } from "../suites/op-case.js";
import { opCases } from "../suites/op-cases.js";

/** The domain of the operations that ONNX Runtime has beside the standard, for which there are no vectors. */
const MICROSOFT = "com.microsoft";

/** A graph that updates what it keeps where a condition holds: no operation, but part of what is emitted. */
function conditional(): Graph {
  const x = input("x", []);
  return { outputs: {}, updates: { x: add(x, 1) }, when: greater(x, 0) };
}

/** The types of the nodes that the cases of all operations are emitted as, forward and backward, by name. */
export function emittedTypes(): string[] {
  const graphs = (Object.keys(opCases) as Op[]).flatMap((op) =>
    opCases[op].flatMap((opCase) => {
      const { output, wrt } = buildCase(op, opCase);
      const grads: Tensor[] = wrt.length === 0 ? [] : gradients(weighted(output), wrt);
      return [{ output }, ...grads.map((grad) => ({ grad }))].map((outputs): Graph => ({ outputs, updates: {} }));
    }),
  );
  const all = [...graphs, conditional()].flatMap((graph) => typesOf(decodeModel(toOnnx(graph)).graph));
  return [...new Set(all)].sort();
}

function typesOf({ node }: GraphProto): string[] {
  return node.flatMap(({ domain, opType, attribute }) => [
    ...(domain === MICROSOFT ? [] : [opType]),
    ...attribute.flatMap(({ g }) => (g ? typesOf(g) : [])),
  ]);
}
