/** The engine on the calling thread: ONNX Runtime, through its C API or through its official binding. */

import type { Engine, EngineOptions } from "../../engine/engine.js";
import { planOf } from "../../engine/plan.js";
import { ConfigError, messageOf } from "../../errors.js";
import { copyOf } from "../../runtime/array.js";
import { mapValues } from "../../runtime/named.js";
import { type Binding, planEngine } from "./bindings.js";

/** An engine whose runs block the calling thread. */
export function onnxRuntimeEngine(options: EngineOptions): Engine {
  const engine = chooseBinding(options).then((binding) => planEngine(options, binding));
  // Whoever calls the engine gets the refusal; nobody may, and that is no reason to end the process.
  engine.catch(() => undefined);
  return {
    async compile(graph) {
      const plan = planOf(graph, options);
      const program = await (await engine).compile(plan);
      return {
        async run(feeds, { signal } = {}) {
          signal?.throwIfAborted();
          const results = await program.run(feeds);
          // Otherwise a loop of runs would leave no turn to anything else.
          await new Promise(setImmediate);
          return results;
        },
      };
    },
    async write(tensors, { memory = "copied" } = {}) {
      const given = memory === "copied" ? mapValues(tensors, copyOf) : tensors;
      await (await engine).write(given, memory === "lent");
    },
    read: async (names) => (await engine).read(names),
    share: async (names) => (await engine).share(names),
    adopt: async (shared) => (await engine).adopt(shared),
    close: async () => (await engine).close(),
  };
}

/**
 * The C API where it works, which is tried once. Where it does not, the official binding with a notice.
 *
 * Throws {@link ConfigError} when what the options ask for cannot be had.
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
  onNotice(`the C API of ONNX Runtime does not work here, so kept tensors are copied in each step: ${trouble}`);
  return "official";
}
