/** Writes the documents of a split as tokens; text-cache.ts describes the files. */
import { type FileHandle, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TextSize, TextSplitName } from "../../data/text/text.js";
import { bytesOfToken } from "./text-cache.js";

export interface SplitWriter {
  /** Add a document: its tokens, the one that ends it if any does, its bytes as text, and its slot. */
  add(ids: ArrayLike<number>, end: number | null, bytes: number, slot: number): Promise<void>;
  size(): TextSize;
  close(): Promise<void>;
}

const PENDING_TOKENS = 1 << 18;

/** Tokens go to the file as they come; where documents begin is written at the end. */
export async function splitWriter(folder: string, split: TextSplitName, vocabulary: number): Promise<SplitWriter> {
  const tokenBytes = bytesOfToken(vocabulary);
  const file: FileHandle = await open(join(folder, `${split}.tokens.bin`), "wx");
  const starts = [0];
  const slots: number[] = [];
  const counts = new Float64Array(vocabulary);
  let bytes = 0;
  let isClosed = false;
  // Documents may be short, and a write for each would cost more than its tokens.
  const pending = new (tokenBytes === 2 ? Uint16Array : Uint32Array)(PENDING_TOKENS);
  let numPending = 0;
  const flush = async () => {
    await file.writeFile(new Uint8Array(pending.buffer, 0, numPending * tokenBytes));
    numPending = 0;
  };
  return {
    async add(ids, end, textBytes, slot) {
      const length = ids.length + Number(end !== null);
      for (let i = 0; i < length; i++) {
        const token = (i < ids.length ? ids[i] : end) as number;
        counts[token]! += 1;
        pending[numPending++] = token;
        if (numPending === PENDING_TOKENS) await flush();
      }
      starts.push((starts.at(-1) as number) + length);
      slots.push(slot);
      bytes += textBytes;
    },
    size: () => ({ documents: slots.length, tokens: starts.at(-1) as number, bytes }),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await flush();
      await file.sync();
      await file.close();
      const put = (what: string, { buffer }: { readonly buffer: ArrayBuffer }) =>
        writeFile(join(folder, `${split}.${what}.bin`), new Uint8Array(buffer), { flush: true });
      await put("starts", Float64Array.from(starts));
      if (split !== "train") return;
      await put("slots", Uint16Array.from(slots));
      await put("counts", counts);
    },
  };
}
