import { ShapeError } from "../errors.js";
import { inBlocks } from "../graph/blocks.js";
import { alwaysOf, type Graph, inputsOf, rootsOf } from "../graph/graph.js";
import { toOnnx } from "../graph/onnx.js";
import { and, input, sameShape } from "../graph/ops.js";
import { type Passes, simplify } from "../graph/simplify.js";
import { formatShape, isOp, type Shape, type Tensor, topologicalOrder } from "../graph/tensor.js";
import { traits } from "../graph/traits.js";
import type { NamedArrays } from "./array.js";

/**
 * Where graphs become numbers. Tensors that live longer than a run (parameters, optimizer memory, teachers) are
 * kept by the engine under their names, so that several programs share them and a refresh is one write.
 */
export interface Engine {
  /** Compile a graph. Inputs that a run does not feed are the kept tensors of the same names. */
  compile(graph: Graph): Promise<Program>;
  /** Keep copies of these tensors, replacing older ones of the same names. Takes effect before the next run. */
  write(tensors: NamedArrays, options?: WriteOptions): Promise<void>;
  /** Copies of kept tensors. Throws when one of the names is not kept. */
  read(names: readonly string[]): Promise<NamedArrays>;
  /**
   * Move kept tensors into memory that all threads of the process see, and give the arrays that lie there: not copies.
   * They may be posted to other threads, whose engines {@link adopt} them. From then on every write and every update of
   * these names by any of the engines changes that memory, until a `write` gives a name another shape.
   *
   * Nobody frees the memory: it is there as long as an engine keeps it or a thread refers to one of the arrays, whichever
   * thread has ended. And nobody waits: who writes and who reads at one time must not be more than one, and is the
   * callers' to arrange, by messages or by `Atomics`.
   *
   * Throws {@link ConfigError} with the official binding, which refuses such memory, and for strings.
   */
  share(names: readonly string[]): Promise<NamedArrays>;
  /** Keep these arrays where they lie, which must be memory that an engine shared; throws as {@link share} does. */
  adopt(shared: NamedArrays): Promise<void>;
  /** Free everything. */
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
  readonly memory?: "copied" | "lent" | "given";
}

export interface RunOptions {
  /** Aborted to cancel the run. */
  readonly signal?: AbortSignal | undefined;
}

/** A compiled graph. */
export interface Program {
  /**
   * Run once: outputs by name are returned, kept tensors that the graph updates are changed in place.
   *
   * When it is cancelled, it rejects with the signal's reason, at once if it had not begun, else after the operation that
   * is under way. What the graph updates `when` has then kept its values, to the bit: a run that has already begun to
   * update is no more cancelled, and resolves. What a graph without `when` updates in place has no value, and whatever
   * needs it throws an error with its name, until it is written. Everything else is as it was.
   *
   * An engine with the official binding, and one on the calling thread, which sees no signal during a run, cancel only
   * runs that have not begun.
   */
  run(feeds: NamedArrays, options?: RunOptions): Promise<NamedArrays>;
}

/** A graph made ready for an engine: plain data that may travel to another thread. */
export interface Plan {
  readonly onnx: Uint8Array;
  /** Those of the graph; a guarded plan has the names of {@link guard} beside them. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Kept tensors that a run changes. */
  readonly updates: readonly PlannedUpdate[];
  /** Whether what it updates waits for a condition, and so can be cancelled. */
  readonly isGuarded: boolean;
}

/** How a run changes a kept tensor. */
export interface PlannedUpdate {
  readonly name: string;
  /** Or through a second buffer. */
  readonly inPlace: boolean;
  /** In which shape the model gives the elements, where it is not that of the kept tensor. */
  readonly shape?: readonly number[];
}

/**
 * How the updates of a graph that asks `when` are all made or none, though another thread cancels the run: bools, of which
 * that thread writes the first and the run the others, each after it has read the one before.
 *
 *     isReached = when, isTaken = isReached and mayUpdate, update when isTaken
 *
 * Who cancels first takes `mayUpdate` back and then looks whether `isReached` is written. If it is not, the run will read
 * what was taken back, and may be ended anywhere. If it is, the run may be updating and goes on to its end; `isTaken` says.
 */
export const guard = {
  mayUpdate: "engine.mayUpdate",
  isReached: "engine.isReached",
  isTaken: "engine.isTaken",
} as const;

function guarded({ outputs, updates, when }: Graph): Graph {
  if (!when) return { outputs, updates };
  // A node of its own, whatever the condition is, so that nothing but its result can be read for it.
  const isReached = and(when, when);
  const isTaken = and(isReached, input(guard.mayUpdate, [], "bool"));
  return { outputs: { ...outputs, [guard.isReached]: isReached, [guard.isTaken]: isTaken }, updates, when: isTaken };
}

export type PlanOptions = Pick<EngineOptions, "passes" | "device" | "blocks">;

/**
 * Make a graph ready: simplify it, cut updates into blocks, then find what may be updated in place and encode it.
 *
 * Throws {@link ShapeError} when the new value of a kept tensor has another shape or dtype.
 */
export function planOf(whole: Graph, { passes, device = "cpu", blocks = device === "cpu" }: PlanOptions = {}): Plan {
  checkUpdates(whole);
  const graph = simplify(whole, passes);
  // After the passes: the guard's flags must stay as they are made.
  const made = guarded(blocks ? inBlocks(graph) : graph);
  const inPlace = updatedInPlace(made);
  return {
    onnx: toOnnx(made),
    inputs: [...inputsOf(graph).keys()],
    outputs: Object.keys(graph.outputs),
    updates: Object.entries(graph.updates).map(([name, { shape }]) => ({
      name,
      inPlace: inPlace.has(name),
      ...shapeOfBlocks(shape, made.updates[name] as Tensor),
    })),
    isGuarded: graph.when !== undefined,
  };
}

function shapeOfBlocks(whole: Shape, { shape }: Tensor): Pick<PlannedUpdate, "shape"> {
  return sameShape(whole, shape) ? {} : { shape: shape.map(Number) };
}

function checkUpdates(graph: Graph): void {
  const inputs = inputsOf(graph);
  for (const [name, updated] of Object.entries(graph.updates)) {
    const before = inputs.get(name);
    if (before && (!sameShape(before.shape, updated.shape) || before.dtype !== updated.dtype)) {
      const [was, is] = [before, updated].map(({ dtype, shape }) => dtype + formatShape(shape));
      throw new ShapeError(`graph: the new value of "${name}" must be ${was}, got ${is}`);
    }
  }
}

export interface EngineOptions {
  /** Threads that one run may use. */
  readonly threads: number;
  /** Where graphs run; "cpu" by default. Throws ConfigError at the first use when the device is not there. */
  readonly device?: "cpu" | "webgpu" | "cuda";
  /**
   * How ONNX Runtime is called: through its C API, without copies of kept tensors, or through its official binding. By
   * default the first that works here; the variable CODISTILL_BINDING says otherwise.
   */
  readonly binding?: "native" | "official";
  /** Which passes simplify a graph before it is compiled; all by default. */
  readonly passes?: Passes;
  /** Whether updates of large tensors are made block by block; by default on the CPU. */
  readonly blocks?: boolean;
  /** Path prefix of files that get the time of every operation of every run, written when the engine is closed. */
  readonly profile?: string;
  /** Told what the user should know and need not act upon; a process warning by default. */
  readonly onNotice?: (message: string) => void;
}

/**
 * The names of the kept tensors that a run may overwrite in place: those whose every reader comes before their new
 * value in all orders of execution, because the new value depends on it, and whose new value is elementwise arithmetic.
 *
 * Where the graph asks `when`, all that it updates waits for what is computed always and needed for any update.
 */
export function updatedInPlace(graph: Graph): Set<string> {
  const inputs = inputsOf(graph);
  const readers = readersOf(graph);
  const roots = new Set(rootsOf(graph));
  const always = new Set(graph.when ? topologicalOrder(alwaysOf(graph)) : []);
  const first = topologicalOrder([...(graph.when ? [graph.when] : []), ...Object.values(graph.updates)]);
  const awaited = new Set(first.filter((tensor) => always.has(tensor)));
  const safe = Object.entries(graph.updates).filter(([name, updated]) => {
    const kept = inputs.get(name);
    if (!kept) return true;
    const views = viewsOf(kept, readers);
    if (!(mayOverwrite(updated, kept, views) || overwritesBlocks(updated, views))) return false;
    if (views.some((view) => roots.has(view))) return false;
    const before = new Set(topologicalOrder([updated], always));
    const isOrdered = (reader: Tensor) => awaited.has(reader) || before.has(reader);
    return views.every((view) => (readers.get(view) ?? []).every(isOrdered));
  });
  return new Set(safe.map(([name]) => name));
}

/** Whether an operation reads each element of a tensor before it writes it: a product on its own operand would not. */
function mayOverwrite({ op, inputs }: Tensor, kept: Tensor, views: readonly Tensor[]): boolean {
  const { overwrites } = traits[op];
  if (overwrites !== "rows") return overwrites === "elements";
  // Rows are set in the table itself, and must not be read from it while they are.
  return inputs[0] === kept && !inputs.slice(1).some((input) => views.includes(input));
}

/** Whether a result of a loop is made, step by step, of those elements of a kept tensor that its step writes over. */
function overwritesBlocks(updated: Tensor, views: readonly Tensor[]): boolean {
  const whole = isOp(updated, "part") ? updated.inputs[0] : updated;
  if (!whole || !isOp(whole, "scan")) return false;
  const { states, elements, outputs } = whole.attributes.body;
  const isRead = (sequence: Tensor | undefined) => sequence !== undefined && views.includes(sequence);
  if (states.length > 0 || whole.inputs.slice(elements.length).some(isRead)) return false;
  const index = isOp(updated, "part") ? updated.attributes.index : 0;
  const others = Object.fromEntries(outputs.flatMap((output, i) => (i === index ? [] : [[`output ${i}`, output]])));
  return elements.every((element, i) => {
    if (!isRead(whole.inputs[i]) || !isOp(element, "input")) return true;
    const { name } = element.attributes;
    return updatedInPlace({ outputs: {}, updates: { ...others, [name]: outputs[index] as Tensor } }).has(name);
  });
}

/** What reads each tensor. */
function readersOf(graph: Graph): Map<Tensor, Tensor[]> {
  const readers = new Map<Tensor, Tensor[]>();
  for (const tensor of topologicalOrder(rootsOf(graph))) {
    for (const input of tensor.inputs) {
      const known = readers.get(input);
      if (known) known.push(tensor);
      else readers.set(input, [tensor]);
    }
  }
  return readers;
}

/** The tensor and those that an engine may make share its memory. */
function viewsOf(tensor: Tensor, readers: ReadonlyMap<Tensor, readonly Tensor[]>): Tensor[] {
  const views = (readers.get(tensor) ?? []).filter(({ op }) => traits[op].mayShare);
  return [tensor, ...views.flatMap((view) => viewsOf(view, readers))];
}
