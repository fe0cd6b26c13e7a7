import { type Bytes, joined, partsOf } from "./bytes.js";

/** Bytes between two turns of everything else; a few milliseconds of hashing. */
const PIECE_BYTES = 4 << 20;

/** Node.js's own hash, by what is used of it. */
interface NodeCrypto {
  createHash(algorithm: "sha256"): { update(bytes: Uint8Array): void; digest(encoding: "hex"): string };
}

/**
 * Where there is one it takes the bytes where they lie, in pieces; Web Crypto, which is everywhere, copies them all first,
 * on the calling thread.
 */
const nodeCrypto = (
  globalThis as { process?: { getBuiltinModule?(name: string): NodeCrypto | undefined } }
).process?.getBuiltinModule?.("node:crypto");

/** SHA-256 in hex of bytes, of several in a row, or of text. They must not change meanwhile. */
export async function sha256(data: Bytes | string): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  if (!nodeCrypto) return webDigest(bytes);
  const hash = nodeCrypto.createHash("sha256");
  let sinceTurn = 0;
  for (const part of partsOf(bytes)) {
    for (let at = 0; at < part.length; ) {
      if (sinceTurn === PIECE_BYTES) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        sinceTurn = 0;
      }
      const piece = part.subarray(at, at + PIECE_BYTES - sinceTurn);
      hash.update(piece);
      at += piece.length;
      sinceTurn += piece.length;
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
