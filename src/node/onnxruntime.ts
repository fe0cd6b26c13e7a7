/** The engine on the calling thread: ONNX Runtime through its official binding. The only file that sees it. */
import * as ort from "onnxruntime-node";
import { UPDATED } from "../graph/onnx.js";
import { copyOf, type DType, type NamedArrays, type NdArray, sizeOf } from "../runtime/array.js";
import { type Engine, type EngineOptions, type Plan, type Program, planOf } from "../runtime/engine.js";
import { mapValues } from "../runtime/named.js";

/** An engine whose runs block the calling thread. */
export function onnxRuntimeEngine(options: EngineOptions): Engine {
  const { compile, write, ...engine } = planEngine(options);
  return {
    ...engine,
    compile: (graph) => compile(planOf(graph)),
    write: (tensors) => write(mapValues(tensors, copyOf)),
  };
}

/** The same engine for graphs that were made ready elsewhere. */
export interface PlanEngine extends Omit<Engine, "compile" | "write"> {
  compile(plan: Plan): Promise<Program>;
  /** Keep these very tensors: the caller has made the copies, and gives them away. */
  write(tensors: NamedArrays): Promise<void>;
}

/**
 * Kept tensors are fed and fetched as the same buffers, so a run changes them in place; the few whose readers are
 * not ordered before their new value get a second buffer, and the two trade places after the run.
 */
export function planEngine({ threads }: EngineOptions): PlanEngine {
  const kept = new Map<string, ort.Tensor>();
  const sessions: ort.InferenceSession[] = [];
  return {
    async compile(plan) {
      const session = await ort.InferenceSession.create(plan.onnx, sessionOptions(threads));
      sessions.push(session);
      return { run: (feeds) => runPlan(session, plan, feeds, kept) };
    },
    async write(tensors) {
      for (const [name, array] of Object.entries(tensors)) kept.set(name, toOrt(array));
    },
    async read(names) {
      return Object.fromEntries(names.map((name) => [name, copyOf(fromOrt(keptTensor(kept, name)))]));
    },
    async close() {
      for (const session of sessions.splice(0)) await session.release();
      kept.clear();
    },
  };
}

async function runPlan(
  session: ort.InferenceSession,
  { inputs, outputs, updates }: Plan,
  feeds: NamedArrays,
  kept: Map<string, ort.Tensor>,
): Promise<NamedArrays> {
  const fed = inputs.map((name) => [name, feeds[name] ? toOrt(feeds[name]) : keptTensor(kept, name)] as const);
  const targets = updates.map(({ name, inPlace }) => {
    const current = keptTensor(kept, name);
    return { name, tensor: inPlace ? current : toOrt(copyOf(fromOrt(current))) };
  });
  const fetches: Record<string, ort.Tensor | null> = {};
  for (const name of outputs) fetches[name] = null;
  for (const { name, tensor } of targets) fetches[name + UPDATED] = tensor;
  const results = await session.run(Object.fromEntries(fed), fetches);
  for (const { name, tensor } of targets) kept.set(name, tensor);
  return Object.fromEntries(outputs.map((name) => [name, fromOrt(results[name] as ort.Tensor)]));
}

/** Spinning threads of one session would starve the others on the machine; no graph of ours gains from a higher level. */
function sessionOptions(threads: number): ort.InferenceSession.SessionOptions {
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "basic",
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: "0" }, set_denormal_as_zero: "1" } },
  };
}

function keptTensor(kept: ReadonlyMap<string, ort.Tensor>, name: string): ort.Tensor {
  const tensor = kept.get(name);
  if (!tensor) throw new Error(`internal: "${name}" is neither fed nor kept by the engine`);
  return tensor;
}

function toOrt({ dtype, shape, data }: NdArray): ort.Tensor {
  return new ort.Tensor(dtype, data, shape);
}

function fromOrt(tensor: ort.Tensor): NdArray {
  const size = sizeOf(tensor.dims);
  if (tensor.data.length !== size) throw new Error(`internal: ${size} elements expected, got ${tensor.data.length}`);
  return { dtype: tensor.type as DType, shape: tensor.dims, data: tensor.data as NdArray["data"] };
}
