/** The function by which a configuration file types its configuration. */
import type { RunInput } from "./kinds/kinds.js";

export type { RunConfig, RunInput } from "./kinds/kinds.js";

/**
 * Type a configuration, so that an editor knows its options; it is given back as it is.
 *
 * @example
 * import { defineRun } from "codistill";
 * export default defineRun({
 *   name: "rides",
 *   data: { source: "rides.csv", label: "late", numeric: { km: "km" }, split: { kind: "rows" } },
 *   model: { kind: "mlp", hidden: [64] },
 *   optimizer: { kind: "adam", learningRate: 1e-3 },
 *   numSteps: 2000,
 *   globalBatchSize: 256,
 * });
 */
export function defineRun(config: RunInput): RunInput {
  return config;
}
