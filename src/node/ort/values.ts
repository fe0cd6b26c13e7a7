/** Tensors in memory of ours that the library reads and writes in place. */
import { ELEMENT_TYPES, elementTypeName } from "../../graph/onnx/element-types.js";
import { type DType, type NamedArrays, type NdArray, sizeOf } from "../../runtime/array.js";
import { mapValues } from "../../runtime/named.js";
import { addressOf, cApi, memoryAt, type Pointer } from "./c-api.js";

/** A tensor of the library over an array's memory. Release it, and it lets go of the memory. */
export interface OrtTensor {
  readonly array: NdArray;
  readonly value: Pointer;
}

/** Enough for the widest vector instructions, and a cache line. */
const ALIGNMENT = 64;

const kinds = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
  int8: Int8Array,
  uint8: Uint8Array,
} as const;
const isDType = (name: string | undefined): name is DType => name !== undefined && name in kinds;

/** Where an array lies in the memory of the process; valid as long as its owner refers to the array. */
export interface ArrayPlace {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly address: Pointer;
  readonly bytes: number;
}

/** The array at an {@link ArrayPlace}, over the same memory. */
export function arrayAt({ dtype, shape, address, bytes }: ArrayPlace): NdArray {
  return { dtype, shape, data: new kinds[dtype](memoryAt(address, bytes)) };
}

/** The places of arrays; undefined when one of them is empty and so has no address. */
export function placesOf(arrays: NamedArrays): Readonly<Record<string, ArrayPlace>> | undefined {
  if (!Object.values(arrays).every(({ data }) => data.length > 0)) return undefined;
  return mapValues(arrays, ({ dtype, shape, data }) => ({
    dtype,
    shape,
    address: addressOf(data),
    bytes: data.byteLength,
  }));
}

/** An array of zeros in memory that is aligned for vector instructions. */
export function alignedArray<D extends DType>(dtype: D, shape: readonly number[]): NdArray<D>;
export function alignedArray(dtype: DType, shape: readonly number[]): NdArray {
  return alignedIn(ArrayBuffer, dtype, shape);
}

/** An array of zeros in memory that all threads see. */
export function sharedArray(dtype: DType, shape: readonly number[]): NdArray {
  return alignedIn(SharedArrayBuffer, dtype, shape);
}

/** Whether all threads see the memory of an array. */
export function isInSharedMemory({ data }: NdArray): boolean {
  return data.buffer instanceof SharedArrayBuffer;
}

function alignedIn(Memory: new (bytes: number) => ArrayBufferLike, dtype: DType, shape: readonly number[]): NdArray {
  const size = sizeOf(shape);
  const Kind = kinds[dtype];
  const buffer = new Memory(size * Kind.BYTES_PER_ELEMENT + ALIGNMENT);
  const past = Number(addressOf(new Uint8Array(buffer)) % BigInt(ALIGNMENT));
  // The cast hides that the buffer may be shared, which the constructor allows.
  return { dtype, shape, data: new Kind(buffer as ArrayBuffer, (ALIGNMENT - past) % ALIGNMENT, size) };
}

/** A copy of an array in aligned memory. */
export function alignedCopy(array: NdArray): NdArray {
  const copy = alignedArray(array.dtype, array.shape);
  copyInto(copy, array);
  return copy;
}

/** Overwrite the elements of an array with those of one of the same dtype and size. */
export function copyInto(target: NdArray, { data }: NdArray): void {
  target.data.set(data);
}

/** A tensor over the memory of an array. */
export function tensorOver(array: NdArray): OrtTensor {
  const api = cApi();
  const { dtype, shape, data } = array;
  const axes = BigInt64Array.from(shape, BigInt);
  const dims = axes.length === 0 ? null : axes;
  const value = api.make(
    "CreateTensorWithDataAsOrtValue",
    api.cpu,
    data,
    data.byteLength,
    dims,
    axes.length,
    ELEMENT_TYPES[dtype],
  );
  return { array, value };
}

export function release({ value }: OrtTensor): void {
  cApi().release("ReleaseValue", value);
}

/** A copy of a tensor that the library made, which is released. */
export function takeOver(value: Pointer): NdArray {
  const api = cApi();
  try {
    const { dtype, shape } = describe(value);
    const address = api.make("GetTensorMutableData", value);
    const bytes = sizeOf(shape) * kinds[dtype].BYTES_PER_ELEMENT;
    return alignedCopy(arrayAt({ dtype, shape, address, bytes }));
  } finally {
    api.release("ReleaseValue", value);
  }
}

function describe(value: Pointer): { dtype: DType; shape: number[] } {
  const api = cApi();
  const info = api.make("GetTensorTypeAndShape", value);
  try {
    const numAxes = Number(api.make("GetDimensionsCount", info));
    const axes = new BigInt64Array(numAxes);
    if (numAxes > 0) api.call("GetDimensions", info, axes, numAxes);
    const type = Number(api.make("GetTensorElementType", info));
    const dtype = elementTypeName(type);
    if (!isDType(dtype)) throw new Error(`internal: no graph of ours gives tensors of element type ${type}`);
    return { dtype, shape: Array.from(axes, Number) };
  } finally {
    api.release("ReleaseTensorTypeAndShapeInfo", info);
  }
}
