/** Bytes that lie in many places, taken as one value. */

/** The bytes of a value, or several in a row, so that what lies in many places need not be copied into one. */
export type Bytes = Uint8Array | readonly Uint8Array[];

/** The parts of a value, in a row. */
export function partsOf(value: Bytes): readonly Uint8Array[] {
  return value instanceof Uint8Array ? [value] : value;
}

/** The number of bytes of a value. */
export function numBytes(value: Bytes): number {
  return partsOf(value).reduce((sum, { length }) => sum + length, 0);
}

/** A copy of a value in one piece. */
export function joined(value: Bytes): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(numBytes(value));
  let at = 0;
  for (const part of partsOf(value)) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
