/** The two ways in which ONNX Runtime is called. */
import type { EngineOptions } from "../../engine/engine.js";
import type { PlanEngine } from "./plan-engine.js";

export type Binding = NonNullable<EngineOptions["binding"]>;

/** The engine of a binding. Loads only the modules of that binding, and none that make plans of graphs. */
export async function planEngine(options: EngineOptions, binding: Binding): Promise<PlanEngine> {
  return binding === "native"
    ? (await import("./native.js")).nativeEngine(options)
    : (await import("./official.js")).officialEngine(options);
}
