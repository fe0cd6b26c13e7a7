/** Workers on threads of one process: their numbers lie in memory that all threads see, and each adds up a part of them. */
import {
  addTo,
  type Communicator,
  closedCommunicator,
  differingCalls,
  type Summable,
  sliceOf,
} from "../../comm/communicator.js";
import { type ErrorCode, errorCodes, errorOfCode } from "../../errors.js";
import { closable } from "../../runtime/closable.js";
import { watchSilence } from "./silence.js";
import { type VectorMemory, vectorAdd, vectorMemory } from "./vector-add.js";

/** What the workers of one group share. It may be posted to other threads. */
export interface ThreadBoard {
  readonly size: number;
  /** Who is here and what for, see {@link AT}, and why the board is broken. */
  readonly control: SharedArrayBuffer;
  /** The memory of each worker, see {@link Communicator.memory}. */
  readonly memories: readonly Float32Array<ArrayBufferLike>[];
  /** Where all of them lie, to be added up by vectors; null where they are too large, and lie each on its own. */
  readonly vectors: VectorMemory | null;
  /** Room of each worker for numbers that lie elsewhere. */
  readonly rooms: readonly SharedArrayBuffer[];
}

export interface ThreadCommunicatorOptions {
  /** Seconds after which a worker that waits for another one gives it up; 600 by default. In `broadcast` the root is waited for without end. */
  readonly timeoutSeconds?: number | undefined;
}

/** Bytes that go through a room at a time. */
const ROOM_BYTES = 1 << 16;
/** Numbers that are added up before the next worker's: they stay in the cache. */
const BLOCK = 4096;
const REASON_BYTES = 1024;
/** Words of the control memory, before those of each worker. */
const AT = { arrived: 0, generation: 1, isBroken: 2, reasonBytes: 3, code: 4, workers: 5 } as const;
/** Of each worker, for this meeting and for the next one: what it calls, on how many bytes, from which byte of its memory. */
const WORDS = { call: 0, bytes: 1, offset: 2, count: 3 } as const;
const CALLS = ["allReduce", "broadcast", "barrier"] as const;
type Call = (typeof CALLS)[number];
/** In the place of an offset: the numbers do not lie in the worker's memory. */
const ELSEWHERE = -1;

/** A board for so many workers, each with memory for so many numbers. */
export function threadBoard(size: number, numFloats: number): ThreadBoard {
  const each = (bytes: number) => Array.from({ length: size }, () => new SharedArrayBuffer(bytes));
  const words = AT.workers + 2 * WORDS.count * size;
  const bytes = 64 * Math.ceil(numFloats / 16);
  const vectors = vectorMemory(size * bytes);
  const memories = vectors
    ? Array.from({ length: size }, (_, rank) => new Float32Array(vectors.buffer, rank * bytes, numFloats))
    : each(4 * numFloats).map((memory) => new Float32Array(memory));
  const control = new SharedArrayBuffer(4 * words + REASON_BYTES);
  return { size, control, memories, vectors, rooms: each(ROOM_BYTES) };
}

/** One worker's side of a board. Each rank is taken by one thread. */
export function threadCommunicator(
  board: ThreadBoard,
  rank: number,
  { timeoutSeconds = 600 }: ThreadCommunicatorOptions = {},
): Communicator {
  const { size } = board;
  const numWords = AT.workers + 2 * WORDS.count * size;
  const control = new Int32Array(board.control, 0, numWords);
  const reasonText = new Uint8Array(board.control, 4 * numWords);
  const { memories } = board;
  const add = vectorAdd(board.vectors);
  const rooms = board.rooms.map((room) => new Uint8Array(room));
  const memory = memories[rank] as Float32Array;
  const room = rooms[rank] as Uint8Array;
  let isClosed = false;

  function checkSound(): void {
    if (isClosed) throw closedCommunicator();
    if (Atomics.load(control, AT.isBroken) === 0) return;
    // Another thread is writing why.
    while (Atomics.load(control, AT.isBroken) < 0);
    const bytes = reasonText.slice(0, Atomics.load(control, AT.reasonBytes));
    const code = errorCodes[Atomics.load(control, AT.code)] ?? "WORKER";
    throw errorOfCode(code, new Error(new TextDecoder().decode(bytes)));
  }

  function abort(reason: string, code: ErrorCode = "WORKER"): void {
    // Of several workers that break it at one instant the first says why, and nobody reads a part of what it says.
    if (Atomics.compareExchange(control, AT.isBroken, 0, -1) === 0) {
      const text = new Uint8Array(REASON_BYTES);
      Atomics.store(control, AT.reasonBytes, new TextEncoder().encodeInto(reason, text).written);
      Atomics.store(control, AT.code, errorCodes.indexOf(code));
      reasonText.set(text);
      Atomics.store(control, AT.isBroken, 1);
    }
    // Whoever is about to wait for the word to change must not miss it.
    Atomics.add(control, AT.generation, 1);
    Atomics.notify(control, AT.generation);
  }

  /** Where a worker says what it does, at a meeting. */
  const placeOf = (worker: number, generation: number) => AT.workers + WORDS.count * (2 * worker + (generation & 1));

  /** Wait until all workers are here, and for the same call. */
  async function meet(call: Call, bytes: number, offset: number, isPatient = false): Promise<void> {
    checkSound();
    const generation = Atomics.load(control, AT.generation);
    const place = placeOf(rank, generation);
    Atomics.store(control, place + WORDS.call, CALLS.indexOf(call));
    Atomics.store(control, place + WORDS.bytes, bytes);
    Atomics.store(control, place + WORDS.offset, offset);
    if (Atomics.add(control, AT.arrived, 1) === size - 1) {
      Atomics.store(control, AT.arrived, 0);
      Atomics.add(control, AT.generation, 1);
      Atomics.notify(control, AT.generation);
    } else await others(generation, call, isPatient);
    checkSound();
    for (let other = 0; other < size; other++) checkAgrees(other, generation, { call, bytes, offset });
  }

  async function others(generation: number, call: Call, isPatient: boolean): Promise<void> {
    const isOver = () =>
      Atomics.load(control, AT.generation) !== generation || Atomics.load(control, AT.isBroken) !== 0;
    // A thread that waits for a shared word alone does not keep its process: the watch does.
    const watch = watchSilence(timeoutSeconds, () => isPatient || abort(late(call)));
    try {
      while (!isOver()) {
        const { value } = Atomics.waitAsync(control, AT.generation, generation);
        await value;
      }
    } finally {
      watch.end();
    }
  }

  function late(call: Call): string {
    return `a worker that calls ${call} waits for all others, and of ${size} workers ${Atomics.load(control, AT.arrived)} have come within ${timeoutSeconds} s`;
  }

  function checkAgrees(
    other: number,
    generation: number,
    own: { readonly call: Call; readonly bytes: number; readonly offset: number },
  ): void {
    const place = placeOf(other, generation);
    const call = CALLS[Atomics.load(control, place + WORDS.call)];
    const [bytes, offset] = [Atomics.load(control, place + WORDS.bytes), Atomics.load(control, place + WORDS.offset)];
    if (call === own.call && bytes === own.bytes && offset === own.offset) return;
    const at = (one: number) => (one === ELSEWHERE ? "" : ` from byte ${one} of its memory`);
    abort(differingCalls([rank, own.call, own.bytes, at(own.offset)], [other, call, bytes, at(offset)]));
    checkSound();
  }

  /** Each worker adds up its part of what lies in the memories, in the memory of the root, and copies it to the `receivers`. */
  async function reduceInMemory(numbers: Summable, root: number, receivers: readonly Float32Array[]): Promise<void> {
    const first = (numbers.byteOffset - memory.byteOffset) / 4;
    const [length, bytes] = [numbers.length, numbers.byteLength];
    await meet("allReduce", bytes, 4 * first);
    const { start, end } = sliceOf(length, rank, size);
    const [terms, ...rest] = memories as [Float32Array, ...Float32Array[]];
    const sums = memories[root] as Float32Array;
    for (let at = first + start; at < first + end; at += BLOCK) {
      const to = Math.min(at + BLOCK, first + end);
      // In the order of ranks, on top of worker 0's, whose numbers are its own to write again where another one is the root.
      const own = terms.subarray(at, to);
      for (const one of rest) add(own, one.subarray(at, to));
      if (root !== 0) sums.set(own, at);
      for (const one of receivers) one.set(own, at);
    }
    await meet("allReduce", bytes, 4 * first);
  }

  /** Piece by piece through the rooms; each worker adds up all of it. */
  async function reduceElsewhere(numbers: Summable): Promise<void> {
    const own = bytesOf(numbers);
    for (let at = 0; at < Math.max(own.length, 1); at += ROOM_BYTES) {
      const piece = own.subarray(at, at + ROOM_BYTES);
      room.set(piece);
      await meet("allReduce", own.length, ELSEWHERE);
      const terms = rooms.map((one) => viewLike(numbers, one, piece.length));
      const sums = viewLike(numbers, piece, piece.length);
      const [first, ...rest] = terms as [Summable, ...Summable[]];
      sums.set(first);
      for (const one of rest) addTo(sums, one);
      await meet("allReduce", own.length, ELSEWHERE);
    }
  }

  const isInMemory = (numbers: Summable) => numbers.buffer === memory.buffer;
  const communicator: Omit<Communicator, "close" | typeof Symbol.asyncDispose> = {
    rank,
    size,
    memory,
    allReduce: (numbers) =>
      isInMemory(numbers) ? reduceInMemory(numbers, 0, memories.slice(1)) : reduceElsewhere(numbers),
    reduce: (numbers, root) => (isInMemory(numbers) ? reduceInMemory(numbers, root, []) : reduceElsewhere(numbers)),
    async broadcast(bytes, root) {
      for (let at = 0; at < Math.max(bytes.length, 1); at += ROOM_BYTES) {
        const piece = bytes.subarray(at, at + ROOM_BYTES);
        if (rank === root) room.set(piece);
        // Who has nothing to say lets the others wait, as a leader does that validates; who says something waits for nobody so long.
        await meet("broadcast", bytes.length, root, rank !== root);
        if (rank !== root) piece.set((rooms[root] as Uint8Array).subarray(0, piece.length));
        await meet("broadcast", bytes.length, root);
      }
    },
    barrier: () => meet("barrier", 0, ELSEWHERE),
    abort,
  };
  return closable(communicator, async () => {
    isClosed = true;
  });
}

function bytesOf(numbers: Summable): Uint8Array {
  return new Uint8Array(numbers.buffer as ArrayBuffer, numbers.byteOffset, numbers.byteLength);
}

/** Bytes as numbers of the kind of others. */
function viewLike(numbers: Summable, bytes: Uint8Array, length: number): Summable {
  const Kind = numbers instanceof Float64Array ? Float64Array : Float32Array;
  return new Kind(bytes.buffer as ArrayBuffer, bytes.byteOffset, length / Kind.BYTES_PER_ELEMENT);
}
