/** Arrays that lie one after the other in one memory, so that they travel together, and float32 ones are added up together. */
import { bytesOf, type NamedArrays, type NdArray, sizeOf } from "./array.js";
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

/** Shapes by name of arrays that are float32, unless they are said to be int8. */
export type NamedLayouts = Readonly<Record<string, { readonly shape: readonly number[]; readonly isInt8?: boolean }>>;

/** The layouts of arrays, and one memory that all threads see with room for them; with what they hold, if `now` is given. */
export function memoryFor(layouts: NamedLayouts, now: NamedArrays = {}): { memory: Uint8Array; arrays: NamedArrays } {
  // Of int8 four elements lie in the place of one number.
  const places = mapValues(layouts, ({ shape, isInt8 }) =>
    isInt8 ? { shape: [Math.ceil(sizeOf(shape) / 4)] } : { shape },
  );
  const memory = new Float32Array(new SharedArrayBuffer(4 * flatLength(places)));
  const views = viewsIn(memory, places);
  const arrays = mapValues(layouts, ({ shape, isInt8 }, name): NdArray => {
    const view = views[name] as NdArray<"float32">;
    const { buffer, byteOffset } = view.data;
    return isInt8 ? { dtype: "int8", shape, data: new Int8Array(buffer, byteOffset, sizeOf(shape)) } : view;
  });
  for (const [name, { data }] of Object.entries(now)) arrays[name]?.data.set(data);
  return { memory: bytesOf(memory), arrays };
}

/** Each array begins at a multiple of 64 bytes. */
function padded(shape: readonly number[]): number {
  return 16 * Math.ceil(sizeOf(shape) / 16);
}
