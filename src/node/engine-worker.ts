/** The training thread: an engine that answers messages, one after the other. */
import { parentPort, workerData } from "node:worker_threads";
import type { NamedArrays } from "../runtime/array.js";
import type { Program } from "../runtime/engine.js";
import { type EngineAnswer, type EngineRequest, type EngineWorkerData, memoryOf } from "./engine-messages.js";
import { chooseBinding, planEngine } from "./onnxruntime.js";

const options = workerData as EngineWorkerData;
const engine = await planEngine(options, await chooseBinding(options));
const programs: Program[] = [];

async function answer(request: EngineRequest): Promise<NamedArrays | number | null> {
  switch (request.call) {
    case "compile":
      return programs.push(await engine.compile(request.plan)) - 1;
    case "run":
      return (programs[request.program] as Program).run(request.feeds);
    case "write":
      await engine.write(request.tensors);
      return null;
    case "read":
      return engine.read(request.names);
    case "close":
      await engine.close();
      return null;
  }
}

let queue: Promise<void> = Promise.resolve();
parentPort?.on("message", (request: EngineRequest) => {
  queue = queue.then(async () => {
    const reply = (message: EngineAnswer, memory?: ArrayBuffer[]) => parentPort?.postMessage(message, memory);
    try {
      const result = await answer(request);
      reply({ id: request.id, result }, request.call === "read" ? memoryOf(result as NamedArrays) : []);
    } catch (error) {
      reply({ id: request.id, error });
    }
    if (request.call === "close") parentPort?.close();
  });
});
