/** ONNX nodes over columns: float64 numbers and strings, which the operations of training do not have. */
import { onnxNode } from "../graph/onnx/builder.js";
import { ELEMENT_TYPES, type ElementType } from "../graph/onnx/element-types.js";
import type { NodeProto, TensorProto } from "../graph/onnx-proto.js";
import { bytesOf } from "../runtime/array.js";

/** The domain of the operation LabelEncoder. */
export const LABELS = "ai.onnx.ml";
const utf8 = new TextEncoder();

/** Collects nodes and constants. Values are [batch], or scalars where nothing but constants went in. */
export class Nodes {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #constants = new Map<string, string>();
  readonly #known = new Map<string, string>();
  readonly #prefix: string;

  /** Names begin with `prefix`. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The result of a node; equal nodes are one. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Parameters<typeof onnxNode>[3] = {},
    domain = "",
  ): string {
    const key = domain === LABELS ? undefined : JSON.stringify([opType, inputs, attributes]);
    const known = key && this.#known.get(key);
    if (known) return known;
    const name = `${this.#prefix}${this.nodes.length}`;
    this.nodes.push(onnxNode(opType, inputs, [name], attributes, domain));
    if (key) this.#known.set(key, name);
    return name;
  }

  /** Give a value another name. */
  result(name: string, x: string): void {
    this.nodes.push(onnxNode("Identity", [x], [name]));
  }

  /** Values [batch] side by side: [batch, values]. */
  columns(values: readonly string[]): string {
    const rows = this.node("Reshape", [this.node("Concat", values, { axis: 0 }), this.whole([values.length, -1])]);
    return this.node("Transpose", [rows], { perm: [1, 0] });
  }

  /** Whole numbers as int64. */
  whole(values: readonly number[]): string {
    const rawData = bytesOf(BigInt64Array.from(values, BigInt));
    return this.#constant(`whole ${values}`, { dataType: ELEMENT_TYPES.int64, dims: [values.length], rawData });
  }

  cast(x: string, to: ElementType): string {
    return this.node("Cast", [x], { to: ELEMENT_TYPES[to] });
  }

  number(value: number): string {
    return this.#constant(`number ${Object.is(value, -0) ? "-0" : value}`, { ...float64([value]), dims: [] });
  }

  numbers(values: readonly number[]): string {
    return this.#constant(`numbers ${values}`, float64(values));
  }

  text(value: string): string {
    return this.#constant(`text ${value}`, {
      dataType: ELEMENT_TYPES.string,
      dims: [],
      stringData: [utf8.encode(value)],
    });
  }

  /** For each number its value in a table, else `missing`; NaN is never a key. */
  numberOf(x: string, keys: readonly number[], values: readonly number[], missing: number): string {
    const tensor = (name: string, list: readonly number[]) => ({ tensor: { name, ...float64(list) } });
    const attributes = {
      keys_tensor: tensor("keys", keys),
      values_tensor: tensor("values", values),
      default_tensor: tensor("default", [missing]),
    };
    return this.node("LabelEncoder", [x], attributes, LABELS);
  }

  /** Look strings up in a table: the int64 value of each key, else `missing`. */
  idOf(x: string, keys: readonly string[], values: readonly number[], missing: number): string {
    const attributes = { keys_strings: keys, values_int64s: values, default_int64: missing };
    return this.node("LabelEncoder", [x], attributes, LABELS);
  }

  #constant(key: string, tensor: Omit<TensorProto, "name">): string {
    const known = this.#constants.get(key);
    if (known) return known;
    const name = `${this.#prefix}constant.${this.initializers.length}`;
    this.initializers.push({ name, ...tensor });
    this.#constants.set(key, name);
    return name;
  }
}

function float64(values: readonly number[]) {
  return { dataType: ELEMENT_TYPES.float64, dims: [values.length], rawData: bytesOf(Float64Array.from(values)) };
}
