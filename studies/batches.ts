/** From which batch on codistillation pays for language models of books: `npm run study:batches`; `npm run study:batches -- --help`. */
import { availableParallelism } from "node:os";
import { Command } from "commander";
import { messageOf } from "../src/errors.js";
import { directoryStore } from "../src/node/directory-store.js";
import { loadConfig } from "../src/node/load-config.js";
import { runFolder } from "../src/node/run-folder.js";
import { textKind } from "../src/node/text/text-kind.js";
import { threadedEngine } from "../src/node/threaded-engine.js";
import { duration } from "../src/report/format.js";
import { isOfText } from "../src/run/schema.js";
import { readBest } from "../src/run/score.js";
import { type Arm, type Trial, trialsOf } from "./arms.js";
import { type ArmFigures, figuresOf, tableOf } from "./language-figures.js";
import { aboutStudy, headOf, mdTable, writeBoth } from "./report.js";
import { folderOf, runAll, type Study, say, wholeNumbers } from "./runner.js";
import { CACHE, isDone, readOutcome } from "./trial.js";

/** Texts of 32 bytes in a batch. */
const BATCHES = [32, 256];

/** What is compared at one batch. */
interface ArmsOfBatch {
  readonly batch: number;
  readonly single: Arm;
  readonly twice: Arm;
  readonly codistilled: Arm;
}

function armsOf(batch: number): ArmsOfBatch {
  const own = `globalBatchSize=${batch}`;
  return {
    batch,
    single: { name: `single-${batch}`, what: "two groups alone", options: [own, "codistill.distillWeight=0"] },
    twice: {
      name: `twice-the-batch-${batch}`,
      what: "one group on all data, with twice the batch",
      options: [`globalBatchSize=${2 * batch}`, "numGroups=1"],
    },
    codistilled: { name: `codistilled-${batch}`, what: "two groups that codistil", options: [own] },
  };
}

const batches = BATCHES.map(armsOf);
const armsAt = ({ single, twice, codistilled }: ArmsOfBatch) => [single, twice, codistilled];

const study: Study = {
  configOf: ({ arm, seed, steps }) =>
    loadConfig("recipes/gutenberg.config.ts", [
      "model.hidden=128",
      // Else a text of the batch stays with one piece of a book for hundreds of steps, and the network learns that piece.
      "data.longest=2000",
      "data.sequenceLength=32",
      `seed=${seed}`,
      `numSteps=${steps}`,
      `validationInterval=${Math.round(steps / 5)}`,
      `checkpointInterval=${Math.round(steps / 5)}`,
      ...arm.options,
    ]),
};

interface Options {
  readonly seeds: readonly number[];
  readonly steps: readonly number[];
  readonly out: string;
  readonly reportOnly?: boolean;
}

new Command("npm run study:batches --")
  .description(
    "Train every arm at every batch with every seed, one run after another, and report. What is done is never done again.",
  )
  .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2])
  .option("--steps <list>", "numbers of steps", wholeNumbers, [400])
  .option("--out <folder>", "where the report goes, and the runs, in batches-runs", "bench/results")
  .option("--report-only", "report what there is")
  .showHelpAfterError("(npm run study:batches -- --help tells more)")
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function main({ seeds, steps, out, reportOnly }: Options): Promise<void> {
  const arms = batches.flatMap(armsAt);
  const trials = trialsOf(arms, seeds, steps);
  const place = `${out}/batches`;
  if (!reportOnly && !(await runAll(trials, place, study))) return;
  const done = trials.filter((trial) => isDone(folderOf(place, trial)));
  if (done.length === 0) throw new Error(`no run is done in ${place}/runs; leave --report-only out to make some`);
  if (done.length < trials.length) say(`note: ${trials.length - done.length} of ${trials.length} runs are not done`);
  const sections: Section[] = [];
  for (const count of steps)
    for (const at of batches) {
      const trialsAt = done.filter((trial) => trial.steps === count && armsAt(at).includes(trial.arm));
      sections.push(await sectionOf(trialsAt, at, count, place));
    }
  const seconds = done.reduce((sum, trial) => sum + readOutcome(folderOf(place, trial)).seconds, 0);
  const about = aboutStudy("batches");
  for (const file of writeBoth(out, about, { sections }, [
    "# Language models of books by the batch",
    "",
    ...headOf(about),
    "",
    "The recipe's books in pieces of 2,000 bytes and its network with 128 hidden units, texts of 32 bytes; nats per byte on the three test books, of the params",
    "that are best on the validation book. The mean and the deviation are over seeds; a seed's value is the mean of its groups.",
    "Differences are paired by seed, with Student's 95 % interval. Seeds redraw params and order, not the halves. `churn` is the",
    "share of places of the test where the models that two seeds ship have different most probable bytes.",
    ...sections.flatMap(({ steps: count, batch, others, figures, churn }) => [
      "",
      `## ${count} steps of ${batch} texts`,
      "",
      ...tableOf(figures, others),
      "",
      ...mdTable(
        ["arm", "churn between seeds"],
        churn.map(({ arm, value }) => [arm, value.toFixed(4)]),
      ),
    ]),
    "",
    `${done.length} runs, ${duration(seconds)} of training and scoring.`,
  ])) {
    say(`wrote ${file}`);
  }
}

interface Section {
  readonly steps: number;
  readonly batch: number;
  readonly others: readonly string[];
  readonly figures: readonly ArmFigures[];
  readonly churn: readonly { readonly arm: string; readonly value: number }[];
}

async function sectionOf(done: readonly Trial[], at: ArmsOfBatch, steps: number, place: string): Promise<Section> {
  const others = [at.single.name, at.twice.name];
  const churn: { arm: string; value: number }[] = [];
  for (const arm of armsAt(at)) {
    const trials = done.filter((trial) => trial.arm === arm);
    if (trials.length > 1) churn.push({ arm: arm.name, value: await churnOf(trials, place) });
  }
  return { steps, batch: at.batch, others, figures: figuresOf(done, armsAt(at), others, place), churn };
}

/** How much the models differ that trials of one arm ship, by the share of places, as a mean over pairs. */
async function churnOf(trials: readonly Trial[], place: string): Promise<number> {
  const config = await study.configOf(trials[0] as Trial);
  if (!isOfText(config)) throw new Error("the recipe is of text");
  const models = await Promise.all(
    trials.map(async (trial, i) => {
      const best = await readBest(directoryStore(runFolder(folderOf(place, trial)).group(0).path));
      if (!best) throw new Error(`${folderOf(place, trial)} has no model`);
      return { group: i, best, stepsPerSecond: 0, bytesPublished: 0, bytesFetched: 0, ended: "finished" as const };
    }),
  );
  const { signal } = new AbortController();
  const data = await textKind.prepare(config, { cacheFolder: CACHE, onProgress: say, signal });
  const engine = threadedEngine({ threads: availableParallelism() });
  const { churn } = await data.score(engine, models, 0, signal).finally(() => engine.close());
  return churn ?? Number.NaN;
}
