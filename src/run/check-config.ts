/** Configurations checked, for users of the package: the schemas are loaded when they are first needed. */
import type { RunConfig, RunInput } from "./schema.js";

/**
 * Check a configuration and fill in its defaults.
 *
 * @throws ConfigError with a line for each problem: the path, the rule, the value, the nearest known name.
 * @example
 * const config = await resolveConfig({ ...own, numSteps: 100 });
 */
export async function resolveConfig(given: RunInput): Promise<RunConfig> {
  const { resolveConfig: resolved } = await import("./config.js");
  return resolved(given);
}
