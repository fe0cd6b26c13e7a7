/** Configurations of runs, whatever their data is. */
import type { RunInput } from "./kinds/kinds.js";

export type { RunConfig, RunInput } from "./kinds/kinds.js";

/** Type a configuration: `export default defineRun({ ... })`. */
export function defineRun(config: RunInput): RunInput {
  return config;
}
