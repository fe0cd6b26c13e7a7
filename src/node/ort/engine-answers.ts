/** The worker's side of a threaded engine: it answers messages one after the other, and compiles beside them. */
import type { MessagePort } from "node:worker_threads";
import { codeOf } from "../../errors.js";
import type { NamedArrays } from "../../runtime/array.js";
import { mapValues } from "../../runtime/named.js";
import { planEngine } from "./bindings.js";
import { type EngineAnswer, type EngineRequest, memoryOf } from "./engine-messages.js";
import type { PlanEngine, PlanProgram } from "./plan-engine.js";

/** Answer the requests on a port with an engine that the request "start" makes and "close" ends. */
export function answerRequests(port: MessagePort): void {
  const answer = startedEngine();
  let queue: Promise<void> = Promise.resolve();
  /** Compilations under way: a thread of the pool does them, beside other requests. */
  const compiling = new Set<Promise<void>>();

  port.on("message", (request: EngineRequest) => {
    const answering = async () => {
      const reply = (message: EngineAnswer, memory?: ArrayBuffer[]) => port.postMessage(message, memory);
      try {
        if (request.call === "close") await Promise.all(compiling);
        const result = await answer(request);
        reply({ id: request.id, result }, request.call === "read" ? memoryOf(result as NamedArrays) : []);
      } catch (error) {
        reply({ id: request.id, error, code: codeOf(error) });
      }
      if (request.call === "close") port.close();
    };
    if (request.call !== "compile") {
      queue = queue.then(answering);
      return;
    }
    const compiled = answering().finally(() => compiling.delete(compiled));
    compiling.add(compiled);
  });
}

/** Makes a function that carries out requests, on an engine that the request "start" makes. */
function startedEngine(): (request: EngineRequest) => Promise<NamedArrays | number | null> {
  let started: PlanEngine | undefined;
  const programs = new Map<number, PlanProgram>();

  return async (request) => {
    if (request.call === "start") {
      started = await planEngine(request.options, request.binding);
      return null;
    }
    if (!started) throw new Error(`internal: the engine was asked to ${request.call} before its start`);
    const engine = started;
    switch (request.call) {
      case "compile":
        programs.set(request.id, await engine.compile(request.plan));
        return request.id;
      case "run":
        return (programs.get(request.program) as PlanProgram).run(request.feeds, request.cancellation);
      case "closeProgram":
        await programs.get(request.program)?.close();
        programs.delete(request.program);
        return null;
      case "write":
        await engine.write(request.tensors);
        return null;
      case "lend": {
        const { arrayAt } = await import("./values.js");
        await engine.write(mapValues(request.places, arrayAt), true);
        return null;
      }
      case "read":
        return engine.read(request.names);
      case "share":
        return engine.share(request.names);
      case "adopt":
        await engine.adopt(request.shared);
        return null;
      case "close":
        await engine.close();
        return null;
    }
  };
}
