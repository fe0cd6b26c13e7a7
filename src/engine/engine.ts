/** What computes graphs: the interface of an engine. */
import type { Graph } from "../graph/graph.js";
import type { Passes } from "../graph/simplify.js";
import type { NamedArrays } from "../runtime/array.js";
import type { Closable } from "../runtime/closable.js";

/**
 * Where graphs become numbers. Tensors that live longer than a run (parameters, optimizer state, teachers) are
 * kept by the engine under their names, so that several programs share them and a refresh is one write.
 */
export interface Engine extends Closable {
  /** Compile a graph. Inputs that a run does not feed are the state tensors of the same names. */
  compile(graph: Graph): Promise<Program>;
  /** Keep copies of these tensors, replacing older ones of the same names. Takes effect before the next run. */
  write(tensors: NamedArrays, options?: WriteOptions): Promise<void>;
  /** Copies of state tensors. Throws when one of the names is not kept. */
  read(names: readonly string[]): Promise<NamedArrays>;
  /**
   * Move state tensors into memory that all threads of the process see, and give the arrays that lie there: not copies.
   * They may be posted to other threads, whose engines {@link adopt} them. From then on every write and every update of
   * these names by any of the engines changes that memory, until a `write` gives a name another shape.
   *
   * Nobody frees the memory: it is there as long as an engine keeps it or a thread refers to one of the arrays, whichever
   * thread has ended. And nobody waits: who writes and who reads at one time must not be more than one, and is the
   * callers' to arrange, by messages or by `Atomics`.
   *
   * Throws {@link ConfigError} with the official binding, which refuses such memory.
   */
  share(names: readonly string[]): Promise<NamedArrays>;
  /** Keep these arrays where they lie, which must be memory that an engine shared; throws as {@link share} does. */
  adopt(shared: NamedArrays): Promise<void>;
  /** Free everything, its programs too. Whatever is asked of it afterwards throws {@link ClosedError}. */
  close(): Promise<void>;
}

export interface WriteOptions {
  /**
   * What the caller leaves to the engine of the arrays' memory; "copied" by default.
   *
   * - "copied": nothing; they may change after the call.
   * - "lent": they will never change again, so the engine may use their memory instead of copies; it does not change it.
   * - "given": the caller will never read or change them again, so the engine may do with their memory what it likes.
   */
  readonly memory?: "copied" | "lent" | "given" | undefined;
}

export interface RunOptions {
  /** Aborted to cancel the run. */
  readonly signal?: AbortSignal | undefined;
}

/** A compiled graph, which holds memory of the engine until it or the engine is closed. */
export interface Program extends Closable {
  /**
   * Run once: outputs by name are returned, state tensors that the graph updates are changed in place.
   *
   * When it is cancelled, it rejects with the signal's reason, at once if it had not begun, else after the operation that
   * is under way. What the graph updates `when` has then kept its values, to the bit: a run that has already begun to
   * update is no more cancelled, and resolves. What a graph without `when` updates in place has no value, and whatever
   * needs it throws an error with its name, until it is written. Everything else is as it was.
   *
   * An engine with the official binding, and one on the calling thread, which sees no signal during a run, cancel only
   * runs that have not begun.
   *
   * Throws {@link ClosedError} once the program was closed.
   */
  run(feeds: NamedArrays, options?: RunOptions): Promise<NamedArrays>;
}

export interface EngineOptions {
  /** Threads that one run may use. */
  readonly threads: number;
  /** Where graphs run; "cpu" by default. Throws ConfigError at the first use when the device is not there. */
  readonly device?: "cpu" | "webgpu" | "cuda" | undefined;
  /**
   * How ONNX Runtime is called: through its C API, without copies of state tensors, or through its official binding. By
   * default the first that works here; the variable CODISTILL_BINDING says otherwise.
   */
  readonly binding?: "native" | "official" | undefined;
  /** Which passes simplify a graph before it is compiled; all by default. */
  readonly passes?: Passes | undefined;
  /** Whether updates of large tensors are made block by block; by default on the CPU. */
  readonly blocks?: boolean | undefined;
  /** Path prefix of files that get the time of every operation of every run, written when the engine is closed. */
  readonly profile?: string | undefined;
  /** Told what the user should know and need not act upon; a process warning by default. */
  readonly onNotice?: ((message: string) => void) | undefined;
}
