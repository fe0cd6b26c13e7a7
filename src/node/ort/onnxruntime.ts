/** The engine on the calling thread: ONNX Runtime, through its C API or through its official binding. */

import { closableProgram } from "../../engine/closable-program.js";
import type { Engine, EngineOptions, WriteOptions } from "../../engine/engine.js";
import { planOf } from "../../engine/plan.js";
import { ConfigError, messageOf } from "../../errors.js";
import type { Graph } from "../../graph/graph.js";
import { copyOf, type NamedArrays } from "../../runtime/array.js";
import { closable } from "../../runtime/closable.js";
import { mapValues } from "../../runtime/named.js";
import { type Binding, planEngine } from "./bindings.js";
import { channelBlockFor } from "./channel-block.js";
import { closedEngine } from "./plan-engine.js";

/** An engine whose runs block the calling thread. */
export function onnxRuntimeEngine(options: EngineOptions): Engine {
  const binding = chooseBinding(options);
  const engine = binding.then((chosen) => planEngine(options, chosen));
  // Every call of the engine rejects with this error; without a call, it must not end the process as an unhandled
  // rejection.
  engine.catch(() => undefined);
  let isClosed = false;
  const open = () => {
    if (isClosed) throw closedEngine();
    return engine;
  };
  const calls = {
    async compile(graph: Graph) {
      const channelBlock = await channelBlockFor(graph, options, binding);
      const plan = planOf(graph, { ...options, channelBlock });
      const program = await (await open()).compile(plan);
      return closableProgram(async (feeds, { signal } = {}) => {
        signal?.throwIfAborted();
        const results = await program.run(feeds);
        // Gives pending events a turn, which a loop of runs would not leave them.
        await new Promise(setImmediate);
        return results;
      }, program.close);
    },
    async write(tensors: NamedArrays, { memory = "copied" }: WriteOptions = {}) {
      const given = memory === "copied" ? mapValues(tensors, copyOf) : tensors;
      await (await open()).write(given, memory === "lent");
    },
    read: async (names: readonly string[]) => (await open()).read(names),
    share: async (names: readonly string[]) => (await open()).share(names),
    adopt: async (shared: NamedArrays) => (await open()).adopt(shared),
  };
  return closable(calls, async () => {
    isClosed = true;
    await (await engine).close();
  });
}

/**
 * Choose the C API where a self-test shows that it works, else the official binding, with a notice.
 *
 * Throws {@link ConfigError} when the options ask for a binding or device that is not available.
 */
export async function chooseBinding(options: EngineOptions): Promise<Binding> {
  const { device = "cpu", onNotice = (message: string) => process.emitWarning(message) } = options;
  const wanted = options.binding ?? (process.env.CODISTILL_BINDING || undefined);
  if (wanted !== undefined && wanted !== "native" && wanted !== "official")
    throw new ConfigError(`binding (CODISTILL_BINDING) must be "native" or "official", got "${wanted}"`);
  if (device !== "cpu") {
    if (wanted !== "native") return "official";
    throw new ConfigError(`binding "native" runs on device "cpu" only, got "${device}". Leave the binding out.`);
  }
  if (wanted === "official") return wanted;
  const trouble = await import("./self-test.js").then(({ nativeTrouble }) => nativeTrouble(), messageOf);
  if (trouble === null) return "native";
  if (wanted === "native")
    throw new ConfigError(`binding "native" needs the C API of ONNX Runtime: ${trouble}. Use "official".`);
  onNotice(`the C API of ONNX Runtime does not work here, so state tensors are copied in each step: ${trouble}`);
  return "official";
}
