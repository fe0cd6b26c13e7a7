/** Vectors that are a whole program of ours: what it is fed and keeps, and what of it is compared. */
import type { Graph } from "../../src/graph/graph.js";
import type { GraphProto } from "../../src/graph/onnx-proto.js";
import * as ops from "../../src/graph/ops.js";
import { input } from "../../src/graph/ops.js";
import type { NamedArrays, NdArray } from "../../src/runtime/array.js";
import type { Call } from "./call.js";
import { adagradProgram, adamProgram, momentumProgram } from "./optimizers.js";
import { arrayOf, notOurs } from "./values.js";

export interface WholeProgram {
  readonly graph: Graph;
  readonly feeds: NamedArrays;
  /** What the engine keeps and the program updates. */
  readonly kept: NamedArrays;
  /** For each output of the node the tensor that is compared, and what it must be. */
  readonly results: readonly { readonly name: string; readonly expected: (output: NdArray) => NdArray }[];
}

export const wholePrograms: Readonly<Record<string, (call: Call) => WholeProgram>> = {
  // Ours updates what is kept where a condition holds, and leaves it where it does not.
  If: (call) => {
    const [taken, skipped] = ["then_branch", "else_branch"].map((name) => constantOf(call.attribute(name)?.g)) as [
      NdArray,
      NdArray,
    ];
    const when = call.tensor(0);
    const kept = input("kept", skipped.shape, skipped.dtype);
    const unchanged = ops.sub(kept, kept);
    return {
      graph: { outputs: {}, updates: { kept: ops.add(unchanged, ops.constant(taken)) }, when },
      feeds: { x0: call.array(0) },
      kept: { kept: skipped },
      results: [{ name: "kept", expected: (output) => output }],
    };
  },
  Adam: adamProgram,
  Adagrad: adagradProgram,
  Momentum: momentumProgram,
};

function constantOf(graph: GraphProto | undefined): NdArray {
  const [node, ...others] = graph?.node ?? [];
  const value = node?.attribute.find(({ name }) => name === "value")?.t;
  if (others.length > 0 || node?.opType !== "Constant" || !value) {
    return notOurs("branches that give sequences or values that may be missing");
  }
  return arrayOf(value);
}
