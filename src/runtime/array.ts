import { ShapeError } from "../errors.js";

/** Element types of graphs and files. */
export type DType = "float32" | "int32" | "bool" | "int8" | "uint8";

/** Element types that graphs compute with; of the others they only read inputs: int8 weights, uint8 pixels. */
export type ComputedDType = Exclude<DType, "int8" | "uint8">;

/** Host memory of each dtype; a bool is one byte, 0 or 1. */
export interface DataOf {
  float32: Float32Array;
  int32: Int32Array;
  bool: Uint8Array;
  int8: Int8Array;
  uint8: Uint8Array;
}

/** Host values: a dtype, a shape, and the elements in row-major order. */
export interface NdArray<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataOf[D];
}

/** Arrays by name; a dotted path names a leaf of a nested record. */
export type NamedArrays = Readonly<Record<string, NdArray>>;

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}

/** Wrap float32 data. Throws {@link ShapeError} when the count does not match the shape. */
export function float32(
  data: Float32Array | readonly number[],
  shape: readonly number[] = [data.length],
): NdArray<"float32"> {
  return checked("float32", data instanceof Float32Array ? data : Float32Array.from(data), shape);
}

/** Wrap int32 data. Throws {@link ShapeError} when the count does not match the shape. */
export function int32(
  data: Int32Array | readonly number[],
  shape: readonly number[] = [data.length],
): NdArray<"int32"> {
  return checked("int32", data instanceof Int32Array ? data : Int32Array.from(data), shape);
}

/** A float32 scalar. */
export function scalar(value: number): NdArray<"float32"> {
  return float32([value], []);
}

/** A shape filled with one value. */
export function filled(shape: readonly number[], value: number): NdArray<"float32"> {
  return float32(new Float32Array(sizeOf(shape)).fill(value), shape);
}

/** Zeros of a shape. */
export function zeros(shape: readonly number[]): NdArray<"float32"> {
  return float32(new Float32Array(sizeOf(shape)), shape);
}

/** Ones of a shape. */
export function ones(shape: readonly number[]): NdArray<"float32"> {
  return filled(shape, 1);
}

/** A copy that shares nothing with the original. */
export function copyOf<D extends DType>(array: NdArray<D>): NdArray<D> {
  return { ...array, data: array.data.slice() as DataOf[D] };
}

/** Numbers one after another, as one typed array. */
export function joined<T extends Float32Array | Float64Array | Int32Array | Uint32Array>(
  type: new (length: number) => T,
  parts: readonly ArrayLike<number>[],
): T {
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The bytes of a typed array, as a view of the same memory. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The names of the arrays that hold a float that is NaN or infinite. */
export function notFinite(arrays: NamedArrays): string[] {
  return Object.entries(arrays).flatMap(([name, array]) => (allFinite(array) ? [] : [name]));
}

/** Multiplies by 0 and adds up: NaN and infinities times 0 are NaN, and so is a sum that contains one. */
function allFinite({ dtype, data }: NdArray): boolean {
  if (dtype !== "float32") return true;
  // This runs on the thread that also drives the steps. A call for each element would take ten times as long; a single
  // sum four times, as each addition would wait for the one before.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = data.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += (data[i] as number) * 0;
    b += (data[i + 1] as number) * 0;
    c += (data[i + 2] as number) * 0;
    d += (data[i + 3] as number) * 0;
  }
  for (let i = whole; i < data.length; i++) a += (data[i] as number) * 0;
  return a + b + c + d === 0;
}

function checked<D extends DType>(dtype: D, data: DataOf[D], shape: readonly number[]): NdArray<D> {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`array: shape [${shape.join(", ")}] holds ${sizeOf(shape)} elements, got ${data.length}`);
  }
  return { dtype, shape, data };
}
