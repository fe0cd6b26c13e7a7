/** Configurations checked, for users of the package: the schemas are loaded when they are first needed. */
import type { RunConfig, RunInput } from "./schema.js";

/**
 * Check a configuration and fill in its defaults.
 *
 * @throws ConfigError with a line for each problem: the path, the rule, the value, the nearest known name.
 * @example
 * import { defineRun, resolveConfig } from "codistill";
 * const config = await resolveConfig(
 *   defineRun({
 *     name: "rides",
 *     data: { source: "rides.csv", label: "late", numeric: { km: "km" }, split: { kind: "rows" } },
 *     model: { kind: "mlp", hidden: [64] },
 *     optimizer: { kind: "adam", learningRate: 1e-3 },
 *     numSteps: 2000,
 *     globalBatchSize: 256,
 *   }),
 * );
 * console.log(config.numGroups);
 */
export async function resolveConfig(given: RunInput): Promise<RunConfig> {
  const { resolveConfig: resolved } = await import("./config.js");
  return resolved(given);
}
