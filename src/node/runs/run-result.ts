/** The result of a run that has been scored. */
import { z } from "zod";
import type { RunResult } from "../../log/events.js";
import { checkedRunFile } from "./run-file.js";
import { runFolder } from "./run-folder.js";

const resultSchema = z.looseObject({
  shippedGroup: z.int().nonnegative(),
  testRows: z.int().nonnegative(),
  lossName: z.string().optional(),
  groups: z.array(z.looseObject({ group: z.int().nonnegative(), ended: z.string() })),
});

/** The result of the run in a folder. Throws {@link CheckpointError} when it is missing or damaged. */
export function resultOfRun(folder: string): RunResult {
  return checkedRunFile(runFolder(folder).result, resultSchema) as unknown as RunResult;
}
