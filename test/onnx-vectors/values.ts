/** Tensors of test vectors as arrays of ours. */
import type { TensorProto } from "../../src/graph/onnx-proto.js";
import { type ComputedDType, float32, int32, type NdArray, sizeOf } from "../../src/runtime/array.js";

/** Why a vector cannot be said in our vocabulary. */
export class NotOurs extends Error {}

/** Throws {@link NotOurs}. */
export function notOurs(reason: string): never {
  throw new NotOurs(reason);
}

/** The element types of ONNX by their numbers. */
const ELEMENT_TYPES: Readonly<Record<number, string>> = {
  1: "float",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  8: "string",
  9: "bool",
  10: "float16",
  11: "double",
  12: "uint32",
  13: "uint64",
  14: "complex64",
  15: "complex128",
  16: "bfloat16",
};

/** The name of an element type, for reasons. */
export function elementTypeName(elementType: number): string {
  return ELEMENT_TYPES[elementType] ?? `element type ${elementType}`;
}

/** What we read of each element type that has an array of ours: int64 as int32, double rounded to float32. */
const READERS: Readonly<Record<string, (tensor: TensorProto) => NdArray>> = {
  float: (t) =>
    float32(
      numbersOf(t, t.floatData, (view, i) => view.getFloat32(4 * i, true)),
      t.dims,
    ),
  double: (t) =>
    float32(
      numbersOf(t, t.doubleData, (view, i) => view.getFloat64(8 * i, true)),
      t.dims,
    ),
  int32: (t) =>
    int32(
      numbersOf(t, t.int32Data, (view, i) => view.getInt32(4 * i, true)),
      t.dims,
    ),
  int64: narrowed,
  bool: (t) => ({
    dtype: "bool",
    shape: t.dims,
    data: Uint8Array.from(numbersOf(t, t.int32Data, (view, i) => view.getUint8(i))),
  }),
};

/** Element types of which graphs of ours read inputs, and compute nothing else. */
const READ_ALONE: Readonly<Record<string, string>> = {
  int8: "int8, of which ours are the weights of a product alone",
  uint8: "uint8, of which ours are pixels, which are cast",
};

/** The array of a tensor. Throws {@link NotOurs} for an element type that no dtype of ours holds. */
export function arrayOf(tensor: TensorProto): NdArray {
  const read = READERS[elementTypeName(tensor.dataType)];
  if (read) return read(tensor);
  const name = elementTypeName(tensor.dataType);
  return notOurs(READ_ALONE[name] ?? `${name}, which is no dtype of ours`);
}

/** The dtype that a Cast to an element type gives. */
export function dtypeOf(elementType: number): ComputedDType {
  const name = elementTypeName(elementType);
  const dtypes: Readonly<Record<string, ComputedDType>> = { float: "float32", int32: "int32", bool: "bool" };
  return dtypes[name] ?? notOurs(`a cast to ${name}`);
}

function numbersOf(
  { dims, rawData }: TensorProto,
  listed: readonly number[] = [],
  at: (view: DataView, i: number) => number,
): number[] {
  if (!rawData?.length) return [...listed];
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: sizeOf(dims) }, (_, i) => at(view, i));
}

/** In 32 bits, where those hold every value. */
function narrowed(tensor: TensorProto): NdArray {
  const data = numbersOf(tensor, tensor.int64Data, (view, i) => Number(view.getBigInt64(8 * i, true)));
  const array = int32(data, tensor.dims);
  return data.every((value, i) => value === array.data[i]) ? array : notOurs("int64 values that int32 does not hold");
}
