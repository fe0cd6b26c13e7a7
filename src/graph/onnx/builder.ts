/** The builder that emission rules use: nodes and constants of a model, collected while its graph is walked. */
import { bytesOf, type NdArray, scalar } from "../../runtime/array.js";
import type { AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from "../onnx-proto.js";
import { isSymbolic } from "../shape.js";
import { isOp, type Op, type Shape, type Tensor } from "../tensor.js";
import { traits } from "../traits.js";
import { ELEMENT_TYPES, type ElementType } from "./element-types.js";

/** Prefix of our own names: of values between nodes, and of constants. */
export const OURS = "%";

/** A number is an int64, unless it is marked as a float. */
type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | GraphProto
  | { readonly float: number }
  | { readonly tensor: TensorProto };

/** Operations that ONNX Runtime has beside those of ONNX. */
export const MICROSOFT = "com.microsoft";

/** Operations over blocks of channels, which ONNX Runtime has for models that it optimises itself. */
export const BLOCKED = "com.microsoft.nchwc";

/** The parts of a model that all of its graphs share. */
export interface ModelParts {
  readonly rules: Rules<Op>;
  readonly initializers: TensorProto[];
  readonly constants: Map<string, string>;
  /** The sets of operations that its nodes are from. */
  readonly domains: Set<string>;
  /** How many channels the engine's kernels for blocks of channels take together; undefined where it has none. */
  readonly channelBlock?: number | undefined;
  numNames: number;
}

/** Collects the nodes of one graph while it is walked, and its constants in the model. */
export class ModelBuilder {
  readonly nodes: NodeProto[] = [];
  readonly #model: ModelParts;
  readonly #used: UsedParts;
  readonly #names: Map<Tensor, readonly string[]>;

  /** Adds `tensors`, each after its inputs, but those in `names`; `used` says which further results are read. */
  constructor(
    model: ModelParts,
    tensors: readonly Tensor[],
    names: Iterable<readonly [Tensor, readonly string[]]> = [],
    used: UsedParts = usedParts(tensors),
  ) {
    this.#model = model;
    this.#used = used;
    this.#names = new Map(names);
    for (const tensor of tensors) if (!this.#names.has(tensor)) this.#add(tensor);
  }

  /** A builder of a graph that a node of this one runs, in which all values of this one are known. */
  inner(tensors: readonly Tensor[]): ModelBuilder {
    return new ModelBuilder(this.#model, tensors, this.#names, this.#used);
  }

  /** A builder of a graph that a node of this one runs, in which only the given tensors are known. */
  body(tensors: readonly Tensor[], names: Iterable<readonly [Tensor, readonly string[]]>): ModelBuilder {
    return new ModelBuilder(this.#model, tensors, names);
  }

  /** See {@link ModelParts}. */
  get channelBlock(): number | undefined {
    return this.#model.channelBlock;
  }

  /** A name that nothing else has. */
  fresh(): string {
    return `${OURS}${this.#model.numNames++}`;
  }

  /** The graph of these nodes, with the given outputs: a node's value is renamed once, all others are copied. */
  graph(inputs: readonly ValueInfoProto[], outputs: readonly (readonly [name: string, tensor: Tensor])[]): GraphProto {
    const renamed = new Map<string, string>();
    const produced = new Set(this.nodes.flatMap((node) => node.output));
    const copies: NodeProto[] = [];
    for (const [name, tensor] of outputs) {
      const value = this.nameOf(tensor);
      if (produced.has(value) && !renamed.has(value)) renamed.set(value, name);
      else copies.push(onnxNode("Identity", [value], [name]));
    }
    return {
      name: "codistill",
      node: [...this.nodes, ...copies].map((node) => withNames(node, renamed)),
      initializer: [],
      input: inputs,
      output: outputs.map(([name, tensor]) => valueInfo(name, tensor)),
    };
  }

  #add(tensor: Tensor): void {
    const inputs = tensor.inputs.map((input) => this.nameOf(input));
    const [first = ""] = inputs;
    const numBefore = this.nodes.length;
    const names = isOp(tensor, "part")
      ? [this.#names.get(tensor.inputs[0] as Tensor)?.[tensor.attributes.index] ?? ""]
      : [(this.#model.rules[tensor.op] as Rule<Op>)(this, tensor, ...inputs)].flat();
    if (names.includes("")) throw new Error(`internal: ${tensor.op} of ${first} was emitted without a name`);
    this.#names.set(tensor, names);
    const { isForCpuOnWebGpu: which } = traits[tensor.op];
    if (which) this.#nameNodes(numBefore, which === "always" ? 1 : 2);
  }

  /** Name the nodes from `from` on that have so many outputs: engines are told by name which to compute on the CPU. */
  #nameNodes(from: number, fewestOutputs: number): void {
    for (const [i, node] of this.nodes.entries())
      if (i >= from && node.output.length >= fewestOutputs)
        this.nodes[i] = { ...node, name: node.opType + node.output[0] };
  }

  /** The value of a tensor: of its first result, where it has several. */
  nameOf(tensor: Tensor): string {
    const name = this.#names.get(tensor)?.[0];
    if (name === undefined) throw new Error(`internal: ${tensor.op} was used before it was emitted`);
    return name;
  }

  /** Whether anything reads a further result of a tensor. */
  isUsed(tensor: Tensor, part: number): boolean {
    return this.#used.get(tensor)?.has(part) ?? false;
  }

  /** Append a node with one output and return that output's name. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = "",
  ): string {
    return this.nodeOf(1, opType, inputs, attributes, domain)[0] as string;
  }

  /** Append a node with several outputs and return their names. */
  nodeOf(
    numOutputs: number,
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = "",
  ): string[] {
    const outputs = Array.from({ length: numOutputs }, () => this.fresh());
    const node = onnxNode(opType, inputs, outputs, attributes, domain);
    this.nodes.push(node);
    this.#model.domains.add(domain);
    return outputs;
  }

  /** A list of int64 values, as shapes and axes are given. */
  ints(values: readonly number[]): string {
    return this.#constant("int64", [values.length], bytesOf(BigInt64Array.from(values, BigInt)));
  }

  /** An int64 scalar. */
  int64(value: number): string {
    return this.#constant("int64", [], bytesOf(BigInt64Array.of(BigInt(value))));
  }

  /** A uint32 scalar. */
  uint32(value: number): string {
    return this.#constant("uint32", [], bytesOf(Uint32Array.of(value)));
  }

  constant({ dtype, shape, data }: NdArray): string {
    return this.#constant(dtype, shape, bytesOf(data));
  }

  #constant(dtype: ElementType, dims: readonly number[], rawData: Uint8Array): string {
    // Small constants repeat often (0, 1, axes), so equal ones are stored once.
    const key = rawData.length <= 64 ? `${dtype}${dims}:${rawData}` : undefined;
    const { initializers, constants } = this.#model;
    const known = key && constants.get(key);
    if (known) return known;
    const name = `${OURS}constant.${initializers.length}`;
    initializers.push({ name, dims, dataType: ELEMENT_TYPES[dtype], rawData });
    if (key) constants.set(key, name);
    return name;
  }
}

/** Appends the nodes of a tensor and returns the name of its value; of each of its results, if it has several. */
export type Rule<O extends Op> = (b: ModelBuilder, node: Tensor<O>, ...inputs: string[]) => string | string[];

export const elementwise =
  (opType: string) =>
  (b: ModelBuilder, _: Tensor, ...inputs: string[]) =>
    b.node(opType, inputs);

export const reduction =
  (opType: string) =>
  (
    b: ModelBuilder,
    { attributes: { axes, keepDims } }: Tensor<"reduceSum" | "reduceMean" | "reduceMax" | "reduceMin">,
    ...inputs: string[]
  ) =>
    axes.length === 0
      ? b.node("Identity", inputs)
      : b.node(opType, [...inputs, b.ints(axes)], { keepdims: Number(keepDims) });

/** How many elements the axes of a tensor span together, as a float32 scalar. */
export function countOf(b: ModelBuilder, x: Tensor | undefined, name: string, axes: readonly number[]): string {
  const sizes = axes.map((axis) => x?.shape[axis] ?? 1);
  const count = b.constant(scalar(sizes.reduce<number>((size, axis) => (isSymbolic(axis) ? size : size * axis), 1)));
  if (!sizes.some(isSymbolic)) return count;
  const batch = b.node("Cast", [b.node("Shape", [name], { start: 0, end: 1 })], { to: ELEMENT_TYPES.float32 });
  return b.node("Mul", [b.node("Reshape", [batch, b.ints([])]), count]);
}

/** A rule for each of some operations. */
export type Rules<O extends Op> = { readonly [P in O]: Rule<P> };

/** The sizes of a shape as int64 values; where the leading one is symbolic, it is that of `like`. */
export function shapeLike(b: ModelBuilder, shape: Shape, like: string): string {
  return shape.some(isSymbolic) ? b.node("Shape", [like]) : b.ints(shape as number[]);
}

/** ONNX writes the one unknown size of a shape as -1. */
export function onnxAxis(axis: Shape[number]): number {
  return isSymbolic(axis) ? -1 : axis;
}

export function onnxNode(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
  domain = "",
): NodeProto {
  return { opType, input, output, domain, attribute: Object.entries(attributes).map(onnxAttribute) };
}

const utf8 = new TextEncoder();

function onnxAttribute([name, value]: [string, OnnxAttribute]): AttributeProto {
  if (typeof value === "number") return { name, type: 2, i: value };
  if (typeof value === "object" && "float" in value) return { name, type: 1, f: value.float };
  if (typeof value === "object" && "tensor" in value) return { name, type: 4, t: value.tensor };
  if (typeof value === "string") return { name, type: 3, s: utf8.encode(value) };
  if (!isList(value)) return { name, type: 5, g: value };
  if (isNumbers(value)) return { name, type: 7, ints: value };
  return { name, type: 8, strings: value.map((text) => utf8.encode(text)) };
}

/** A node with values renamed, in the graphs that it runs too. */
function withNames(node: NodeProto, renamed: ReadonlyMap<string, string>): NodeProto {
  const rename = (names: readonly string[]) => names.map((name) => renamed.get(name) ?? name);
  const attribute = node.attribute.map((attribute) => {
    if (!attribute.g) return attribute;
    return { ...attribute, g: { ...attribute.g, node: attribute.g.node.map((inner) => withNames(inner, renamed)) } };
  });
  return { ...node, attribute, input: rename(node.input), output: rename(node.output) };
}

type UsedParts = ReadonlyMap<Tensor, ReadonlySet<number>>;

/** Which further results of each tensor are read. */
export function usedParts(tensors: readonly Tensor[]): UsedParts {
  const used = new Map<Tensor, Set<number>>();
  for (const tensor of tensors) {
    const [whole] = tensor.inputs;
    if (!isOp(tensor, "part") || !whole) continue;
    used.set(whole, (used.get(whole) ?? new Set()).add(tensor.attributes.index));
  }
  return used;
}

function isList(value: OnnxAttribute): value is readonly number[] | readonly string[] {
  return Array.isArray(value);
}

export function valueInfo(name: string, tensor: Tensor): ValueInfoProto {
  const dim = tensor.shape.map((axis) => (isSymbolic(axis) ? { dimParam: axis } : { dimValue: axis }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[tensor.dtype], shape: { dim } } } };
}

function isNumbers(value: readonly number[] | readonly string[]): value is readonly number[] {
  return value.every((element) => typeof element === "number");
}
