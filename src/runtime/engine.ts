import { ShapeError } from "../errors.js";
import { alwaysOf, type Graph, inputsOf, rootsOf } from "../graph/graph.js";
import { toOnnx } from "../graph/onnx.js";
import { sameShape } from "../graph/ops.js";
import { formatShape, type Op, type Tensor, topologicalOrder } from "../graph/tensor.js";
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
  /** Free everything. */
  close(): Promise<void>;
}

export interface WriteOptions {
  /** The arrays will never change again, so the engine may use their memory instead of copies; it does not change it. */
  readonly areFrozen?: boolean;
}

/** A compiled graph. */
export interface Program {
  /** Run once: outputs by name are returned, kept tensors that the graph updates are changed in place. */
  run(feeds: NamedArrays): Promise<NamedArrays>;
}

/** A graph made ready for an engine: plain data that may travel to another thread. */
export interface Plan {
  readonly onnx: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Kept tensors that a run changes, and whether in place or through a second buffer. */
  readonly updates: readonly { readonly name: string; readonly inPlace: boolean }[];
}

/** Make a graph ready. Throws {@link ShapeError} when the new value of a kept tensor has another shape or dtype. */
export function planOf(graph: Graph): Plan {
  const inputs = inputsOf(graph);
  for (const [name, updated] of Object.entries(graph.updates)) {
    const before = inputs.get(name);
    if (before && (!sameShape(before.shape, updated.shape) || before.dtype !== updated.dtype)) {
      const [was, is] = [before, updated].map(({ dtype, shape }) => dtype + formatShape(shape));
      throw new ShapeError(`graph: the new value of "${name}" must be ${was}, got ${is}`);
    }
  }
  const inPlace = updatedInPlace(graph);
  return {
    onnx: toOnnx(graph),
    inputs: [...inputs.keys()],
    outputs: Object.keys(graph.outputs),
    updates: Object.keys(graph.updates).map((name) => ({ name, inPlace: inPlace.has(name) })),
  };
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
    if (!mayOverwrite(updated, kept, views)) return false;
    if (views.some((view) => roots.has(view))) return false;
    const before = new Set(topologicalOrder([updated], always));
    const isOrdered = (reader: Tensor) => awaited.has(reader) || before.has(reader);
    return views.every((view) => (readers.get(view) ?? []).every(isOrdered));
  });
  return new Set(safe.map(([name]) => name));
}

/** Whether an operation reads each element of a tensor before it writes it: a product on its own operand would not. */
function mayOverwrite({ op, inputs }: Tensor, kept: Tensor, views: readonly Tensor[]): boolean {
  // Rows are set in the table itself, and must not be read from it while they are.
  if (op === "setRows") return inputs[0] === kept && !inputs.slice(1).some((input) => views.includes(input));
  return ["add", "sub", "mul", "div"].includes(op);
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

/** What an engine may make a mere view of its operand, or leave out where it changes nothing. */
const MAY_SHARE: ReadonlySet<Op> = new Set<Op>([
  ...(["reshape", "stopGradient", "cast", "expand", "transpose", "slice", "split", "concat", "pad"] as const),
  ...(["reduceSum", "reduceMean", "reduceMax", "reduceMin"] as const),
]);

/** The tensor and those that an engine may make share its memory. */
function viewsOf(tensor: Tensor, readers: ReadonlyMap<Tensor, readonly Tensor[]>): Tensor[] {
  const views = (readers.get(tensor) ?? []).filter(({ op }) => MAY_SHARE.has(op));
  return [tensor, ...views.flatMap((view) => viewsOf(view, readers))];
}
