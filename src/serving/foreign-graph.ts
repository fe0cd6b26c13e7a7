/**
 * The part of another program's ONNX model that computes one of its tensors. What of a file our reader does not know, as functions and
 * tensors in other files, is left out, so that ONNX Runtime never sees it.
 */
import { CheckpointError, ConfigError } from "../errors.js";
import { ELEMENT_TYPES, type ElementType, elementTypeName } from "../graph/onnx/element-types.js";
import type { ModelProto, NodeProto, ValueInfoProto } from "../graph/onnx-proto.js";
import { nearest } from "../nearest.js";
import { foreignProblem } from "./model-graph.js";

/** An input of a model, of which rows are the first axis. */
export interface ForeignInput {
  readonly name: string;
  readonly type: ElementType;
  /** How many values it has for each row; null where its shape leaves that open. */
  readonly width: number | null;
  /** 1 for [rows], 2 for [rows, width]. */
  readonly rank: number;
}

/** A model of one output, and what it reads. */
export interface ForeignGraph {
  readonly model: ModelProto;
  readonly inputs: readonly ForeignInput[];
  readonly output: string;
}

/** The element types that a row of a table can have. */
const FED: ReadonlySet<ElementType> = new Set(["float32", "float64", "int32", "int64", "bool", "string"]);

/**
 * The part of a model that computes an output: one of the tensors in its graph by name, or by default its one output of float32 or
 * float64.
 *
 * @param path - of the file, for errors
 * @throws ConfigError where no output is named and several or none are numbers, and for a name that the graph does not have
 * @throws CheckpointError for operations that are not run, and for inputs that rows of a table cannot be
 */
export function foreignGraph(path: string, model: ModelProto, wanted?: string): ForeignGraph {
  const { graph } = model;
  const output = wanted ?? onlyOutput(path, graph.output);
  const nodes = nodesFor(path, graph.node, output);
  const read = new Set(nodes.flatMap(({ input }) => input));
  const initializer = graph.initializer.filter(({ name }) => read.has(name));
  const given = new Set(initializer.map(({ name }) => name));
  const input = graph.input.filter(({ name }) => read.has(name) && !given.has(name));
  const declared = graph.output.find(({ name }) => name === output);
  const own = declared && isTensor(declared) ? declared : floatNamed(output);
  const part = { ...model, metadataProps: [], graph: { ...graph, node: nodes, initializer, input, output: [own] } };
  const problem = foreignProblem(part);
  if (problem !== null) {
    throw new CheckpointError(
      `${path} does not run here: it has ${problem}, and what computes ${output} may have plain operations of ONNX alone. Write its predictions into a column, and let that teach.`,
    );
  }
  return { model: part, inputs: input.map((one) => inputOf(path, one)), output };
}

function isTensor({ type }: ValueInfoProto): boolean {
  return (type?.tensorType?.elemType ?? 0) !== 0;
}

function onlyOutput(path: string, outputs: readonly ValueInfoProto[]): string {
  const numbers = outputs.filter(({ type }) => {
    const name = elementTypeName(type?.tensorType?.elemType ?? 0);
    return name === "float32" || name === "float64";
  });
  const [own] = numbers;
  if (own && numbers.length === 1) return own.name;
  throw new ConfigError(
    `${path}: one tensor of numbers is what a model predicts, and ${numbers.length === 0 ? "none of its outputs is one" : "several of its outputs are"} (${namesOf(outputs)}). Name it, as output: "...".`,
  );
}

/** The nodes that a tensor is computed by, in the order of the graph. */
function nodesFor(path: string, nodes: readonly NodeProto[], output: string): NodeProto[] {
  const by = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
  if (!by.has(output)) {
    const near = nearest(output, [...by.keys()]);
    throw new ConfigError(
      `${path}: output must name a tensor that the model computes, and it has no ${output}.${near === undefined ? "" : ` Did you mean ${near}?`}`,
    );
  }
  const needed = new Set<NodeProto>();
  const open = [output];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = by.get(name);
    if (!node || needed.has(node)) continue;
    needed.add(node);
    open.push(...node.input);
  }
  return nodes.filter((node) => needed.has(node));
}

/** A tensor in a graph that is no output of it: what predicts is float32. */
function floatNamed(name: string): ValueInfoProto {
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES.float32 } } } as ValueInfoProto;
}

function inputOf(path: string, { name, type }: ValueInfoProto): ForeignInput {
  const { elemType = 0, shape } = type?.tensorType ?? {};
  const own = elementTypeName(elemType);
  const axes = (shape?.dim ?? []) as readonly { readonly dimValue?: number; readonly dimParam?: string }[];
  const [batch, width] = axes;
  const refuse = (why: string): never => {
    throw new CheckpointError(`${path}: the input ${name} ${why}`);
  };
  if (!own || !FED.has(own))
    return refuse(`has an element type that rows of a table cannot be; export a model of numbers or text.`);
  if (axes.length !== 1 && axes.length !== 2)
    return refuse(`must be [rows] or [rows, values], and has ${axes.length} axes.`);
  if ((batch?.dimValue ?? 0) > 0)
    return refuse(`takes exactly ${batch?.dimValue} rows at once; export the model with a first axis of any length.`);
  const size = width?.dimValue ?? 0;
  return { name, type: own, rank: axes.length, width: axes.length === 1 ? 1 : size > 0 ? size : null };
}

function namesOf(values: readonly ValueInfoProto[]): string {
  return values.map(({ name }) => name).join(", ") || "none";
}
