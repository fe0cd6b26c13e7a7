/** Arrays of one thread, read by the engine of another where they lie. */
import type { DataOf, NamedArrays, NdArray, NumericDType } from "../../runtime/array.js";
import { mapValues } from "../../runtime/named.js";
import { addressOf } from "./c-api.js";
import type { ArrayPlace } from "./values.js";

/** The places of arrays; undefined when one of them has none. */
export function placesOf(arrays: NamedArrays): Readonly<Record<string, ArrayPlace>> | undefined {
  const hasPlace = ({ dtype, data }: NdArray) => dtype !== "string" && data.length > 0;
  if (!Object.values(arrays).every(hasPlace)) return undefined;
  return mapValues(arrays, ({ dtype, shape, data }) => {
    const memory = data as DataOf[NumericDType];
    return { dtype: dtype as NumericDType, shape, address: addressOf(memory), bytes: memory.byteLength };
  });
}
