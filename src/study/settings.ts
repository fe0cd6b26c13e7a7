/** What a configuration says beyond its defaults, for reports. */

import { shortened } from "../report/format.js";
import type { Cell, TableBlock } from "../report/page/blocks.js";
import { resolveConfig } from "../run/config.js";
import { type Difference, differences } from "../run/config-diff.js";
import type { RunConfig } from "../run/schema.js";

const MOST_SHOWN = 200;

/** The options beside data, model and optimizer whose values are not the defaults. */
export function nonDefaults(config: RunConfig): Difference[] {
  const { name, data, model, optimizer, numSteps, globalBatchSize, task } = config;
  const needed = { name, data, model, optimizer, numSteps, globalBatchSize, task: { kind: task.kind } };
  // What is needed has no defaults, and is shown by itself.
  return differences(resolveConfig(needed), config).filter(
    ({ path }) => !/^(name|data|model|optimizer)(\.|$)/.test(path),
  );
}

/** A value as it is written in a configuration. */
export function valueShown(value: unknown): string {
  return shortened(value === undefined ? "left out" : JSON.stringify(value), MOST_SHOWN);
}

/** A table of differences, with a column for each of the two. */
export function differencesTable(
  caption: string,
  found: readonly Difference[],
  names: readonly [string, string],
): TableBlock {
  return {
    kind: "table",
    caption,
    head: ["option", ...names],
    rows: found.map(({ path, before, now }): Cell[] => [path, valueShown(before), valueShown(now)]),
  };
}

/** What a configuration must say, a line each. */
export function settingsLines({ data, task, model, optimizer, numSteps, globalBatchSize }: RunConfig): string {
  const { source, ...rest } = data;
  const parts = { source, data: rest, task, model, optimizer, numSteps, globalBatchSize };
  return Object.entries(parts)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join("\n");
}
