/** An engine on a thread of its own, so that the process stays responsive while it trains. */
import { Worker } from "node:worker_threads";
import { copyOf, type NamedArrays } from "../runtime/array.js";
import { type Engine, type EngineOptions, planOf } from "../runtime/engine.js";
import { mapValues } from "../runtime/named.js";
import { type EngineAnswer, type EngineRequest, memoryOf } from "./engine-messages.js";

type Call<T> = T extends unknown ? Omit<T, "id"> : never;

/** The engine of `onnxruntime.ts` on a worker thread. Calls are answered in the order in which they are made. */
export function threadedEngine(options: EngineOptions): Engine {
  const worker = new Worker(new URL("./engine-worker.js", import.meta.url), { workerData: options });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
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
    if ("error" in answer) caller?.reject(answer.error);
    else caller?.resolve(answer.result);
  });
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("internal: the engine was used after it was closed")));

  function call<R>(request: Call<EngineRequest>, memory: ArrayBuffer[] = []): Promise<R> {
    if (failure) return Promise.reject(failure);
    return new Promise<R>((resolve, reject) => {
      const id = calls++;
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ ...request, id }, memory);
    });
  }

  return {
    async compile(graph) {
      const program = await call<number>({ call: "compile", plan: planOf(graph) });
      return { run: (feeds) => call<NamedArrays>({ call: "run", program, feeds }) };
    },
    write: (tensors) => {
      const copies = mapValues(tensors, copyOf);
      return call({ call: "write", tensors: copies }, memoryOf(copies));
    },
    read: (names) => call<NamedArrays>({ call: "read", names }),
    close: async () => {
      if (!failure) await call({ call: "close" });
    },
  };
}
