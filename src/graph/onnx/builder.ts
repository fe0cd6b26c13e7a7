/** What emission rules are made of: nodes and constants of a model, collected while its graph is walked. */
import type { DType, NdArray } from "../../runtime/array.js";
import type { AttributeProto, NodeProto, TensorProto } from "../onnx-proto.js";
import { isSymbolic } from "../shape.js";
import { isOp, type Op, type Shape, type Tensor } from "../tensor.js";

/** Names that start so are ours: values between nodes, constants. */
export const OURS = "%";

export const ELEMENT_TYPES: { readonly [D in DType | "int64" | "uint32"]: number } = {
  float32: 1,
  uint32: 12,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
};

/** Operations that ONNX Runtime adds to ONNX. */
export const MICROSOFT = "com.microsoft";

/** A number stands for an int; a float says so. */
type OnnxAttribute = number | { readonly float: number } | string | readonly number[] | readonly string[];

/** Collects nodes and constants while the graph is walked. */
export class ModelBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #rules: Rules<Op>;
  readonly #used: ReadonlyMap<Tensor, ReadonlySet<number>>;
  readonly #names = new Map<Tensor, readonly string[]>();
  readonly #constants = new Map<string, string>();

  /** `tensors` are all that will be added, each after its inputs. */
  constructor(rules: Rules<Op>, tensors: readonly Tensor[]) {
    this.#rules = rules;
    this.#used = usedParts(tensors);
    for (const tensor of tensors) this.#add(tensor);
  }

  #add(tensor: Tensor): void {
    const inputs = tensor.inputs.map((input) => this.nameOf(input));
    const [first = ""] = inputs;
    const names = isOp(tensor, "part")
      ? [this.#names.get(tensor.inputs[0] as Tensor)?.[tensor.attributes.index] ?? ""]
      : [(this.#rules[tensor.op] as Rule<Op>)(this, tensor, ...inputs)].flat();
    if (names.includes("")) throw new Error(`internal: ${tensor.op} of ${first} was emitted without a name`);
    this.#names.set(tensor, names);
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
    const first = `${OURS}${this.nodes.length}`;
    const outputs = Array.from({ length: numOutputs }, (_, i) => (i === 0 ? first : `${first}.${i}`));
    this.nodes.push(onnxNode(opType, inputs, outputs, attributes, domain));
    return outputs;
  }

  /** A list of int64 values, as shapes and axes are given. */
  ints(values: readonly number[]): string {
    return this.#constant("int64", [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  /** An int64 scalar. */
  int64(value: number): string {
    return this.#constant("int64", [], new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
  }

  /** A uint32 scalar. */
  uint32(value: number): string {
    return this.#constant("uint32", [], new Uint8Array(Uint32Array.of(value).buffer));
  }

  constant({ dtype, shape, data }: NdArray): string {
    if (Array.isArray(data)) throw new Error("internal: string constants are not emitted");
    return this.#constant(dtype, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  #constant(dtype: keyof typeof ELEMENT_TYPES, dims: readonly number[], rawData: Uint8Array): string {
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

export /** Appends the nodes of a tensor and returns the name of its value; of each of its results, if it has several. */
type Rule<O extends Op> = (b: ModelBuilder, node: Tensor<O>, ...inputs: string[]) => string | string[];

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
  if (typeof value === "string") return { name, type: 3, s: utf8.encode(value) };
  if ("float" in value) return { name, type: 1, f: value.float };
  if (isNumbers(value)) return { name, type: 7, ints: value };
  return { name, type: 8, strings: value.map((text) => utf8.encode(text)) };
}

/** Which further results of each tensor are read. */
function usedParts(tensors: readonly Tensor[]): Map<Tensor, Set<number>> {
  const used = new Map<Tensor, Set<number>>();
  for (const tensor of tensors) {
    const [whole] = tensor.inputs;
    if (!isOp(tensor, "part") || !whole) continue;
    used.set(whole, (used.get(whole) ?? new Set()).add(tensor.attributes.index));
  }
  return used;
}

function isNumbers(value: readonly number[] | readonly string[]): value is readonly number[] {
  return value.every((element) => typeof element === "number");
}
