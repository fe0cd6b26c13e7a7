/** Arrays of one thread, read by the engine of another where they lie. */
import type { DataOf, DType, NamedArrays, NdArray } from "../../runtime/array.js";
import { mapValues } from "../../runtime/named.js";
import { addressOf, memoryAt, type Pointer } from "./c-api.js";

type Numeric = Exclude<DType, "string">;

/** Where an array lies in the memory of the process; valid as long as its owner refers to the array. */
export interface ArrayPlace {
  readonly dtype: Numeric;
  readonly shape: readonly number[];
  readonly address: Pointer;
  readonly bytes: number;
}

/** The places of arrays; undefined when one of them has none. */
export function placesOf(arrays: NamedArrays): Readonly<Record<string, ArrayPlace>> | undefined {
  const hasPlace = ({ dtype, data }: NdArray) => dtype !== "string" && data.length > 0;
  if (!Object.values(arrays).every(hasPlace)) return undefined;
  return mapValues(arrays, ({ dtype, shape, data }) => {
    const memory = data as DataOf[Numeric];
    return { dtype: dtype as Numeric, shape, address: addressOf(memory), bytes: memory.byteLength };
  });
}

/** The array at a place. */
export function arrayAt({ dtype, shape, address, bytes }: ArrayPlace): NdArray {
  const kinds = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
  return { dtype, shape, data: new kinds[dtype](memoryAt(address, bytes)) };
}
