/**
 * The thread on which a process calls MPI: calls wait for other processes, and the main thread must stay free. It has one call
 * at a time. What is to be added up comes in shared memory, and the sums go back in the same place.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { addTo, differingCalls, type Summable, sliceOf } from "../../../comm/communicator.js";
import { codeOf, type ErrorCode, messageOf, WorkerError } from "../../../errors.js";
import { decodeHeaders, encodeHeader, HEADER_BYTES, type Header } from "./headers.js";
import { loadMpi, type Mpi } from "./library.js";
import { serveMail } from "./mail-thread.js";

/** What the thread is told at its start. */
export interface MpiThreadData {
  readonly libraries: readonly string[];
  /** Word 0: other than 0 when the owner gives up a call that waits for others. Word 1: see {@link serveMail}. */
  readonly control: SharedArrayBuffer;
}

export type MpiRequest =
  | { readonly call: "allReduce"; readonly numbers: Summable }
  | { readonly call: "reduce"; readonly numbers: Summable; readonly root: number }
  | { readonly call: "broadcast"; readonly bytes: Uint8Array; readonly root: number }
  | { readonly call: "barrier" }
  /** Send and receive letters of at most so many bytes, until the owner closes the mail by the port. */
  | { readonly call: "mail"; readonly port: MessagePort; readonly mostBytes: number }
  /** Tell all others at their next call that this worker gives up, and why. */
  | { readonly call: "abort"; readonly reason: string; readonly code: ErrorCode }
  | { readonly call: "finalize" };

export type MpiAnswer =
  /** `headers` is where those of all workers arrive during a call; it is 0 before. */
  | { readonly started: Pick<Mpi, "rank" | "size" | "version"> & { readonly headers: SharedArrayBuffer } }
  | { readonly done: true }
  /** Of a worker that gave up, `from` is its rank. */
  | { readonly error: string; readonly code: ErrorCode | null; readonly from?: number };

/** Looks at whether the others have come before this thread sleeps in between, and for how long. */
const [BUSY_LOOKS, NAP_MS] = [2000, 0.1];

/** A worker that has given up, and what it gave as its reason. */
class GivenUp extends Error {
  readonly from: number;
  readonly code: ErrorCode;

  constructor(from: number, { reason, code }: Header) {
    super(reason);
    this.from = from;
    this.code = code;
  }
}

/** Answer what the owner asks, until it asks to finalize. */
function serve(port: MessagePort, { libraries, control }: MpiThreadData): void {
  const answer = (message: MpiAnswer) => port.postMessage(message);
  const words = new Int32Array(control);
  const attempt = (work: () => MpiAnswer) => {
    try {
      answer(work());
    } catch (error) {
      if (error instanceof GivenUp) answer({ error: error.message, code: error.code, from: error.from });
      else answer({ error: messageOf(error), code: codeOf(error) });
    }
  };
  let mpi: Mpi;
  let headers: Uint8Array;
  attempt(() => {
    mpi = loadMpi(libraries);
    const { rank, size, version } = mpi;
    const memory = new SharedArrayBuffer(HEADER_BYTES * size);
    headers = new Uint8Array(memory);
    return { started: { rank, size, version, headers: memory } };
  });
  port.on("message", (request: MpiRequest) => {
    attempt(() => {
      if (request.call === "finalize") mpi.finalize();
      else take(mpi, request, { headers, control: words });
      return { done: true };
    });
    if (request.call === "finalize") port.close();
  });
}

/** Memory that this thread shares with its owner. */
interface Shared {
  readonly headers: Uint8Array;
  readonly control: Int32Array;
}

function take(mpi: Mpi, request: Exclude<MpiRequest, { call: "finalize" }>, shared: Shared): void {
  meet(mpi, headerOf(request), shared);
  if (request.call === "mail") serveMail(mpi, { ...request, control: shared.control });
  if (request.call === "broadcast") mpi.broadcast(request.bytes, request.root);
  if (request.call === "allReduce") reduce(mpi, request.numbers, null);
  if (request.call === "reduce") reduce(mpi, request.numbers, request.root);
}

function headerOf(request: Exclude<MpiRequest, { call: "finalize" }>): Header {
  const { call } = request;
  const { reason, code } = call === "abort" ? request : { reason: "", code: "WORKER" as const };
  return { call, bytes: bytesOf(request), root: "root" in request ? request.root : 0, reason, code };
}

/** On how many bytes all must call this. */
function bytesOf(request: MpiRequest): number {
  if ("numbers" in request) return request.numbers.byteLength;
  if ("bytes" in request) return request.bytes.length;
  return "mostBytes" in request ? request.mostBytes : 0;
}

/** Wait until all workers are here, and for the same call. Throws {@link WorkerError} when they are not. */
function meet({ rank, allGatherLater }: Mpi, own: Header, { headers, control }: Shared): void {
  headers.fill(0);
  const waiting = allGatherLater(encodeHeader(own), headers);
  const room = new Int32Array(new SharedArrayBuffer(4));
  for (let looks = 0; !waiting.isDone(); looks++) {
    if (Atomics.load(control, 0) !== 0) throw new WorkerError("this worker has given the others up");
    if (looks > BUSY_LOOKS) Atomics.wait(room, 0, 0, NAP_MS);
  }
  const all = decodeHeaders(headers);
  const from = all.findIndex(({ call }) => call === "abort");
  if (from >= 0) throw new GivenUp(from, all[from] as Header);
  for (const [other, { call, bytes, root }] of all.entries()) {
    if (call === own.call && bytes === own.bytes && root === own.root) continue;
    throw new WorkerError(differingCalls([rank, own.call, own.bytes], [other, call, bytes]));
  }
}

/** Memory for the parts of others, which grows and is used again: gradients come in every step, all of one size. */
let room = new ArrayBuffer(0);

function roomFor(bytes: number): ArrayBuffer {
  if (room.byteLength < bytes) room = new ArrayBuffer(bytes);
  return room;
}

/** Each worker gets its part of all, adds it up in the order of ranks, and gives the sums to the root, or to all. */
function reduce(mpi: Mpi, numbers: Summable, root: number | null): void {
  const { rank, size } = mpi;
  const slices = Array.from({ length: size }, (_, one) => sliceOf(numbers.length, one, size));
  const counts = Int32Array.from(slices, ({ start, end }) => end - start);
  const starts = Int32Array.from(slices, ({ start }) => start);
  const length = counts[rank] as number;
  const Kind = numbers instanceof Float64Array ? Float64Array : Float32Array;
  const parts = new Kind(roomFor(size * length * Kind.BYTES_PER_ELEMENT), 0, size * length);
  mpi.allToAll(numbers, counts, starts, parts);
  const sums = numbers.subarray(starts[rank], (starts[rank] as number) + length);
  sums.set(parts.subarray(0, length));
  for (let from = 1; from < size; from++) {
    const terms = parts.subarray(from * length, (from + 1) * length);
    addTo(sums, terms);
  }
  mpi.gatherParts(numbers, counts, starts, root);
}

if (parentPort) serve(parentPort, workerData as MpiThreadData);
