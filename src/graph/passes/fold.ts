import { bytesOf, type DType, type NdArray, sizeOf } from "../../runtime/array.js";
import * as ops from "../ops.js";
import { isOp, type Tensor } from "../tensor.js";
import { type FoldRule, foldValues } from "./fold-values.js";
import { constantOf, knownShape } from "./match.js";
import type { Pass } from "./walk.js";

/** Constants of more elements are not made. */
const MOST_FOLDED = 64;

/**
 * Small constants are computed once and for all, where the engine would give the same bits: arithmetic that IEEE 754
 * rounds correctly, whole numbers, comparisons, elements in other places. What could be another number of the same meaning
 * is left to the engine: a zero or a NaN whose sign depends on a kernel, and numbers below the normal ones, which it takes
 * for 0.
 */
export const fold: Pass = () => (tensor) => {
  const shape = knownShape(tensor);
  if (!shape || tensor.parts || sizeOf(shape) > MOST_FOLDED) return tensor;
  if (isOp(tensor, "countAlong")) return counted(tensor);
  const rule = foldValues[tensor.op] as FoldRule | undefined;
  const values = tensor.inputs.map(constantOf);
  if (!rule || values.length === 0 || !values.every((value) => value !== undefined)) return tensor;
  const data = rule(values, tensor);
  const folded = data && { dtype: tensor.dtype, shape, data: arrayOf(tensor.dtype, data) };
  return folded && [...values, folded].every(isPlain) ? ops.constant(folded) : tensor;
};

/** How many elements there are, where that is known and a float32. */
function counted(tensor: Tensor<"countAlong">): Tensor {
  const sizes = tensor.attributes.axes.map((axis) => tensor.inputs[0]?.shape[axis]);
  const count = sizes.reduce<number>((product, size) => (typeof size === "number" ? product * size : Number.NaN), 1);
  return Math.fround(count) === count
    ? ops.constant({ dtype: "float32", shape: [], data: Float32Array.of(count) })
    : tensor;
}

function arrayOf(dtype: DType, data: readonly number[]): NdArray["data"] {
  if (dtype === "float32") return Float32Array.from(data);
  return dtype === "int32" ? Int32Array.from(data) : Uint8Array.from(data);
}

/** Whether all elements are numbers that every kernel takes for what they are. */
function isPlain({ dtype, data }: NdArray): boolean {
  if (dtype !== "float32") return true;
  const bits = bytesOf(data);
  const view = new DataView(bits.buffer, bits.byteOffset, bits.byteLength);
  return data.every((value, i) => {
    const exponent = (view.getUint32(4 * i, true) >>> 23) & 0xff;
    return !Number.isNaN(value) && (exponent > 0 || value === 0);
  });
}
