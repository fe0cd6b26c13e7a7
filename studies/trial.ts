/** One run of a study: trained once, with what a report needs of it kept beside it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { train } from "../src/node/launch/train.js";
import { threadedEngine } from "../src/node/ort/threaded-engine.js";
import { readEvents, readLog } from "../src/node/runs/read-log.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { directoryStore } from "../src/node/stores/directory-store.js";
import { prepareTable } from "../src/node/table/ingest.js";
import { tableSpecOf } from "../src/node/table/table-reader.js";
import { configOfKind } from "../src/run/kinds/kinds.js";
import { tableLearner } from "../src/run/learner.js";
import type { RunConfig } from "../src/run/schema.js";
import { readBest } from "../src/run/score.js";
import { bytesOf } from "../src/runtime/array.js";
import { mean } from "../src/study/statistics.js";
import { predictAll } from "../src/train/evaluate.js";
import { predictGraph, stateNames, weightState } from "../src/train/graphs.js";

/** What a group of a trial came to. */
export interface GroupOutcome {
  readonly group: number;
  /** The step of the scored params, the best by validation. */
  readonly step: number;
  readonly validationLoss: number;
  readonly testLoss: number;
  readonly testAuc: number;
  readonly testCalibrationError: number;
  readonly stepsPerSecond: number;
  /** The validation loss of the group, from its first to its last validation. */
  readonly validation: readonly { readonly step: number; readonly loss: number }[];
}

export interface TrialOutcome {
  readonly arm: string;
  readonly seed: number;
  readonly steps: number;
  readonly seconds: number;
  readonly groups: readonly GroupOutcome[];
}

/** Where prepared data is kept between runs. */
export const CACHE = ".codistill/cache";

/** Whether a trial is done: its outcome is the last that is written. */
export function isDone(folder: string): boolean {
  return existsSync(join(folder, "outcome.json"));
}

export function readOutcome(folder: string): TrialOutcome {
  return JSON.parse(readFileSync(join(folder, "outcome.json"), "utf8"));
}

/** The splits whose predictions are kept. */
export type ScoredSplit = "validation" | "test";

/** The predictions of a group's best params, in the order of the split, and the labels. */
export function readPredictions(folder: string, group: number | "labels", split: ScoredSplit = "test"): Float32Array {
  const { buffer, byteOffset, byteLength } = readFileSync(predictionsFile(folder, group, split));
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Whether the predictions of both splits are beside a run; those of validation were not always kept. */
export function hasPredictions(folder: string): boolean {
  return (["validation", "test"] as const).every((split) => existsSync(predictionsFile(folder, "labels", split)));
}

function predictionsFile(folder: string, group: number | "labels", split: ScoredSplit): string {
  return join(folder, `${split}-${group}.f32`);
}

/** The validation losses of a run as means over its groups. */
export function validationCurve({
  groups,
}: Pick<TrialOutcome, "groups">): { readonly step: number; readonly loss: number }[] {
  return (groups[0]?.validation ?? []).map(({ step }) => {
    const losses = groups.flatMap(({ validation }) =>
      validation.filter((one) => one.step === step).map(({ loss }) => loss),
    );
    return { step, loss: mean(losses) };
  });
}

/**
 * Train a trial in a folder, or go on where it was cut off, and keep its outcome there. Null when it was stopped.
 * Throws what {@link train} throws.
 */
export async function runTrial(
  config: RunConfig,
  about: Pick<TrialOutcome, "arm" | "seed" | "steps">,
  folder: string,
  stop: AbortSignal,
  keep: (config: RunConfig, folder: string) => Promise<void> = async () => {},
): Promise<TrialOutcome | null> {
  const result = await train({ config, folder, cacheFolder: CACHE, stop });
  if (!result || stop.aborted) return null;
  await keep(config, folder);
  const events = readLog(runFolder(folder).log);
  const started = Date.parse(events.find(({ event }) => event === "data-ready")?.time ?? "");
  const outcome: TrialOutcome = {
    ...about,
    // Of the last start alone, where there were several.
    seconds: (Date.parse(events.at(-1)?.time ?? "") - started) / 1000,
    groups: result.groups.map(({ group, step, validationLoss, stepsPerSecond, ...tested }) => ({
      group,
      step,
      validationLoss,
      testLoss: tested.testLoss,
      testAuc: tested.testAuc ?? Number.NaN,
      testCalibrationError: tested.testCalibrationError ?? Number.NaN,
      stepsPerSecond,
      validation: Array.from(readEvents(runFolder(folder).group(group).log, ["validation"]), ({ step, loss }) => ({
        step,
        loss,
      })),
    })),
  };
  writeFileSync(join(folder, "outcome.json"), `${JSON.stringify(outcome)}\n`);
  return outcome;
}

/** Keep the validation and test predictions of every group of a run on a table, for {@link readPredictions}. */
export async function keepPredictions(run: RunConfig, path: string): Promise<void> {
  const config = configOfKind(run, "table", "this study");
  const { preprocessing, validation, test } = await prepareTable(tableSpecOf(config), { cacheFolder: CACHE });
  const learner = tableLearner(config, preprocessing);
  const engine = threadedEngine({ threads: availableParallelism() });
  try {
    const program = await engine.compile(predictGraph(learner, stateNames.params));
    for (let group = 0; group < config.numGroups; group++) {
      const best = await readBest(directoryStore(runFolder(path).group(group).path));
      if (!best) throw new Error(`group ${group} of ${path} has no best params`);
      await engine.write(weightState(learner.model, best.params));
      for (const [split, rows] of [
        ["validation", validation],
        ["test", test],
      ] as const) {
        const { probs, labels } = await predictAll(program, rows);
        writeFileSync(predictionsFile(path, group, split), bytesOf(probs));
        writeFileSync(predictionsFile(path, "labels", split), bytesOf(labels));
      }
    }
  } finally {
    await engine.close();
  }
}
