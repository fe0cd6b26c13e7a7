/** A compiled plan, which runs through the C API without copying state tensors. */

import type { EngineOptions } from "../../engine/engine.js";
import { guard, type Plan } from "../../engine/plan.js";
import { UPDATED } from "../../graph/graph.js";
import { copyOf, type NamedArrays, type NdArray, sizeOf } from "../../runtime/array.js";
import { addressOf, cApi, LOG_ERRORS, type Pointer } from "./c-api.js";
import { cancelled, FLAGS, isCancelled, isPrevented, readyFlags } from "./cancellation.js";
import { closedEngine, type PlanProgram } from "./plan-engine.js";
import type { TensorTable } from "./tensor-table.js";
import { alignedArray, copyInto, type OrtTensor, release, takeOver, tensorOver } from "./values.js";

/** The buffers of runs with the same inputs fed, in the same shapes. */
interface Frame {
  /** Where each fed input is copied to; null for those that are kept. */
  readonly fed: readonly (OrtTensor | null)[];
  /** The graph's inputs, then the flag of a guarded plan. */
  readonly inputs: BigUint64Array;
  /** The graph's outputs, its updates, then the flags of a guarded plan. */
  readonly outputs: BigUint64Array;
  /** Where the outputs are written; null until a first run has shown their shapes. */
  results: readonly OrtTensor[] | null;
  /** The version of the table of state tensors whose addresses these are. */
  version: number;
}

/** The most frames that are kept: batches of a few sizes alternate (training, validation and its last batch). */
const MAX_FRAMES = 6;
/**
 * The run option by which the library frees its unused memory after a run; an empty value turns it off. The first run
 * with some shapes allocates memory piece by piece; later runs take all of it as one block, and without this option the
 * pieces of the first run would stay allocated beside it for good.
 */
const SHRINKAGE = "memory.enable_memory_arena_shrinkage";
/**
 * With at least this many bytes of state tensors, garbage is collected before the first run, as it may hold unused
 * copies of them.
 */
const LARGE_BYTES = 32 << 20;
const BYTES_PER_ELEMENT = 4;
const SEQUENTIAL = 0;
const BASIC_OPTIMIZATION = 1;

/** Compile a plan, on a thread of the pool. Throws the library's error when it cannot. */
export async function nativeProgram(plan: Plan, kept: TensorTable, options: EngineOptions): Promise<PlanProgram> {
  const api = cApi();
  const session = await createSession(plan.onnx, options);
  const updated = plan.updates.map(({ name }) => name + UPDATED);
  const { isGuarded } = plan;
  const inputNames = texts([...plan.inputs, ...(isGuarded ? [guard.mayUpdate] : [])]);
  const outputNames = texts([...plan.outputs, ...updated, ...(isGuarded ? [guard.isReached, guard.isTaken] : [])]);
  const ownFlags = readyFlags(new Uint8Array(3));
  const ownRunOptions = api.make("CreateRunOptions");
  /** Tensors of the flags by address, as each message brings the same flags as another object. */
  const flagTensors = new Map<Pointer, readonly OrtTensor[]>();
  const frames = new Map<string, Frame>();
  let layout = kept.layout;
  let isClosed = false;

  function frameFor(feeds: NamedArrays): Frame {
    // Shapes of outputs may depend on those of state tensors.
    if (layout !== kept.layout) forget(frames.keys());
    layout = kept.layout;
    const key = plan.inputs.map((name) => signatureOf(feeds[name])).join(";");
    const known = frames.get(key);
    if (known) return known;
    if (frames.size >= MAX_FRAMES) forget([...frames.keys()].slice(0, 1));
    const frame = newFrame(plan, feeds);
    frames.set(key, frame);
    return frame;
  }

  function forget(keys: Iterable<string>): void {
    for (const key of keys) {
      const { fed = [], results = [] } = frames.get(key) ?? {};
      for (const tensor of [...fed, ...(results ?? [])]) if (tensor) release(tensor);
      frames.delete(key);
    }
  }

  /** Update the addresses of the state tensors in a frame. */
  function aim(frame: Frame): void {
    if (frame.version === kept.version) return;
    // Before the inputs, as a lent tensor becomes a copy at another address.
    const targets = plan.updates.map(({ name, inPlace }) => (inPlace ? kept.ownValue(name) : kept.spareValue(name)));
    for (const [i, name] of plan.inputs.entries()) if (!frame.fed[i]) frame.inputs[i] = kept.value(name);
    frame.outputs.set(targets, plan.outputs.length);
    frame.version = kept.version;
  }

  /** Let the run read and write these flags. */
  function arm({ inputs, outputs }: Frame, flags: Uint8Array): void {
    const place = addressOf(flags);
    const tensors = flagTensors.get(place) ?? tensorsOver(flags);
    flagTensors.set(place, tensors);
    const [mayUpdate = 0n, ...others] = tensors.map(({ value }) => value);
    inputs[inputs.length - 1] = mayUpdate;
    outputs.set(others, outputs.length - others.length);
  }

  /** Mark tensors updated in place as lost: without a guard, they may be half written when a run is ended. */
  function loseUpdates(): void {
    if (!isGuarded) kept.lose(plan.updates.filter(({ inPlace }) => inPlace).map(({ name }) => name));
  }

  function keptBytes({ fed }: Frame): number {
    const names = plan.inputs.filter((_, i) => !fed[i]);
    return Object.values(kept.read(names)).reduce((sum, { shape }) => sum + BYTES_PER_ELEMENT * sizeOf(shape), 0);
  }

  function outputsOf(frame: Frame): NdArray[] {
    if (!frame.results) {
      frame.results = plan.outputs.map((_, i) => tensorOver(takeOver(frame.outputs[i] as Pointer)));
      frame.outputs.set(frame.results.map(({ value }) => value));
    }
    return frame.results.map(({ array }) => copyOf(array));
  }

  return {
    async run(feeds, cancellation) {
      // The library would use the address of a freed session.
      if (isClosed) throw closedEngine();
      if (cancellation && isCancelled(cancellation)) throw cancelled();
      const frame = frameFor(feeds);
      for (const [i, tensor] of frame.fed.entries())
        if (tensor) copyInto(tensor.array, feeds[plan.inputs[i] as string] as NdArray);
      aim(frame);
      if (isGuarded) arm(frame, cancellation?.flags ?? ownFlags);
      const { inputs, outputs } = frame;
      const runOptions = cancellation?.runOptions ?? ownRunOptions;
      const isFirst = frame.results === null;
      if (isFirst) {
        if (keptBytes(frame) >= LARGE_BYTES) globalThis.gc?.();
        api.call("AddRunConfigEntry", runOptions, SHRINKAGE, "cpu:0");
      }
      try {
        api.call(
          "Run",
          session,
          runOptions,
          inputNames.addresses,
          inputs,
          inputs.length,
          outputNames.addresses,
          outputs.length,
          outputs,
        );
      } catch (error) {
        if (cancellation && isCancelled(cancellation)) loseUpdates();
        throw error;
      } finally {
        if (isFirst) api.call("AddRunConfigEntry", runOptions, SHRINKAGE, "");
      }
      const results = outputsOf(frame);
      if (cancellation && isPrevented(cancellation)) throw cancelled();
      for (const { name, inPlace } of plan.updates) if (!inPlace) kept.swap(name);
      return Object.fromEntries(plan.outputs.map((name, i) => [name, results[i] as NdArray]));
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      forget(frames.keys());
      for (const tensor of [...flagTensors.values()].flat()) release(tensor);
      api.release("ReleaseRunOptions", ownRunOptions);
      try {
        if (options.profile !== undefined) endProfiling(session);
      } finally {
        api.release("ReleaseSession", session);
      }
    },
  };
}

function newFrame({ inputs, outputs, updates, isGuarded }: Plan, feeds: NamedArrays): Frame {
  const fed = inputs.map((name) => {
    const array = feeds[name];
    return array ? tensorOver(alignedArray(array.dtype, array.shape)) : null;
  });
  return {
    fed,
    inputs: BigUint64Array.from([...fed, ...(isGuarded ? [null] : [])], (tensor) => tensor?.value ?? 0n),
    outputs: new BigUint64Array(outputs.length + updates.length + (isGuarded ? 2 : 0)),
    results: null,
    version: -1,
  };
}

/** A tensor over each flag, in the order of their places. */
function tensorsOver(flags: Uint8Array): OrtTensor[] {
  return Object.values(FLAGS).map((place) =>
    tensorOver({ dtype: "bool", shape: [], data: flags.subarray(place, place + 1) }),
  );
}

function signatureOf(array: NdArray | undefined): string {
  return array ? array.dtype + array.shape.join() : "";
}

async function createSession(onnx: Uint8Array, { threads, profile }: EngineOptions): Promise<Pointer> {
  const api = cApi();
  const options = api.make("CreateSessionOptions");
  try {
    api.call("SetSessionExecutionMode", options, SEQUENTIAL);
    api.call("SetSessionGraphOptimizationLevel", options, BASIC_OPTIMIZATION);
    api.call("SetSessionLogSeverityLevel", options, LOG_ERRORS);
    api.call("SetIntraOpNumThreads", options, threads);
    api.call("SetInterOpNumThreads", options, 1);
    for (const [name, value] of Object.entries(sessionConfig)) api.call("AddSessionConfigEntry", options, name, value);
    if (profile !== undefined) api.call("EnableProfiling", options, profile);
    return await api.makeInBackground("CreateSessionFromArray", api.env, onnx, onnx.byteLength, options);
  } finally {
    api.release("ReleaseSessionOptions", options);
  }
}

/**
 * No spinning, since spinning threads of one session would starve the others on the machine. No elimination of common
 * subexpressions: of two equal operations, ONNX Runtime would make readers of the second depend on the first alone, and
 * such a reader could then read a tensor after it was updated in place.
 */
const sessionConfig = {
  "session.intra_op.allow_spinning": "0",
  "session.set_denormal_as_zero": "1",
  "optimization.disable_specified_optimizers": "CommonSubexpressionElimination",
} as const;

/** Ends profiling and frees the path of the profile that the library returns, which is known by its prefix. */
function endProfiling(session: Pointer): void {
  const api = cApi();
  api.call("AllocatorFree", api.allocator, api.make("SessionEndProfiling", session, api.allocator));
}

/** Null-terminated texts and their addresses; both must be referred to as long as the addresses are used. */
function texts(names: readonly string[]): {
  readonly addresses: BigUint64Array;
  readonly bytes: readonly Uint8Array[];
} {
  const bytes = names.map((name) => new TextEncoder().encode(`${name}\0`));
  return { addresses: BigUint64Array.from(bytes, addressOf), bytes };
}
