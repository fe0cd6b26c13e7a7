/** A library of MPI, loaded by koffi and called on one thread. */
import { createRequire } from "node:module";
import type koffiModule from "koffi";
import type { Summable } from "../../../comm/communicator.js";
import { ConfigError, messageOf, WorkerError } from "../../../errors.js";
import { type Family, familyOf, type Handle, handlesOf } from "./handles.js";

/** A call that is under way. The library reads and writes its memory until it is done, so it must be referred to as long. */
export interface UnderWay<Memory> {
  readonly memory: Memory;
  isDone(): boolean;
}

/** What workers ask of MPI. Every call must be made on the thread that loaded the library, one after the other. */
export interface Mpi {
  /** What the library says of itself, in a line. */
  readonly version: string;
  readonly family: Family;
  readonly rank: number;
  readonly size: number;
  /** Which threads may call the library: one at a time, or all at once. */
  readonly threadLevel: "serialized" | "multiple";
  /** The same number of bytes from each rank, in the order of ranks, into `all`; looks whether it is done when that is asked. */
  allGatherLater(own: Uint8Array, all: Uint8Array): UnderWay<readonly [own: Uint8Array, all: Uint8Array]>;
  /** Bytes to a rank, which receives as many with this tag, in the order of the calls of each side; fewer than 2 GiB. */
  sendLater(bytes: Uint8Array<ArrayBuffer>, to: number, tag: number): UnderWay<Uint8Array<ArrayBuffer>>;
  receiveLater(bytes: Uint8Array<ArrayBuffer>, from: number, tag: number): UnderWay<Uint8Array<ArrayBuffer>>;
  /** Numbers of a part to the rank that adds it up: `counts` to each, and as many as this rank's part from each into `parts`. */
  allToAll(numbers: Summable, counts: Int32Array, starts: Int32Array, parts: Summable): void;
  /** Each rank's part of the numbers, in their place, to all, or to the root alone. */
  gatherParts(numbers: Summable, counts: Int32Array, starts: Int32Array, root: number | null): void;
  broadcast(bytes: Uint8Array, root: number): void;
  finalize(): void;
}

/** Before all have begun, a call that fails is refused for good; later another start may do better. */
type Failure = typeof ConfigError | typeof WorkerError;

const P = "void *";
/** Bytes that a library may take to say its version. */
const VERSION_BYTES = 8192;

/**
 * Load the first of these libraries that is there, and begin with MPI.
 *
 * Throws {@link ConfigError} when none can be loaded, it is of no known family, or it fails.
 */
export function loadMpi(names: readonly string[]): Mpi {
  const koffi = createRequire(import.meta.url)("koffi") as typeof koffiModule;
  const { library, name } = firstOf(koffi, names);
  const symbolAddress = (symbol: string) => library.symbol(symbol) as bigint;
  const version = versionOf(library);
  const family = familyOf(version, name);
  if (family === null)
    throw new ConfigError(
      `workers: a library of MPI must be of Open MPI, of the MPICH family or of the standard ABI, and ${name} says "${version}"`,
    );
  const handles = handlesOf[family](symbolAddress);
  const H = handles.type;
  const errorText = library.func("MPI_Error_string", "int", ["int", P, P]);

  /** A call that must succeed. */
  function func(call: string, types: readonly string[], Failed: Failure = WorkerError): (...args: unknown[]) => void {
    const bound = library.func(call, "int", [...types]);
    return (...args) => {
      const code = bound(...args) as number;
      if (code === 0) return;
      const [text, length] = [new Uint8Array(512), new Int32Array(1)];
      errorText(code, text, length);
      throw new Failed(`workers: ${call} of ${version} failed: ${decoded(text, length[0] ?? 0)}`);
    };
  }

  const [provided, rank, size] = [new Int32Array(1), new Int32Array(1), new Int32Array(1)];
  func("MPI_Init_thread", [P, P, "int", P], ConfigError)(null, null, handles.serialized, provided);
  func("MPI_Comm_set_errhandler", [H, H], ConfigError)(handles.world, handles.errorsReturn);
  func("MPI_Comm_rank", [H, P], ConfigError)(handles.world, rank);
  func("MPI_Comm_size", [H, P], ConfigError)(handles.world, size);
  if ((provided[0] ?? 0) < handles.serialized)
    throw new ConfigError(
      `workers: MPI must let another thread than the first call it, and ${version} gives thread level ${provided[0]}`,
    );
  const iallgather = func("MPI_Iallgather", [P, "int", H, P, "int", H, H, P]);
  const isend = func("MPI_Isend", [P, "int", H, "int", "int", H, P]);
  const irecv = func("MPI_Irecv", [P, "int", H, "int", "int", H, P]);
  const test = func("MPI_Test", [P, P, P]);
  const alltoallv = func("MPI_Alltoallv", [P, P, P, H, P, P, P, H, H]);
  const allgatherv = func("MPI_Allgatherv", [P, "int", H, P, P, P, H, H]);
  const gatherv = func("MPI_Gatherv", [P, "int", H, P, P, P, H, "int", H]);
  const bcast = func("MPI_Bcast", [P, "int", H, "int", H]);
  const finalize = func("MPI_Finalize", []);
  const typeOf = (numbers: Summable): Handle => (numbers instanceof Float64Array ? handles.double : handles.float);
  const own = { rank: rank[0] ?? 0, size: size[0] ?? 1 };

  /** A call that gives a request back, which is asked until it is done. */
  function later<Memory>(memory: Memory, begin: (request: ReturnType<typeof handles.room>) => void): UnderWay<Memory> {
    const request = handles.room();
    const done = new Int32Array(1);
    begin(request);
    return {
      memory,
      isDone() {
        if (done[0] === 0) test(request, done, handles.statusIgnore);
        return done[0] !== 0;
      },
    };
  }

  return {
    ...own,
    version,
    family,
    threadLevel: (provided[0] ?? 0) > handles.serialized ? "multiple" : "serialized",
    allGatherLater: (bytes, all) =>
      later([bytes, all], (request) =>
        iallgather(bytes, bytes.length, handles.byte, all, bytes.length, handles.byte, handles.world, request),
      ),
    sendLater: (bytes, to, tag) =>
      later(bytes, (request) => isend(bytes, bytes.length, handles.byte, to, tag, handles.world, request)),
    receiveLater: (bytes, from, tag) =>
      later(bytes, (request) => irecv(bytes, bytes.length, handles.byte, from, tag, handles.world, request)),
    allToAll(numbers, counts, starts, parts) {
      const type = typeOf(numbers);
      const length = counts[own.rank] as number;
      const each = Int32Array.from({ length: own.size }, () => length);
      const places = Int32Array.from({ length: own.size }, (_, from) => from * length);
      alltoallv(numbers, counts, starts, type, parts, each, places, type, handles.world);
    },
    gatherParts(numbers, counts, starts, root) {
      const type = typeOf(numbers);
      if (root === null) return allgatherv(handles.inPlace, 0, type, numbers, counts, starts, type, handles.world);
      const [start, length] = [starts[own.rank] as number, counts[own.rank] as number];
      const part = own.rank === root ? handles.inPlace : numbers.subarray(start, start + length);
      gatherv(part, own.rank === root ? 0 : length, type, numbers, counts, starts, type, root, handles.world);
    },
    broadcast: (bytes, root) => bcast(bytes, bytes.length, handles.byte, root, handles.world),
    finalize,
  };
}

type Library = ReturnType<typeof koffiModule.load>;

/** Referred to for good: koffi unloads a library whose handle is collected, whatever still runs in it. */
const loaded: Library[] = [];

function firstOf(
  koffi: typeof koffiModule,
  names: readonly string[],
): { readonly library: Library; readonly name: string } {
  const troubles: string[] = [];
  for (const name of names) {
    try {
      // Its own parts look for its names among those of all libraries.
      const library = koffi.load(name, { global: true });
      loaded.push(library);
      return { library, name };
    } catch (error) {
      troubles.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new ConfigError(
    `workers: a library of MPI must be installed, as Debian's libopenmpi3 or libmpich12, and none of these can be loaded: ${troubles.join("; ")}. ` +
      "A library elsewhere is given by its path.",
  );
}

/** What a library says of itself before MPI has begun, up to the first end of a line. */
function versionOf(library: Library): string {
  const [text, length] = [new Uint8Array(VERSION_BYTES), new Int32Array(1)];
  library.func("MPI_Get_library_version", "int", [P, P])(text, length);
  return (
    decoded(text, length[0] ?? 0)
      .split(/[\n\r\0]/)[0]
      ?.trim() ?? ""
  );
}

function decoded(text: Uint8Array, length: number): string {
  return new TextDecoder().decode(text.subarray(0, length)).replace(/\0.*$/s, "");
}
