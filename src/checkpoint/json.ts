/** JSON as bytes, as stores hold it. */

export function encodeJson(value: unknown, space?: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, space));
}

/** The value; undefined when the bytes or the text are not JSON. What it holds is still to be checked. */
export function decodeJson(json: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof json === "string" ? json : new TextDecoder().decode(json));
  } catch {
    return undefined;
  }
}
