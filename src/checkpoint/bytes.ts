/** Values made of several byte arrays, which need not be copied into one. */

/** The bytes of a value: one array, or several that follow each other and need not be copied into one. */
export type Bytes = Uint8Array | readonly Uint8Array[];

/** The parts of a value, in order. */
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
