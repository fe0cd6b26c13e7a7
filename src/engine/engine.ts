/** The interface of an engine, which computes graphs. */
import type { Graph } from "../graph/graph.js";
import type { Passes } from "../graph/simplify.js";
import type { NamedArrays } from "../runtime/array.js";
import type { Closable } from "../runtime/closable.js";

/**
 * An engine computes graphs. It keeps tensors that live longer than a run (params, optimizer state, teachers) under
 * their names, as state tensors, so that several programs share them and a refresh is one write.
 */
export interface Engine extends Closable {
  /** Compile a graph. Inputs that a run does not feed are the state tensors of the same names. */
  compile(graph: Graph): Promise<Program>;
  /** Keep copies of these tensors, replacing older ones of the same names. Takes effect before the next run. */
  write(tensors: NamedArrays, options?: WriteOptions): Promise<void>;
  /** Copies of state tensors. Throws when one of the names is not kept. */
  read(names: readonly string[]): Promise<NamedArrays>;
  /**
   * Move state tensors into memory that all threads of the process see, and return the arrays in that memory, not
   * copies. The arrays may be posted to other threads, whose engines {@link adopt} them. From then on every write and
   * every update of these names by any of the engines changes that memory, until a `write` gives a name another shape.
   *
   * The memory lives as long as an engine keeps it or a thread refers to one of the arrays, even when the thread that
   * made it has ended. Access is not synchronised: callers must arrange, by messages or by `Atomics`, that only one
   * thread reads or writes at a time.
   *
   * Throws {@link ConfigError} with the official binding, which refuses such memory.
   */
  share(names: readonly string[]): Promise<NamedArrays>;
  /** Keep these arrays where they lie, which must be memory that an engine shared; throws as {@link share} does. */
  adopt(shared: NamedArrays): Promise<void>;
  /** Free everything, its programs too. Every later call throws {@link ClosedError}. */
  close(): Promise<void>;
}

export interface WriteOptions {
  /**
   * What the engine may do with the arrays' memory; "copied" by default.
   *
   * - "copied": only read it during the call; the caller may change the arrays afterwards.
   * - "lent": use it instead of copies, without changing it; the caller will never change the arrays again.
   * - "given": anything; the caller will never read or change the arrays again.
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
   * Run once: return the outputs by name, and change the state tensors that the graph updates.
   *
   * A cancelled run rejects with the signal's reason, at once if it had not begun, else after the operation that is
   * under way. The state tensors that a graph with `when` updates then have their old values, to the bit: a run that
   * has already begun to update is no longer cancelled, and resolves. The state tensors that a graph without `when`
   * updates in place then have no value, and every use of one throws an error with its name until it is written. All
   * other state tensors are unchanged.
   *
   * An engine with the official binding, and an engine on the calling thread, which sees no signal during a run, cancel
   * only runs that have not begun.
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
   * default the first that works here; the environment variable CODISTILL_BINDING overrides that.
   */
  readonly binding?: "native" | "official" | undefined;
  /** Which passes simplify a graph before it is compiled; all by default. */
  readonly passes?: Passes | undefined;
  /**
   * Whether convolutions may run on the kernels of ONNX Runtime that take blocks of channels, where it has them on this
   * machine; true by default. Their results differ in the last digits from those of the others.
   */
  readonly blockedConvolutions?: boolean | undefined;
  /** Path prefix of files that get the time of every operation of every run, written when the engine is closed. */
  readonly profile?: string | undefined;
  /** Called with what the user should know but need not act upon; a process warning by default. */
  readonly onNotice?: ((message: string) => void) | undefined;
}
