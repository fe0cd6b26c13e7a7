/** A compiled plan, run through the C API without copying what is kept. */
import { UPDATED } from "../../graph/graph.js";
import { copyOf, type NamedArrays, type NdArray } from "../../runtime/array.js";
import type { EngineOptions, Plan, Program } from "../../runtime/engine.js";
import { addressOf, cApi, LOG_ERRORS, type Pointer } from "./c-api.js";
import type { KeptTensors } from "./kept.js";
import { alignedArray, copyInto, type OrtTensor, release, showStrings, takeOver, tensorOver } from "./values.js";

export interface NativeProgram extends Program {
  close(): void;
}

/** What a run needs that depends only on which inputs are fed, with what shapes. */
interface Frame {
  /** Where each fed input is copied to; null for those that are kept. */
  readonly fed: readonly (OrtTensor | null)[];
  readonly inputs: BigUint64Array;
  /** The graph's outputs, then its updates. */
  readonly outputs: BigUint64Array;
  /** Where the outputs are written; null until a first run has shown their shapes. */
  results: readonly OrtTensor[] | null;
  /** The version of the kept tensors that the addresses are of. */
  version: number;
}

/** Batches of a few sizes alternate (training, validation and its last batch); more are forgotten. */
const MAX_FRAMES = 6;
const SEQUENTIAL = 0;
const BASIC_OPTIMIZATION = 1;

/** Compile a plan. Throws what the library says when it cannot. */
export function nativeProgram(plan: Plan, kept: KeptTensors, options: EngineOptions): NativeProgram {
  const api = cApi();
  const session = createSession(plan.onnx, options);
  const inputNames = texts(plan.inputs);
  const outputNames = texts([...plan.outputs, ...plan.updates.map(({ name }) => name + UPDATED)]);
  const frames = new Map<string, Frame>();
  let layout = kept.layout;
  let isClosed = false;

  function frameFor(feeds: NamedArrays): Frame {
    // Shapes of outputs may depend on those of kept tensors.
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

  /** Point at where the kept tensors are now. */
  function aim(frame: Frame): void {
    if (frame.version === kept.version) return;
    // Before the inputs: what is lent becomes a copy at another place.
    const targets = plan.updates.map(({ name, inPlace }) => (inPlace ? kept.ownValue(name) : kept.spareValue(name)));
    for (const [i, name] of plan.inputs.entries()) if (!frame.fed[i]) frame.inputs[i] = kept.value(name);
    frame.outputs.set(targets, plan.outputs.length);
    frame.version = kept.version;
  }

  function outputsOf(frame: Frame): NdArray[] {
    if (!frame.results) {
      frame.results = plan.outputs.map((_, i) => tensorOver(takeOver(frame.outputs[i] as Pointer)));
      frame.outputs.set(frame.results.map(({ value }) => value));
    }
    return frame.results.map(({ array }) => copyOf(array));
  }

  return {
    async run(feeds) {
      // The library would follow an address that is no longer its own.
      if (isClosed) throw new Error("internal: a program was run after its engine was closed");
      const frame = frameFor(feeds);
      for (const [i, tensor] of frame.fed.entries())
        if (tensor) feed(tensor, feeds[plan.inputs[i] as string] as NdArray);
      aim(frame);
      const { inputs, outputs } = frame;
      api.call(
        "Run",
        session,
        null,
        inputNames.addresses,
        inputs,
        inputs.length,
        outputNames.addresses,
        outputs.length,
        outputs,
      );
      const results = outputsOf(frame);
      for (const { name, inPlace } of plan.updates) if (!inPlace) kept.swap(name);
      return Object.fromEntries(plan.outputs.map((name, i) => [name, results[i] as NdArray]));
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      forget(frames.keys());
      try {
        if (options.profile !== undefined) endProfiling(session);
      } finally {
        api.release("ReleaseSession", session);
      }
    },
  };
}

function newFrame({ inputs, outputs, updates }: Plan, feeds: NamedArrays): Frame {
  const fed = inputs.map((name) => {
    const array = feeds[name];
    return array ? tensorOver(alignedArray(array.dtype, array.shape)) : null;
  });
  return {
    fed,
    inputs: BigUint64Array.from(fed, (tensor) => tensor?.value ?? 0n),
    outputs: new BigUint64Array(outputs.length + updates.length),
    results: null,
    version: -1,
  };
}

function signatureOf(array: NdArray | undefined): string {
  return array ? array.dtype + array.shape.join() : "";
}

function feed(tensor: OrtTensor, array: NdArray): void {
  copyInto(tensor.array, array);
  showStrings(tensor);
}

function createSession(onnx: Uint8Array, { threads, profile }: EngineOptions): Pointer {
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
    return api.make("CreateSessionFromArray", api.env, onnx, onnx.byteLength, options);
  } finally {
    api.release("ReleaseSessionOptions", options);
  }
}

/** Spinning threads of one session would starve the others on the machine. */
const sessionConfig = { "session.intra_op.allow_spinning": "0", "session.set_denormal_as_zero": "1" } as const;

/** The profile's path, which is what is freed, is told by the prefix. */
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
