/** The runs of a comparison as they are planned, timed and trained. */
import { resolve } from "node:path";
import { kindNameOf } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import { passesOfRun } from "../../study/cost.js";
import type { Planned, Timed } from "../../study/schedule.js";
import { makeFolder } from "../files/plain-files.js";
import { type Comparison, type RunOf, runsBySeed, seedsOf, trialFolder } from "../runs/comparison.js";
import { configFrom, loadConfig } from "../runs/load-config.js";
import { isRun, runFolder } from "../runs/run-folder.js";
import { resultOfRun } from "../runs/run-result.js";
import { secondsOfRun } from "./outcome.js";
import { train } from "./train.js";

/** A run to train. Its `seed` is that of the arms that it is trained beside; its own is in its configuration. */
export interface Trial extends Planned {
  readonly of: RunOf["arm"];
  readonly folder: string;
}

/** Seed by seed. */
export function trialsOf(comparison: Comparison): Trial[] {
  return runsBySeed(comparison).flatMap(({ round, runs }) =>
    runs.map(({ arm, seed, folder }) => ({
      arm: arm.name,
      seed: round,
      passes: passesOfRun(arm.config, comparison.base.globalBatchSize),
      of: { ...arm, config: { ...arm.config, seed } },
      folder,
    })),
  );
}

/** The folder of the run to whose model a run stays close; null of one that stays close to none. */
export function anchorOf(comparison: Comparison, { of }: Trial): string | null {
  const arm = comparison.arms.find(({ name }) => name === of.closeTo);
  const [seed] = arm ? seedsOf(comparison, arm) : [];
  return arm && seed !== undefined ? trialFolder(comparison, arm.name, seed) : null;
}

/** Train a run, or go on with it. */
export async function trainTrial(
  comparison: Comparison,
  trial: Trial,
  { cacheFolder }: { readonly cacheFolder: string },
  stop: AbortSignal,
) {
  const { folder, of } = trial;
  makeFolder(folder);
  const near = anchorOf(comparison, trial);
  const made = () => (near === null ? of.config : closeTo(of.config, near));
  const config = isRun(folder) ? await loadConfig(runFolder(folder).config) : await made();
  return train({ config, folder, cacheFolder, stop });
}

/** A configuration that stays close to the model of a finished run. */
function closeTo(config: RunConfig, folder: string): Promise<RunConfig> {
  const path = resolve(folder);
  const teacher = kindNameOf(config) === "text" ? { run: path } : { model: runFolder(path).model.onnx };
  return configFrom({ config, folder: path }, [`teachers=${JSON.stringify([teacher])}`]);
}

/** How long a finished run took. */
export function timedRun({ arm, passes, folder }: Trial): Timed {
  const { groups } = resultOfRun(folder);
  return {
    arm,
    passes,
    seconds: secondsOfRun(
      folder,
      groups.map(({ group }) => group),
    ),
  };
}
