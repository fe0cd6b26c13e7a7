/** How often a run reads its data. */
import type { TrainEvent } from "../log/events.js";
import { isOfText, type RunConfig } from "./schema.js";

type Sizes = Pick<Extract<TrainEvent, { readonly event: "data-ready" }>, "rows" | "units">;

/**
 * How often a group reads its part of the training data in all of its steps, where the parts are equally large. Of text by units,
 * of a table by rows.
 */
export function epochsOf(config: RunConfig, { rows, units }: Sizes): number {
  const { numSteps, globalBatchSize, numGroups, data } = config;
  const read = numSteps * globalBatchSize * (isOfText(config) ? config.data.sequenceLength : 1);
  const all = units?.train ?? rows.train - (rows.unassigned ?? 0);
  return read / (data.regime === "all" ? all : all / numGroups);
}
