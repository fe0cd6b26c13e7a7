/** Float32 arrays that lie one after the other in one memory, so that they travel and are added up together. */
import { type NdArray, sizeOf } from "./array.js";
import { mapValues } from "./named.js";

/** Shapes by name. */
export type NamedShapes = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/** How many numbers of a memory arrays of these shapes take. */
export function flatLength(shapes: NamedShapes): number {
  return Object.values(shapes).reduce((end, { shape }) => end + padded(shape), 0);
}

/** Where arrays of these shapes lie in a memory: one after the other, in their order. */
export function viewsIn(
  memory: Float32Array<ArrayBufferLike>,
  shapes: NamedShapes,
): Readonly<Record<string, NdArray<"float32">>> {
  let at = 0;
  return mapValues(shapes, ({ shape }): NdArray<"float32"> => {
    const data = memory.subarray(at, at + sizeOf(shape)) as Float32Array<ArrayBuffer>;
    at += padded(shape);
    return { dtype: "float32", shape, data };
  });
}

/** Each array begins at a multiple of 64 bytes. */
function padded(shape: readonly number[]): number {
  return 16 * Math.ceil(sizeOf(shape) / 16);
}
