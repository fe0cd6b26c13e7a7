import { type Bytes, joined, partsOf } from "./bytes.js";

/** Bytes between two turns of everything else; a few milliseconds of hashing. */
const CHUNK_BYTES = 4 << 20;

/** A SHA-256 that takes bytes chunk by chunk, where they lie. */
export interface PiecewiseHash {
  update(bytes: Uint8Array): void;
  digest(encoding: "hex"): string;
}

let newHash: (() => PiecewiseHash) | null = null;

/**
 * Hash chunk by chunk from here on, by what a platform has for it; by Web Crypto again with null. That is everywhere and gives
 * the same digests, but it copies all bytes first, on the calling thread.
 */
export function hashPiecewise(hash: (() => PiecewiseHash) | null): void {
  newHash = hash;
}

/** SHA-256 in hex of bytes, of several in a row, or of text. They must not change meanwhile. */
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

/** For a message: that content has changed, by the digests then and now. */
export function digestChange(then: string, now: string): string {
  return `SHA-256 ${then.slice(0, 8)} then, ${now.slice(0, 8)} now`;
}

/** {@link sha256} by Web Crypto. */
export async function webDigest(bytes: Bytes): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", joined(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
