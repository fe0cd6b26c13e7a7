/** A graph as the bytes of an ONNX model: the language of every engine. One emission rule for each operation. */
import { ShapeError } from "../errors.js";
import { alwaysOf, type Graph, inputsOf, rootsOf, UPDATED } from "./graph.js";
import { BLOCKED, MICROSOFT, ModelBuilder, OURS, onnxNode, type Rules, usedParts, valueInfo } from "./onnx/builder.js";
import { contractionsEmission } from "./onnx/contractions.js";
import { convolutionEmission } from "./onnx/convolution.js";
import { elementwiseEmission } from "./onnx/elementwise.js";
import { indexingEmission } from "./onnx/indexing.js";
import { normalisationEmission } from "./onnx/normalisation.js";
import { randomEmission } from "./onnx/random.js";
import { scanEmission } from "./onnx/scan.js";
import { shapesEmission } from "./onnx/shapes.js";
import { encodeModel, type ModelProto } from "./onnx-proto.js";
import { interned } from "./passes/walk.js";
import { type Op, type Tensor, topologicalOrder } from "./tensor.js";

const IR_VERSION = 8;
const OPSETS = [
  { domain: "", version: 18 },
  { domain: "ai.onnx.ml", version: 2 },
];
/** The operations that ONNX Runtime has beside the standard; a model names these sets only where it uses one of them. */
const CONTRIBUTED = [MICROSOFT, BLOCKED].map((domain) => ({ domain, version: 1 }));

export interface OnnxOptions {
  /**
   * How many channels the kernels of the engine take together that convolve blocks of channels. The model then runs on
   * that engine alone. Undefined by default: a model of standard convolutions.
   */
  readonly channelBlock?: number | undefined;
}

/**
 * Encode a graph. Inputs keep their names, outputs theirs, and the new value of a state tensor `x` is the output
 * `x.updated`. The symbolic leading axis is the dimension "batch". The same graph gives the same bytes.
 *
 * Throws {@link ShapeError} when a name starts with "%", or an output has the name of an input.
 */
export function toOnnx(
  graph: Graph,
  metadata: Readonly<Record<string, string>> = {},
  options: OnnxOptions = {},
): Uint8Array {
  return encodeModel(toModel(graph, metadata, options));
}

/** The same as a record. Throws what {@link toOnnx} throws. */
export function toModel(
  given: Graph,
  metadata: Readonly<Record<string, string>> = {},
  { channelBlock }: OnnxOptions = {},
): ModelProto {
  const graph = interned(given);
  checkNames(graph);
  const domains = new Set<string>();
  const parts = { rules, initializers: [], constants: new Map(), numNames: 0, domains, channelBlock };
  const { when } = graph;
  const inputs = [...inputsOf(graph)];
  const always = [...topologicalOrder(when ? alwaysOf(graph) : rootsOf(graph)), ...inputs.map(([, input]) => input)];
  const builder = new ModelBuilder(parts, always, [], usedParts(topologicalOrder(rootsOf(graph))));
  const updated = Object.entries(graph.updates).map(([name, tensor]) => [name + UPDATED, tensor] as const);
  const returned = Object.entries(graph.outputs);
  const infos = inputs.map(([name, input]) => valueInfo(name, input));
  if (when) guardedUpdates(builder, graph, when);
  const main = builder.graph(infos, when ? returned : [...returned, ...updated]);
  const guarded = when ? updated.map(([name, tensor]) => valueInfo(name, tensor)) : [];
  return {
    irVersion: IR_VERSION,
    producerName: "codistill",
    opsetImport: [...OPSETS, ...CONTRIBUTED.filter(({ domain }) => domains.has(domain))],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: { ...main, initializer: parts.initializers, output: [...main.output, ...guarded] },
  };
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

/**
 * The updates of a graph with `when`: one node that computes them where it holds, and returns the state tensors
 * unchanged where it does not. Tensors that only the updates need are computed in the branch.
 */
function guardedUpdates(b: ModelBuilder, graph: Graph, when: Tensor): void {
  const updates = Object.entries(graph.updates);
  const inputs = inputsOf(graph);
  const branch = (results: readonly Tensor[]) => {
    const builder = b.inner(topologicalOrder(results));
    return builder.graph(
      [],
      results.map((result) => [builder.fresh(), result] as const),
    );
  };
  const attributes = {
    then_branch: branch(updates.map(([, updated]) => updated)),
    else_branch: branch(updates.map(([name]) => keptInput(inputs, name))),
  };
  b.nodes.push(
    onnxNode(
      "If",
      [b.nameOf(when)],
      updates.map(([name]) => name + UPDATED),
      attributes,
    ),
  );
}

/** The state tensor that a guarded update may leave as is. Throws {@link ShapeError} when the graph never reads it. */
function keptInput(inputs: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const kept = inputs.get(name);
  if (!kept) throw new ShapeError(`graph: with "when", what is updated must be read too, and "${name}" is not`);
  return kept;
}

const rules: Rules<Op> = {
  input: (_, { attributes: { name } }) => name,
  constant: (b, { attributes: { value } }) => b.constant(value),
  stopGradient: (_, __, x = "") => x,
  part: () => "",
  ...elementwiseEmission,
  ...contractionsEmission,
  ...normalisationEmission,
  ...convolutionEmission,
  ...shapesEmission,
  ...indexingEmission,
  ...randomEmission,
  ...scanEmission,
};
