/** What each worker says before a call by MPI: which it is, on how many bytes; or why it gives up. */
import { type ErrorCode, errorCodes } from "../../../errors.js";

/** What a worker says of its call. */
export interface Header {
  readonly call: Call;
  readonly bytes: number;
  readonly root: number;
  /** Of a worker that gives up. */
  readonly reason: string;
  readonly code: ErrorCode;
}

const CALLS = ["allReduce", "reduce", "broadcast", "barrier", "mail", "abort"] as const;
export type Call = (typeof CALLS)[number];

export const HEADER_BYTES = 1024;
/** Bytes of the words before the reason. */
const AT = { call: 0, bytes: 4, root: 12, code: 16, reasonBytes: 20, reason: 24 } as const;
/** The word of the first call: memory in which no header has come is 0. */
const FIRST_CALL = 1;

export function encodeHeader({ call, bytes, root, reason, code }: Header): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const words = new DataView(header.buffer);
  words.setInt32(AT.call, FIRST_CALL + CALLS.indexOf(call));
  words.setFloat64(AT.bytes, bytes);
  words.setInt32(AT.root, root);
  words.setInt32(AT.code, errorCodes.indexOf(code));
  const { written } = new TextEncoder().encodeInto(reason, header.subarray(AT.reason));
  words.setInt32(AT.reasonBytes, written);
  return header;
}

/** The headers of all workers, by rank. What no header can say is a worker that gives up. */
export function decodeHeaders(all: Uint8Array): readonly Header[] {
  return eachHeader(all).map((header) => {
    const words = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
    const length = Math.min(Math.max(words.getInt32(AT.reasonBytes), 0), HEADER_BYTES - AT.reason);
    return {
      call: CALLS[words.getInt32(AT.call) - FIRST_CALL] ?? "abort",
      bytes: words.getFloat64(AT.bytes),
      root: words.getInt32(AT.root),
      code: errorCodes[words.getInt32(AT.code)] ?? "WORKER",
      // A copy, as a decoder reads no shared memory.
      reason: new TextDecoder().decode(header.slice(AT.reason, AT.reason + length)),
    };
  });
}

/** The ranks whose header has not come, in memory that was 0 before. */
export function missingHeaders(all: Uint8Array): readonly number[] {
  return eachHeader(all).flatMap((header, rank) => (header.subarray(0, 4).every((byte) => byte === 0) ? [rank] : []));
}

function eachHeader(all: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: all.length / HEADER_BYTES }, (_, rank) =>
    all.subarray(HEADER_BYTES * rank, HEADER_BYTES * (rank + 1)),
  );
}
