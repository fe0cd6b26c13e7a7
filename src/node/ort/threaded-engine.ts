/** An engine on a thread of its own, so that the process stays responsive while it trains. */
import { Worker } from "node:worker_threads";
import { closableProgram } from "../../engine/closable-program.js";
import type { Engine, EngineOptions, WriteOptions } from "../../engine/engine.js";
import { planOf } from "../../engine/plan.js";
import { errorOfCode } from "../../errors.js";
import type { Graph } from "../../graph/graph.js";
import { copyOf, type NamedArrays, type NdArray } from "../../runtime/array.js";
import { closable } from "../../runtime/closable.js";
import { mapValues } from "../../runtime/named.js";
import { type Cancellation, runCancellation } from "./cancellation.js";
import { channelBlockFor } from "./channel-block.js";
import { type EngineAnswer, type EngineRequest, memoryOf } from "./engine-messages.js";
import { chooseBinding } from "./onnxruntime.js";
import { closedEngine } from "./plan-engine.js";
import "./telemetry.js";

type Call<T> = T extends unknown ? Omit<T, "id"> : never;

/** The engine of `onnxruntime.ts` on a worker thread. Calls are answered in the order in which they are made, but for `compile`. */
export function threadedEngine(options: EngineOptions): Engine {
  const worker = new Worker(new URL("./engine-worker.js", import.meta.url));
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  /** Arrays of ours that the worker reads where they lie: they must be referred to as long as it does. */
  const lent = new Map<string, unknown>();
  /** Cancellations that no run has. */
  const cancellations: Cancellation[] = [];
  /** What is being compiled: the end waits for it. */
  const compiling = new Set<Promise<unknown>>();
  let isClosing = false;
  let isClosed = false;
  let calls = 0;
  let failure: unknown;

  const fail = (error: unknown) => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on("message", (answer: EngineAnswer) => {
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("error" in answer) caller?.reject(errorOfCode(answer.code, answer.error));
    else caller?.resolve(answer.result);
  });
  worker.on("error", fail);
  worker.on("exit", () => fail(isClosing ? closedEngine() : new Error("the thread of its engine has ended")));

  function send<R>(request: Call<EngineRequest>, memory: ArrayBuffer[] = []): Promise<R> {
    if (failure) return Promise.reject(failure);
    return new Promise<R>((resolve, reject) => {
      const id = calls++;
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ ...request, id }, memory);
    });
  }

  /** The binding is chosen on this thread, where its library stays loaded and notices are reported. */
  const binding = chooseBinding(options);
  const started = binding.then(async (binding) => {
    const { onNotice: _, ...plain } = options;
    await send({ call: "start", options: plain, binding });
    if (binding === "official") return { newCancellation: () => runCancellation(null) };
    const [{ placesOf }, { runTerminator }] = await Promise.all([import("./values.js"), import("./terminator.js")]);
    return { placesOf, newCancellation: () => runCancellation(runTerminator()) };
  });
  started.catch((error: unknown) => {
    fail(error);
    return worker.terminate();
  });

  /** Send a call; calls wait for the start, and keep their order. */
  async function call<R>(request: Call<EngineRequest>, memory?: ArrayBuffer[]): Promise<R> {
    if (isClosing) throw closedEngine();
    await started;
    return send<R>(request, memory);
  }

  /** Later calls may overtake this one, which first finds out how the engine convolves; no call can need its program yet. */
  async function compile(graph: Graph): Promise<number> {
    await started;
    const channelBlock = await channelBlockFor(graph, options, binding);
    return send<number>({ call: "compile", plan: planOf(graph, { ...options, channelBlock }) });
  }

  async function run(program: number, feeds: NamedArrays, signal: AbortSignal | undefined): Promise<NamedArrays> {
    if (!signal) return call({ call: "run", program, feeds });
    signal.throwIfAborted();
    const { newCancellation } = await started;
    signal.throwIfAborted();
    const cancellation = cancellations.pop() ?? newCancellation();
    const cancel = () => cancellation.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return await send<NamedArrays>({ call: "run", program, feeds, cancellation: cancellation.place });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", cancel);
      cancellation.reset();
      if (isClosed) cancellation.free();
      else cancellations.push(cancellation);
    }
  }

  async function write(tensors: NamedArrays, { memory = "copied" }: WriteOptions): Promise<void> {
    const isLent = memory === "lent";
    // Copied at once, since the caller may change the arrays after the call.
    const given = isLent ? tensors : mapValues(tensors, memory === "given" ? inOwnMemory : copyOf);
    // One await, like every other call: with a second one, later calls would overtake this one.
    const { placesOf } = await started;
    const places = isLent ? placesOf?.(given) : undefined;
    if (places) await send({ call: "lend", places });
    else {
      const own = isLent ? mapValues(given, copyOf) : given;
      await send({ call: "write", tensors: own }, memoryOf(own));
    }
    // After the answer, the worker no longer reads arrays that were lent before under these names.
    for (const [name, array] of Object.entries(given)) {
      if (places) lent.set(name, array);
      else lent.delete(name);
    }
  }

  async function close(): Promise<void> {
    const ended = failure ? null : Promise.allSettled([started, ...compiling]).then(() => send({ call: "close" }));
    isClosing = true;
    await ended;
    lent.clear();
    // By now every run has ended: the worker answers in order, or is gone.
    isClosed = true;
    for (const cancellation of cancellations.splice(0)) cancellation.free();
  }

  const engine = {
    async compile(graph: Graph) {
      if (isClosing) throw closedEngine();
      const compiled = compile(graph);
      compiling.add(compiled);
      const program = await compiled.finally(() => compiling.delete(compiled));
      return closableProgram(
        (feeds, { signal } = {}) => run(program, feeds, signal),
        async () => {
          if (!isClosing) await call({ call: "closeProgram", program });
        },
      );
    },
    write: (tensors: NamedArrays, options: WriteOptions = {}) => write(tensors, options),
    read: (names: readonly string[]) => call<NamedArrays>({ call: "read", names }),
    share: (names: readonly string[]) => call<NamedArrays>({ call: "share", names }),
    adopt: (shared: NamedArrays) => call<void>({ call: "adopt", shared }),
  };
  return closable(engine, close);
}

/** The array if its memory holds nothing else and may travel, else a copy. */
function inOwnMemory(array: NdArray): NdArray {
  const { buffer, byteLength } = array.data;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? array : copyOf(array);
}
