/** The products of a step without all that is between them: the least time that ONNX Runtime could need for it. */

import type { Plan } from "../src/engine/plan.js";
import { encodeModel, type NodeProto, type TensorProto, type ValueInfoProto } from "../src/graph/onnx-proto.js";
import { float32, type NamedArrays, sizeOf } from "../src/runtime/array.js";
import { rootKey, uniform } from "../src/runtime/random.js";

/** A matrix product of `a` and `b` as they lie in memory, either transposed first; with `batch`, as many at once. */
export interface MatrixProduct {
  readonly kind: "matmul";
  readonly a: readonly [rows: number, columns: number];
  readonly b: readonly [rows: number, columns: number];
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly batch?: number;
  /** Products whose `b` has the same name share it, as a weight is shared. */
  readonly weight?: string;
}

/** A 3 x 3 convolution with stride 1 and padding 1 of x [batch, channels, height, width], as many channels out as in. */
export interface Convolution {
  readonly kind: "conv";
  readonly x: readonly [batch: number, channels: number, height: number, width: number];
}

export type Product = MatrixProduct | Convolution;

/** Forward, by the weight, and by x unless x is data: what a linear layer on so many rows multiplies in a step. */
export function linearProducts(rows: number, inputs: number, outputs: number, isXData = false): Product[] {
  const weight = `${inputs}x${outputs}`;
  return [
    { kind: "matmul", a: [rows, inputs], b: [inputs, outputs], weight },
    { kind: "matmul", a: [rows, inputs], b: [rows, outputs], transposeA: true },
    ...(isXData
      ? []
      : [{ kind: "matmul", a: [rows, outputs], b: [inputs, outputs], transposeB: true, weight } as const]),
  ];
}

/**
 * The same for a convolution: by x it is again a convolution, with the filters turned round; by the weight it is a
 * product of [channels, batch x height x width] with each of the nine shifted inputs, which is faster than any Conv.
 */
export function convProducts(x: Convolution["x"], isXData = false): Product[] {
  const [batch, channels, height, width] = x;
  const positions = batch * height * width;
  const shifted = { kind: "matmul", a: [channels, positions], b: [channels, positions], transposeB: true } as const;
  return [{ kind: "conv", x }, ...(isXData ? [] : [{ kind: "conv", x } as const]), ...Array(9).fill(shifted)];
}

/** Multiplications and additions, in billions. */
export function gigaFlops(products: readonly Product[]): number {
  const of = (product: Product) => {
    if (product.kind === "conv") return 2 * 9 * sizeOf(product.x) * product.x[1];
    const { a, b, transposeB = false, batch = 1 } = product;
    return 2 * batch * a[0] * a[1] * b[transposeB ? 0 : 1];
  };
  return products.reduce((sum, product) => sum + of(product), 0) / 1e9;
}

/** A graph of just these products, ready for an engine, and random operands in [-1, 1). */
export function productsPlan(products: readonly Product[]): { readonly plan: Plan; readonly feeds: NamedArrays } {
  const shapes = new Map<string, readonly number[]>();
  const nodes: NodeProto[] = [];
  const one = int64("one", [1]);
  const initializers = new Map<string, TensorProto>([["one", one]]);
  // Of each result one element leaves the graph, so that nothing is left out as unused and nothing large is copied.
  products.forEach((product, i) => {
    const { rank, node } = product.kind === "conv" ? convNode(product, i, shapes) : matrixNode(product, i, shapes);
    const [zeros, ones, axes] = [Array(rank).fill(0), Array(rank).fill(1), [...Array(rank).keys()]].map(
      (values) => `ints.${values.join(".")}`,
    ) as [string, string, string];
    initializers.set(zeros, int64(zeros, Array(rank).fill(0)));
    initializers.set(ones, int64(ones, Array(rank).fill(1)));
    initializers.set(axes, int64(axes, [...Array(rank).keys()]));
    nodes.push(node, onnxNode("Slice", [`product.${i}`, zeros, ones, axes], `corner.${i}`));
    nodes.push(onnxNode("Reshape", [`corner.${i}`, "one"], `element.${i}`));
  });
  const elements = products.map((_, i) => `element.${i}`);
  nodes.push({ ...onnxNode("Concat", elements, "elements"), attribute: [{ name: "axis", type: 2, i: 0 }] });
  const onnx = encodeModel({
    irVersion: 8,
    producerName: "codistill",
    opsetImport: [
      { domain: "", version: 18 },
      { domain: "com.microsoft", version: 1 },
    ],
    metadataProps: [],
    graph: {
      name: "products",
      node: nodes,
      initializer: [...initializers.values()],
      input: [...shapes].map(([name, shape]) => valueInfo(name, shape)),
      output: [valueInfo("elements", [products.length])],
    },
  });
  // Drawn once and copied: each operand has memory of its own, and draws for all of them take a minute.
  const longest = Math.max(...[...shapes.values()].map(sizeOf));
  const values = uniform(rootKey(1), longest).map((value) => 2 * value - 1);
  const feeds = [...shapes].map(([name, shape]) => [name, float32(values.slice(0, sizeOf(shape)), shape)] as const);
  return {
    plan: { onnx, inputs: [...shapes.keys()], outputs: ["elements"], updates: [], isGuarded: false },
    feeds: Object.fromEntries(feeds),
  };
}

type Emitted = { readonly rank: number; readonly node: NodeProto };

function convNode({ x }: Convolution, i: number, shapes: Map<string, readonly number[]>): Emitted {
  shapes.set(`x.${i}`, x).set(`filters.${i}`, [x[1], x[1], 3, 3]);
  const pads = { name: "pads", type: 7, ints: [1, 1, 1, 1] };
  return { rank: 4, node: { ...onnxNode("Conv", [`x.${i}`, `filters.${i}`], `product.${i}`), attribute: [pads] } };
}

function matrixNode(product: MatrixProduct, i: number, shapes: Map<string, readonly number[]>): Emitted {
  const { a, b, transposeA = false, transposeB = false, batch, weight } = product;
  const leading = batch === undefined ? [] : [batch];
  const right = weight === undefined ? `b.${i}` : `weight.${weight}`;
  shapes.set(`a.${i}`, [...leading, ...a]).set(right, [...leading, ...b]);
  const attribute = [
    { name: "transA", type: 2, i: Number(transposeA) },
    { name: "transB", type: 2, i: Number(transposeB) },
  ];
  const node = onnxNode(batch === undefined ? "Gemm" : "FusedMatMul", [`a.${i}`, right], `product.${i}`);
  return { rank: 2 + leading.length, node: { ...node, attribute, domain: batch === undefined ? "" : "com.microsoft" } };
}

function onnxNode(opType: string, input: readonly string[], output: string): NodeProto {
  return { opType, input, output: [output], domain: "", attribute: [] };
}

function int64(name: string, values: readonly number[]): TensorProto {
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { name, dims: [values.length], dataType: 7, rawData };
}

function valueInfo(name: string, shape: readonly number[]): ValueInfoProto {
  return { name, type: { tensorType: { elemType: 1, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } } };
}
