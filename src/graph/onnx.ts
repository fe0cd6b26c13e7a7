/** A graph as the bytes of an ONNX model: the language of every engine. One emission rule for each operation. */
import { ShapeError } from "../errors.js";
import { activationsEmission } from "./onnx/activations.js";
import { alongEmission } from "./onnx/along.js";
import { ELEMENT_TYPES, MICROSOFT, ModelBuilder, OURS, onnxNode, type Rules } from "./onnx/builder.js";
import { comparisonsEmission } from "./onnx/comparisons.js";
import { elementwiseEmission } from "./onnx/elementwise.js";
import { layerNormEmission } from "./onnx/layer-norm.js";
import { productsEmission } from "./onnx/products.js";
import { randomEmission } from "./onnx/random.js";
import { reductionsEmission } from "./onnx/reductions.js";
import { rowsEmission } from "./onnx/rows.js";
import { shapesEmission } from "./onnx/shapes.js";
import { softmaxEmission } from "./onnx/softmax.js";
import { encodeModel, type NodeProto, type ValueInfoProto } from "./onnx-proto.js";
import { isSymbolic } from "./shape.js";
import { type Graph, inputsOf, type Op, rootsOf, type Tensor, topologicalOrder } from "./tensor.js";

const IR_VERSION = 8;
const OPSETS = [
  { domain: "", version: 18 },
  { domain: "ai.onnx.ml", version: 2 },
  { domain: MICROSOFT, version: 1 },
];
/** Suffix that tells the new value of a kept input from the input itself among the outputs of the model. */
export const UPDATED = ".updated";

/**
 * Encode a graph. Inputs keep their names, outputs theirs, and the new value of a kept input `x` is the output
 * `x.updated`. The symbolic leading axis is the dimension "batch". The same graph gives the same bytes.
 *
 * Throws {@link ShapeError} when a name starts with "%", or an output has the name of an input.
 */
export function toOnnx(graph: Graph, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  checkNames(graph);
  const builder = new ModelBuilder(rules, topologicalOrder(rootsOf(graph)));
  const updated = Object.entries(graph.updates).map(([name, tensor]) => [name + UPDATED, tensor] as const);
  const outputs = [...Object.entries(graph.outputs), ...updated];
  const nodes = nameOutputs(builder, outputs);
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: "codistill",
    opsetImport: OPSETS,
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: "codistill",
      node: nodes,
      initializer: builder.initializers,
      input: [...inputsOf(graph)].map(([name, tensor]) => valueInfo(name, tensor)),
      output: outputs.map(([name, tensor]) => valueInfo(name, tensor)),
    },
  });
}

/** Throws {@link ShapeError} for names that would mean two things in one model. */
function checkNames(graph: Graph): void {
  const inputs = inputsOf(graph);
  for (const name of [...inputs.keys(), ...Object.keys(graph.outputs)]) {
    if (name.startsWith(OURS)) throw new ShapeError(`graph: names must not start with "${OURS}", got "${name}"`);
  }
  for (const name of Object.keys(graph.outputs)) {
    if (inputs.has(name)) throw new ShapeError(`graph: an output must not have the name of an input, got "${name}"`);
  }
}

/** Give the outputs their names: by renaming where the value has none yet, else by a copy. */
function nameOutputs(
  builder: ModelBuilder,
  outputs: readonly (readonly [name: string, tensor: Tensor])[],
): NodeProto[] {
  const renamed = new Map<string, string>();
  const produced = new Set(builder.nodes.flatMap((node) => node.output));
  const copies: NodeProto[] = [];
  for (const [name, tensor] of outputs) {
    const value = builder.nameOf(tensor);
    if (produced.has(value) && !renamed.has(value)) renamed.set(value, name);
    else copies.push(onnxNode("Identity", [value], [name]));
  }
  const rename = (names: readonly string[]) => names.map((name) => renamed.get(name) ?? name);
  return [...builder.nodes, ...copies].map((node) => ({
    ...node,
    input: rename(node.input),
    output: rename(node.output),
  }));
}

const rules: Rules<Op> = {
  input: (_, { attributes: { name } }) => name,
  constant: (b, { attributes: { value } }) => b.constant(value),
  stopGradient: (_, __, x = "") => x,
  part: () => "",
  ...activationsEmission,
  ...alongEmission,
  ...comparisonsEmission,
  ...layerNormEmission,
  ...randomEmission,
  ...softmaxEmission,
  ...elementwiseEmission,
  ...productsEmission,
  ...reductionsEmission,
  ...shapesEmission,
  ...rowsEmission,
};

function valueInfo(name: string, tensor: Tensor): ValueInfoProto {
  const dim = tensor.shape.map((axis) => (isSymbolic(axis) ? { dimParam: axis } : { dimValue: axis }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[tensor.dtype], shape: { dim } } } };
}
