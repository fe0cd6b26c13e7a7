/** What studies of books compare at several batches, and what they report of each. */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { threadedEngine } from "../src/node/ort/threaded-engine.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { directoryStore } from "../src/node/stores/directory-store.js";
import { textReader } from "../src/node/text/text-reader.js";
import { configOfKind } from "../src/run/kinds/kinds.js";
import { readBest } from "../src/run/score.js";
import { mean } from "../src/study/statistics.js";
import type { Arm, Trial } from "./arms.js";
import { type BookStudy, bookConfig } from "./books.js";
import { type ArmFigures, figuresOf, tableOf } from "./language-figures.js";
import { mdTable, validationChart } from "./report.js";
import { folderOf, say } from "./runner.js";
import { stepsToReach } from "./steps-to-reach.js";
import { CACHE, readOutcome } from "./trial.js";

/** What is compared at one batch. */
export interface ArmsOfBatch {
  /** Texts. */
  readonly batch: number;
  readonly arms: readonly Arm[];
  /** The names of those that the others are compared with: first the one that sets the target of the steps. */
  readonly others: readonly [single: string, twice: string];
}

/** Two groups alone, one with twice the batch, two that codistil, and more ways to codistil. */
export function armsOf(batch: number, more: readonly Arm[] = []): ArmsOfBatch {
  const own = `globalBatchSize=${batch}`;
  const [single, twice] = [`single-${batch}`, `twice-the-batch-${batch}`];
  return {
    batch,
    arms: [
      { name: single, what: "two groups alone", options: [own, "algorithm.distillWeight=0"] },
      {
        name: twice,
        what: "one group on all data, with twice the batch",
        options: [`globalBatchSize=${2 * batch}`, "numGroups=1"],
      },
      { name: `codistilled-${batch}`, what: "two groups that codistil", options: [own] },
      ...more.map(({ name, what, options }) => ({ name: `${name}-${batch}`, what, options: [own, ...options] })),
    ],
    others: [single, twice],
  };
}

type Declared = Pick<BookStudy, "name" | "title" | "options">;

/** The `report` of a study of several batches: a section and a chart for each. */
export async function reportByBatch(
  study: Declared,
  batches: readonly ArmsOfBatch[],
  done: readonly Trial[],
  steps: readonly number[],
  out: string,
) {
  const place = join(out, study.name);
  const sections: Section[] = [];
  for (const count of steps) {
    for (const at of batches) {
      const trials = done.filter((trial) => trial.steps === count && at.arms.includes(trial.arm));
      if (trials.length > 0) sections.push(await sectionOf(study, trials, at, count, place));
    }
  }
  for (const { chart, svg } of sections) writeFileSync(join(out, chart), svg);
  return { figures: { sections: sections.map(({ svg: _, ...section }) => section) }, lines: sections.flatMap(linesOf) };
}

interface Section {
  readonly steps: number;
  readonly batch: number;
  readonly others: readonly string[];
  readonly figures: readonly ArmFigures[];
  readonly churn: readonly { readonly arm: string; readonly value: number }[];
  /** By seed, the first step as good on validation as the first of `others` ever is; null where there is none. */
  readonly reached: readonly { readonly arm: string; readonly steps: readonly (number | null)[] }[];
  /** The name of its file. */
  readonly chart: string;
  readonly svg: string;
}

async function sectionOf(
  study: Declared,
  done: readonly Trial[],
  { batch, arms, others }: ArmsOfBatch,
  steps: number,
  place: string,
): Promise<Section> {
  const of = (arm: Arm) => done.filter((trial) => trial.arm === arm);
  const outcomes = new Map(done.map((trial) => [trial, readOutcome(folderOf(place, trial))]));
  const outcomesOf = (trials: readonly Trial[]) => trials.flatMap((trial) => outcomes.get(trial) ?? []);
  const targets = outcomesOf(done.filter((trial) => trial.arm.name === others[0]));
  const churn: { arm: string; value: number }[] = [];
  for (const arm of arms) {
    if (of(arm).length < 2) continue;
    say(`churn between the seeds of ${arm.name}`);
    churn.push({ arm: arm.name, value: await churnOf(study, of(arm), place) });
  }
  return {
    ...{ steps, batch, others, churn },
    figures: figuresOf(done, arms, others, place),
    reached: arms.map((arm) => ({ arm: arm.name, steps: stepsToReach(outcomesOf(of(arm)), targets) })),
    chart: `${study.name}-${batch}-${steps}.svg`,
    svg: await validationChart({
      title: `${study.title}: ${steps} steps of ${batch} texts`,
      loss: "validation loss (nats per byte)",
      outcomes: outcomesOf(done),
      arms: arms.map(({ name }) => name),
    }),
  };
}

function linesOf({ steps, batch, others, figures, churn, reached, chart }: Section): string[] {
  const rows = reached.map((one) => [
    one.arm,
    stepsShown(one.steps),
    churn.find(({ arm }) => arm === one.arm)?.value.toFixed(4) ?? "",
  ]);
  return [
    "",
    `## ${steps} steps of ${batch} texts`,
    "",
    ...tableOf(figures, others),
    "",
    ...mdTable(["arm", `steps to the best validation loss of ${others[0]}`, "churn between seeds"], rows),
    "",
    `![validation loss](${chart})`,
  ];
}

function stepsShown(steps: readonly (number | null)[]): string {
  const those = steps.filter((step) => step !== null);
  if (those.length < steps.length) return `${those.length} of ${steps.length} reach it`;
  return those.length === 0 ? "" : `${Math.round(mean(those))} (${those.join(", ")})`;
}

/** How much the models differ that trials of one arm ship, by the share of places, as a mean over pairs. */
async function churnOf(study: Pick<BookStudy, "options">, trials: readonly Trial[], place: string): Promise<number> {
  const config = configOfKind(await bookConfig(study, trials[0] as Trial), "text", "this study", "the recipe");
  const models = await Promise.all(
    trials.map(async (trial, i) => {
      const best = await readBest(directoryStore(runFolder(folderOf(place, trial)).group(0).path));
      if (!best) throw new Error(`${folderOf(place, trial)} has no model`);
      return { group: i, best, stepsPerSecond: 0, bytesPublished: 0, bytesFetched: 0, ended: "finished" as const };
    }),
  );
  const { signal } = new AbortController();
  const data = await textReader.prepare(config, { cacheFolder: CACHE, onProgress: () => {}, signal });
  const engine = threadedEngine({ threads: availableParallelism() });
  const { churn } = await data.score(engine, models, 0, signal).finally(() => engine.close());
  return churn ?? Number.NaN;
}
