/** A graph as the bytes of an ONNX model: the language of every engine. One emission rule for each operation. */
import { ShapeError } from "../errors.js";
import { type DType, type NdArray, sizeOf } from "../runtime/array.js";
import {
  type AttributeProto,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./onnx-proto.js";
import { type Graph, inputsOf, type Op, rootsOf, type Shape, type Tensor, topologicalOrder } from "./tensor.js";

const IR_VERSION = 8;
const OPSETS = [
  { domain: "", version: 18 },
  { domain: "ai.onnx.ml", version: 2 },
];
const ELEMENT_TYPES: { readonly [D in DType | "int64"]: number } = {
  float32: 1,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
};

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
  const builder = new ModelBuilder();
  for (const tensor of topologicalOrder(rootsOf(graph))) builder.add(tensor);
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

/** Names that start so are ours: values between nodes, constants. */
const OURS = "%";

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
    else copies.push(onnxNode("Identity", [value], name));
  }
  const rename = (names: readonly string[]) => names.map((name) => renamed.get(name) ?? name);
  return [...builder.nodes, ...copies].map((node) => ({
    ...node,
    input: rename(node.input),
    output: rename(node.output),
  }));
}

type OnnxAttribute = number | string | readonly number[] | readonly string[];

/** Collects nodes and constants while the graph is walked. */
class ModelBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #names = new Map<Tensor, string>();
  readonly #constants = new Map<string, string>();

  add(tensor: Tensor): void {
    const inputs = tensor.inputs.map((input) => this.nameOf(input));
    const rule = rules[tensor.op] as Rule<Op>;
    this.#names.set(tensor, rule(this, tensor, ...inputs));
  }

  nameOf(tensor: Tensor): string {
    const name = this.#names.get(tensor);
    if (name === undefined) throw new Error(`internal: ${tensor.op} was used before it was emitted`);
    return name;
  }

  /** Append a node with one output and return that output's name. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = "",
  ): string {
    const output = `${OURS}${this.nodes.length}`;
    this.nodes.push(onnxNode(opType, inputs, output, attributes, domain));
    return output;
  }

  /** A list of int64 values, as shapes and axes are given. */
  ints(values: readonly number[]): string {
    return this.#constant("int64", [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  constant({ dtype, shape, data }: NdArray): string {
    if (Array.isArray(data)) throw new Error("internal: string constants are not emitted");
    return this.#constant(dtype, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  #constant(dtype: DType | "int64", dims: readonly number[], rawData: Uint8Array): string {
    // Small constants repeat often (0, 1, axes), so equal ones are stored once.
    const key = rawData.length <= 64 ? `${dtype}${dims}:${rawData}` : undefined;
    const known = key && this.#constants.get(key);
    if (known) return known;
    const name = `${OURS}constant.${this.initializers.length}`;
    this.initializers.push({ name, dims, dataType: ELEMENT_TYPES[dtype], rawData });
    if (key) this.#constants.set(key, name);
    return name;
  }
}

type Rule<O extends Op> = (b: ModelBuilder, node: Tensor<O>, ...inputs: string[]) => string;

const elementwise =
  (opType: string) =>
  (b: ModelBuilder, _: Tensor, ...inputs: string[]) =>
    b.node(opType, inputs);

const reduction =
  (opType: string) =>
  (b: ModelBuilder, { attributes: { axes, keepDims } }: Tensor<"reduceSum" | "reduceMean">, ...inputs: string[]) =>
    axes.length === 0
      ? b.node("Identity", inputs)
      : b.node(opType, [...inputs, b.ints(axes)], { keepdims: Number(keepDims) });

const rules: { readonly [O in Op]: Rule<O> } = {
  input: (_, { attributes: { name } }) => name,
  constant: (b, { attributes: { value } }) => b.constant(value),
  stopGradient: (_, __, x = "") => x,
  neg: elementwise("Neg"),
  exp: elementwise("Exp"),
  log: elementwise("Log"),
  sqrt: elementwise("Sqrt"),
  relu: elementwise("Relu"),
  sigmoid: elementwise("Sigmoid"),
  softplus: elementwise("Softplus"),
  add: elementwise("Add"),
  sub: elementwise("Sub"),
  mul: elementwise("Mul"),
  div: elementwise("Div"),
  greater: elementwise("Greater"),
  where: elementwise("Where"),
  cast: (b, { attributes: { to } }, x = "") => b.node("Cast", [x], { to: ELEMENT_TYPES[to] }),
  matmul: (b, { attributes: { transposeA, transposeB } }, ...inputs) =>
    b.node("Gemm", inputs, { transA: Number(transposeA), transB: Number(transposeB) }),
  reduceSum: reduction("ReduceSum"),
  reduceMean: reduction("ReduceMean"),
  countAlong: (b, { attributes: { axes }, inputs: [x] }, name = "") => {
    const sizes = axes.map((axis) => x?.shape[axis] ?? 1);
    const known = sizes.reduce<number>((size, axis) => (axis === "batch" ? size : size * axis), 1);
    const count = b.constant({ dtype: "float32", shape: [], data: Float32Array.of(known) });
    if (!sizes.includes("batch")) return count;
    const batch = b.node("Cast", [b.node("Shape", [name], { start: 0, end: 1 })], { to: ELEMENT_TYPES.float32 });
    return b.node("Mul", [b.node("Reshape", [batch, b.ints([])]), count]);
  },
  expand: (b, { shape }, x = "", like = "") => b.node("Expand", [x, shapeLike(b, shape, like)]),
  reshape: (b, { attributes: { shape } }, x = "") => b.node("Reshape", [x, b.ints(shape.map(onnxAxis))]),
  transpose: (b, { attributes: { permutation } }, x = "") => b.node("Transpose", [x], { perm: permutation }),
  concat: (b, { attributes: { axis } }, ...inputs) => b.node("Concat", inputs, { axis }),
  slice: (b, { attributes: { axis, start, end } }, x = "") =>
    b.node("Slice", [x, b.ints([start]), b.ints([end]), b.ints([axis])]),
  pad: (b, { attributes: { axis, before, after }, shape }, x = "") => {
    const widths = (width: number) => shape.map((_, i) => (i === axis ? width : 0));
    return b.node("Pad", [x, b.ints([...widths(before), ...widths(after)])]);
  },
  gather: (b, _, ...inputs) => b.node("Gather", inputs, { axis: 0 }),
  // ScatterElements and not ScatterND: with repeated rows the latter loses updates when it runs on several threads.
  scatterAdd: (b, { shape }, indices = "", updates = "") => {
    const [numRows = 0, ...rest] = shape as number[];
    const width = sizeOf(rest);
    const rows = b.node("Reshape", [updates, b.ints([-1, width])]);
    const positions = b.node("Expand", [b.node("Reshape", [indices, b.ints([-1, 1])]), b.node("Shape", [rows])]);
    const zeros = b.node("ConstantOfShape", [b.ints([numRows, width])]);
    const sum = b.node("ScatterElements", [zeros, positions, rows], { axis: 0, reduction: "add" });
    return b.node("Reshape", [sum, b.ints([numRows, ...rest])]);
  },
  lookup: (b, { attributes: { keys } }, x = "") => {
    const attributes = { keys_strings: keys, values_int64s: keys.map((_, i) => i + 1), default_int64: 0 };
    return b.node("Cast", [b.node("LabelEncoder", [x], attributes, "ai.onnx.ml")], { to: ELEMENT_TYPES.int32 });
  },
};

function shapeLike(b: ModelBuilder, shape: Shape, like: string): string {
  return shape.includes("batch") ? b.node("Shape", [like]) : b.ints(shape as number[]);
}

/** ONNX writes the one unknown size of a shape as -1. */
function onnxAxis(axis: Shape[number]): number {
  return axis === "batch" ? -1 : axis;
}

function onnxNode(
  opType: string,
  input: readonly string[],
  output: string,
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
  domain = "",
): NodeProto {
  return { opType, input, output: [output], domain, attribute: Object.entries(attributes).map(onnxAttribute) };
}

const utf8 = new TextEncoder();

function onnxAttribute([name, value]: [string, OnnxAttribute]): AttributeProto {
  if (typeof value === "number") return { name, type: 2, i: value };
  if (typeof value === "string") return { name, type: 3, s: utf8.encode(value) };
  if (isNumbers(value)) return { name, type: 7, ints: value };
  return { name, type: 8, strings: value.map((text) => utf8.encode(text)) };
}

function isNumbers(value: readonly number[] | readonly string[]): value is readonly number[] {
  return value.every((element) => typeof element === "number");
}

function valueInfo(name: string, tensor: Tensor): ValueInfoProto {
  const dim = tensor.shape.map((axis) => (axis === "batch" ? { dimParam: "batch" } : { dimValue: axis }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[tensor.dtype], shape: { dim } } } };
}
