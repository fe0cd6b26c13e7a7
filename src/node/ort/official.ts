/** The engine through the official binding of ONNX Runtime, which copies the results of a run, state tensors too. */

import type { EngineOptions } from "../../engine/engine.js";
import { guard, type Plan } from "../../engine/plan.js";
import { ConfigError, messageOf } from "../../errors.js";
import { UPDATED } from "../../graph/graph.js";
import { copyOf, type DType, type NamedArrays, type NdArray, sizeOf } from "../../runtime/array.js";
import { cancelled, isCancelled } from "./cancellation.js";
import type * as ort from "./library.js";
import { closedEngine, missing, type PlanEngine } from "./plan-engine.js";
import { webGpuProvider } from "./webgpu.js";

type Ort = typeof ort;

/**
 * State tensors are fed and fetched as the same buffers, so a run changes them in place. The few whose readers may run
 * after their new value is written get a second buffer, which is swapped with the first after the run.
 */
export function officialEngine(options: EngineOptions): PlanEngine {
  const kept = new Map<string, NdArray>();
  const lent = new Set<string>();
  const sessions = new Set<ort.InferenceSession>();

  async function release(session: ort.InferenceSession): Promise<void> {
    if (!sessions.delete(session)) return;
    if (options.profile !== undefined) session.endProfiling();
    await session.release();
  }

  return {
    async compile(plan) {
      const library = await import("./library.js");
      const session = await createSession(library, plan.onnx, options);
      sessions.add(session);
      return {
        async run(feeds, cancellation) {
          if (!sessions.has(session)) throw closedEngine();
          if (cancellation && isCancelled(cancellation)) throw cancelled();
          for (const { name } of plan.updates) {
            const array = kept.get(name);
            if (array && lent.delete(name)) kept.set(name, copyOf(array));
          }
          return runPlan(library, session, plan, feeds, kept);
        },
        close: () => release(session),
      };
    },
    async write(tensors, isLent = false) {
      for (const [name, array] of Object.entries(tensors)) {
        kept.set(name, array);
        if (isLent) lent.add(name);
        else lent.delete(name);
      }
    },
    async read(names) {
      return Object.fromEntries(names.map((name) => [name, copyOf(keptArray(kept, name))]));
    },
    share: async () => refuseSharing(),
    adopt: async () => refuseSharing(),
    async close() {
      for (const session of sessions) await release(session);
      kept.clear();
    },
  };
}

async function runPlan(
  library: Ort,
  session: ort.InferenceSession,
  { inputs, outputs, updates, isGuarded }: Plan,
  feeds: NamedArrays,
  kept: Map<string, NdArray>,
): Promise<NamedArrays> {
  const toOrt = ({ dtype, shape, data }: NdArray) => new library.Tensor(dtype, data, shape);
  const fed = inputs.map((name) => [name, toOrt(feeds[name] ?? keptArray(kept, name))] as const);
  if (isGuarded) fed.push([guard.mayUpdate, new library.Tensor("bool", [true], [])]);
  const targets = updates.map(({ name, inPlace }) => {
    const current = keptArray(kept, name);
    const array = inPlace ? current : copyOf(current);
    return { name, array };
  });
  const fetches: Record<string, ort.Tensor | null> = {};
  for (const name of outputs) fetches[name] = null;
  for (const { name, array } of targets) fetches[name + UPDATED] = toOrt(array);
  const results = await session.run(Object.fromEntries(fed), fetches);
  for (const { name, array } of targets) kept.set(name, array);
  return Object.fromEntries(outputs.map((name) => [name, fromOrt(results[name] as ort.Tensor)]));
}

function refuseSharing(): never {
  throw new ConfigError(
    'memory of several threads needs binding "native", got "official", which refuses it. Leave the binding out.',
  );
}

/** Throws {@link ConfigError} when the device is not there. */
async function createSession(
  { InferenceSession }: Ort,
  onnx: Uint8Array,
  options: EngineOptions,
): Promise<ort.InferenceSession> {
  const { device = "cpu" } = options;
  try {
    return await InferenceSession.create(onnx, sessionOptions(onnx, options));
  } catch (error) {
    if (device === "cpu") throw error;
    throw new ConfigError(
      `device: must be there to be trained on; ${device} was tried with ONNX Runtime's ${device} provider: ` +
        `${messageOf(error).trim()}. ${cures[device]} Or use device "cpu".`,
      { cause: error },
    );
  }
}

const cures = {
  webgpu:
    "It needs a GPU with a driver for Vulkan (on Linux with the loader libvulkan.so.1), Metal or Direct3D 12; a machine " +
    "without one can use SwiftShader, as docs/devices.md says.",
  cuda: "It needs an NVIDIA GPU, its CUDA libraries, and the provider that onnxruntime-node's install script fetches.",
} as const;

/**
 * The settings of `program.ts`, which gives the reasons. No graph of ours gains from a higher level of optimization.
 */
function sessionOptions(
  onnx: Uint8Array,
  { threads, profile, device = "cpu" }: EngineOptions,
): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [device === "webgpu" ? webGpuProvider(onnx) : device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "basic",
    logSeverityLevel: 3,
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
    extra: {
      session: { intra_op: { allow_spinning: "0" }, set_denormal_as_zero: "1" },
      optimization: { disable_specified_optimizers: "CommonSubexpressionElimination" },
    },
  };
}

function keptArray(kept: ReadonlyMap<string, NdArray>, name: string): NdArray {
  const array = kept.get(name);
  if (!array) throw missing(name);
  return array;
}

function fromOrt(tensor: ort.Tensor): NdArray {
  const size = sizeOf(tensor.dims);
  if (tensor.data.length !== size) throw new Error(`internal: ${size} elements expected, got ${tensor.data.length}`);
  return { dtype: tensor.type as DType, shape: tensor.dims, data: tensor.data as NdArray["data"] };
}
