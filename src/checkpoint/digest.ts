import { type Bytes, joined, partsOf } from "./bytes.js";

/** Bytes that are hashed before the event loop gets a turn; a few milliseconds. */
const CHUNK_BYTES = 4 << 20;

/** A SHA-256 that is fed chunk by chunk, without a copy of the bytes. */
export interface PiecewiseHash {
  update(bytes: Uint8Array): void;
  digest(encoding: "hex"): string;
}

let newHash: (() => PiecewiseHash) | null = null;

/**
 * From now on hash chunk by chunk with `hash`, which the platform provides; with null, use Web Crypto again. Web Crypto
 * exists everywhere and gives the same digests, but first copies all bytes, on the calling thread.
 */
export function hashPiecewise(hash: (() => PiecewiseHash) | null): void {
  newHash = hash;
}

/** The SHA-256, in hexadecimal, of bytes, of byte arrays in order, or of text. The bytes must not change meanwhile. */
export async function sha256(data: Bytes | string): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  if (newHash === null) return webDigest(bytes);
  const hash = newHash();
  let sinceTurn = 0;
  for (const part of partsOf(bytes)) {
    for (let at = 0; at < part.length; ) {
      if (sinceTurn === CHUNK_BYTES) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        sinceTurn = 0;
      }
      const chunk = part.subarray(at, at + CHUNK_BYTES - sinceTurn);
      hash.update(chunk);
      at += chunk.length;
      sinceTurn += chunk.length;
    }
  }
  return hash.digest("hex");
}

/** Text for a message about changed content: the beginnings of its old and its new digest. */
export function digestChange(then: string, now: string): string {
  return `SHA-256 ${then.slice(0, 8)} then, ${now.slice(0, 8)} now`;
}

/** {@link sha256} by Web Crypto. */
export async function webDigest(bytes: Bytes): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", joined(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
