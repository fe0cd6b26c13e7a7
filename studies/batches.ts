/** From which batch on codistillation pays for language models of books: `npm run study:batches`; `npm run study:batches -- --help`. */
import { availableParallelism } from "node:os";
import { directoryStore } from "../src/node/directory-store.js";
import { runFolder } from "../src/node/run-folder.js";
import { textKind } from "../src/node/text/text-kind.js";
import { threadedEngine } from "../src/node/threaded-engine.js";
import { isOfText } from "../src/run/schema.js";
import { readBest } from "../src/run/score.js";
import type { Arm, Trial } from "./arms.js";
import { type BookStudy, bookConfig, bookStudy } from "./books.js";
import { type ArmFigures, figuresOf, tableOf } from "./language-figures.js";
import { mdTable } from "./report.js";
import { folderOf, say } from "./runner.js";
import { CACHE } from "./trial.js";

/** Texts of 32 bytes in a batch. */
const BATCHES = [32, 256];

/** What is compared at one batch. */
interface ArmsOfBatch {
  readonly batch: number;
  readonly arms: readonly Arm[];
  /** The names of those that the others are compared with. */
  readonly others: readonly string[];
}

function armsOf(batch: number): ArmsOfBatch {
  const own = `globalBatchSize=${batch}`;
  const [single, twice] = [`single-${batch}`, `twice-the-batch-${batch}`];
  return {
    batch,
    arms: [
      { name: single, what: "two groups alone", options: [own, "codistill.distillWeight=0"] },
      {
        name: twice,
        what: "one group on all data, with twice the batch",
        options: [`globalBatchSize=${2 * batch}`, "numGroups=1"],
      },
      { name: `codistilled-${batch}`, what: "two groups that codistil", options: [own] },
    ],
    others: [single, twice],
  };
}

const batches = BATCHES.map(armsOf);

const study: BookStudy = {
  name: "batches",
  title: "Language models of books by the batch",
  arms: batches.flatMap(({ arms }) => arms),
  seeds: [1, 2],
  steps: [400],
  // Else a text of the batch stays with one piece of a book for hundreds of steps, and the network learns that piece.
  options: ["data.longest=2000"],
  about: [
    "The recipe's books in pieces of 2,000 bytes and its network with 128 hidden units, texts of 32 bytes; nats per byte on the three test books, of the params",
    "that are best on the validation book. The mean and the deviation are over seeds; a seed's value is the mean of its groups.",
    "Differences are paired by seed, with Student's 95 % interval. Seeds redraw params and order, not the halves. `churn` is the",
    "share of places of the test where the models that two seeds ship have different most probable bytes.",
  ],
  async report(done, steps, place) {
    const sections: Section[] = [];
    for (const count of steps)
      for (const at of batches) {
        const trials = done.filter((trial) => trial.steps === count && at.arms.includes(trial.arm));
        sections.push(await sectionOf(trials, at, count, place));
      }
    return { figures: { sections }, lines: sections.flatMap(linesOf) };
  },
};

interface Section {
  readonly steps: number;
  readonly batch: number;
  readonly others: readonly string[];
  readonly figures: readonly ArmFigures[];
  readonly churn: readonly { readonly arm: string; readonly value: number }[];
}

async function sectionOf(
  done: readonly Trial[],
  { batch, arms, others }: ArmsOfBatch,
  steps: number,
  place: string,
): Promise<Section> {
  const churn: { arm: string; value: number }[] = [];
  for (const arm of arms) {
    const trials = done.filter((trial) => trial.arm === arm);
    if (trials.length < 2) continue;
    say(`churn between the seeds of ${arm.name}`);
    churn.push({ arm: arm.name, value: await churnOf(trials, place) });
  }
  return { steps, batch, others, figures: figuresOf(done, arms, others, place), churn };
}

function linesOf({ steps, batch, others, figures, churn }: Section): string[] {
  const rows = churn.map(({ arm, value }) => [arm, value.toFixed(4)]);
  return [
    "",
    `## ${steps} steps of ${batch} texts`,
    "",
    ...tableOf(figures, others),
    "",
    ...mdTable(["arm", "churn between seeds"], rows),
  ];
}

/** How much the models differ that trials of one arm ship, by the share of places, as a mean over pairs. */
async function churnOf(trials: readonly Trial[], place: string): Promise<number> {
  const config = await bookConfig(study, trials[0] as Trial);
  if (!isOfText(config)) throw new Error("the recipe is of text");
  const models = await Promise.all(
    trials.map(async (trial, i) => {
      const best = await readBest(directoryStore(runFolder(folderOf(place, trial)).group(0).path));
      if (!best) throw new Error(`${folderOf(place, trial)} has no model`);
      return { group: i, best, stepsPerSecond: 0, bytesPublished: 0, bytesFetched: 0, ended: "finished" as const };
    }),
  );
  const { signal } = new AbortController();
  const data = await textKind.prepare(config, { cacheFolder: CACHE, onProgress: () => {}, signal });
  const engine = threadedEngine({ threads: availableParallelism() });
  const { churn } = await data.score(engine, models, 0, signal).finally(() => engine.close());
  return churn ?? Number.NaN;
}

await bookStudy(study);
