/** An engine on a thread of its own, so that the process stays responsive while it trains. */
import { Worker } from "node:worker_threads";
import { ConfigError, messageOf } from "../errors.js";
import { copyOf, type NamedArrays } from "../runtime/array.js";
import { type Engine, type EngineOptions, planOf } from "../runtime/engine.js";
import { mapValues } from "../runtime/named.js";
import { type EngineAnswer, type EngineRequest, memoryOf } from "./engine-messages.js";
import { chooseBinding } from "./onnxruntime.js";

type Call<T> = T extends unknown ? Omit<T, "id"> : never;

/** The engine of `onnxruntime.ts` on a worker thread. Calls are answered in the order in which they are made. */
export function threadedEngine(options: EngineOptions): Engine {
  const worker = new Worker(new URL("./engine-worker.js", import.meta.url));
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  /** Arrays of ours that the worker reads where they lie: they must be referred to as long as it does. */
  const lent = new Map<string, unknown>();
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
    if ("error" in answer) caller?.reject(errorOf(answer));
    else caller?.resolve(answer.result);
  });
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("internal: the engine was used after it was closed")));

  function send<R>(request: Call<EngineRequest>, memory: ArrayBuffer[] = []): Promise<R> {
    if (failure) return Promise.reject(failure);
    return new Promise<R>((resolve, reject) => {
      const id = calls++;
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ ...request, id }, memory);
    });
  }

  /** The binding is chosen here, where its library then stays loaded and notices are told. */
  const started = chooseBinding(options).then(async (binding) => {
    const { onNotice: _, ...plain } = options;
    await send({ call: "start", options: plain, binding });
    return binding === "native" ? (await import("./ort/lending.js")).placesOf : undefined;
  });
  started.catch((error: unknown) => {
    fail(error);
    return worker.terminate();
  });

  /** Every call waits for the start in its turn. */
  async function call<R>(request: Call<EngineRequest>, memory?: ArrayBuffer[]): Promise<R> {
    await started;
    return send<R>(request, memory);
  }

  async function write(tensors: NamedArrays, mayLend: boolean): Promise<void> {
    // At once: the arrays may change after the call.
    const given = mayLend ? tensors : mapValues(tensors, copyOf);
    // Once, like every other call: whoever waits twice is overtaken.
    const placesOf = await started;
    const places = mayLend ? placesOf?.(given) : undefined;
    if (places) await send({ call: "lend", places });
    else {
      const copies = mayLend ? mapValues(given, copyOf) : given;
      await send({ call: "write", tensors: copies }, memoryOf(copies));
    }
    // Now that it was answered, what was lent before under these names is no longer read.
    for (const [name, array] of Object.entries(given)) {
      if (places) lent.set(name, array);
      else lent.delete(name);
    }
  }

  return {
    async compile(graph) {
      const program = await call<number>({ call: "compile", plan: planOf(graph, options.passes) });
      return { run: (feeds) => call<NamedArrays>({ call: "run", program, feeds }) };
    },
    write: (tensors, { areFrozen = false } = {}) => write(tensors, areFrozen),
    read: (names) => call<NamedArrays>({ call: "read", names }),
    close: async () => {
      if (!failure) await call({ call: "close" });
      lent.clear();
    },
  };
}

/** What the worker threw, of the class that it had there. */
function errorOf({ error, isConfigError }: Extract<EngineAnswer, { readonly error: unknown }>): unknown {
  return isConfigError ? new ConfigError(messageOf(error), { cause: error }) : error;
}
