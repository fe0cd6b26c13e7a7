/** Asynchronous against synchronous SGD: `npm run study:async`; `npm run study:async -- --help`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { renderChart } from "../scripts/charts/render.js";
import { messageOf } from "../src/errors.js";
import { duration, percent } from "../src/report/format.js";
import { type Trial, trialName } from "./arms.js";
import { type AsyncArm, type AsyncTask, asyncArms, asyncConfig, asyncTasks } from "./async-arms.js";
import {
  type AsyncFigures,
  type AsyncRun,
  asyncFigures,
  lossCurves,
  readAsyncRun,
  stalenessCurves,
} from "./async-figures.js";
import { aboutStudy, fixed, headOf, mdTable, writeBoth } from "./report.js";
import { folderOf, runAll, say, wholeNumbers } from "./runner.js";
import { isDone, readOutcome } from "./trial.js";

interface Options {
  readonly seeds: readonly number[];
  readonly batches: readonly number[];
  readonly out: string;
  readonly reportOnly?: boolean;
}

new Command("npm run study:async --")
  .description(
    "Train the flights and the books by 1, 2 and 4 workers, one run after another, and report. What is done is never done again.",
  )
  .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2])
  .option(
    "--batches <list>",
    "batches that each run reads, of the flights and of the books",
    wholeNumbers,
    asyncTasks.map(({ batches }) => batches),
  )
  .option("--out <folder>", "where the report goes, and the runs, in async/<data>/runs", "bench/results")
  .option("--report-only", "report what there is")
  .showHelpAfterError("(npm run study:async -- --help tells more)")
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

type AsyncTrial = Trial & { readonly arm: AsyncArm };

async function study({ seeds, batches, out, reportOnly }: Options): Promise<void> {
  const sections: Section[] = [];
  for (const [i, task] of asyncTasks.entries()) {
    const place = join(out, "async", task.name);
    const steps = batches[i] ?? task.batches;
    const trials: AsyncTrial[] = seeds.flatMap((seed) => asyncArms.map((arm) => ({ arm, seed, steps })));
    say(task.title);
    const configOf = (trial: Trial) =>
      asyncConfig(task, trials.find((one) => trialName(one) === trialName(trial)) as AsyncTrial);
    if (!reportOnly && !(await runAll(trials, place, { configOf }))) return;
    const done = trials.filter((trial) => isDone(folderOf(place, trial)));
    if (done.length < trials.length) say(`note: ${trials.length - done.length} of ${trials.length} runs are not done`);
    if (done.length > 0) sections.push(await sectionOf(task, done, place, out));
  }
  if (sections.length === 0) throw new Error(`no run is done in ${out}/async; leave --report-only out to make some`);
  const about = aboutStudy("async");
  const seconds = sections.reduce((sum, section) => sum + section.seconds, 0);
  const lines = [
    "# Asynchronous against synchronous SGD",
    "",
    ...headOf(about),
    "",
    "One group on all data. Every run reads as many batches: one worker and asynchronous workers take a step a batch, n synchronous workers a step",
    "of n batches, with a learning rate that is the square root of n times as high. The workers of a run divide the cores among them. Losses are on the",
    "validation split, means over seeds. Times are those of training alone: from the first step on, without validations.",
    "`computing` is the share of the time of a worker by asynchronous SGD that it computes gradients; it waits for params, and while the group validates.",
    "",
    ...asyncArms.map(({ name, what }) => `- \`${name}\`: ${what}`),
    ...sections.flatMap(linesOf),
    "",
    `${sections.reduce((sum, { runs }) => sum + runs.length, 0)} runs, ${duration(seconds)} of training and scoring.`,
  ];
  const figures = { sections: sections.map(({ task: { name, batch }, ...rest }) => ({ task: name, batch, ...rest })) };
  for (const file of writeBoth(out, about, figures, lines)) say(`wrote ${file}`);
}

interface Section {
  readonly task: AsyncTask;
  readonly batches: number;
  readonly seconds: number;
  readonly figures: readonly AsyncFigures[];
  readonly runs: readonly AsyncRun[];
  readonly charts: readonly string[];
}

async function sectionOf(task: AsyncTask, done: readonly AsyncTrial[], place: string, out: string): Promise<Section> {
  const runs = done.map((trial) => readAsyncRun(folderOf(place, trial), trial.arm.name, trial.seed));
  const arms = asyncArms.filter(({ name }) => runs.some(({ arm }) => arm === name));
  const curves = [
    { what: "steps", x: "optimizer step", y: task.loss, series: lossCurves(arms, runs, "step") },
    { what: "time", x: "training time (s)", y: task.loss, series: lossCurves(arms, runs, "seconds") },
    { what: "staleness", x: "staleness (updates)", y: "share of gradients", series: stalenessCurves(arms, runs) },
  ];
  const charts: string[] = [];
  for (const { what, x, y, series } of curves) {
    if (series.length === 0) continue;
    const file = `async-${task.name}-${what}.svg`;
    const panels = [{ title: "", subtitle: "mean over seeds", series }];
    const title =
      what === "staleness" ? `${task.title}: how late gradients are` : `${task.title}: loss against ${what}`;
    writeFileSync(join(out, file), await renderChart({ title, x: { title: x }, y: { title: y }, panels }));
    charts.push(file);
  }
  const seconds = done.reduce((sum, trial) => sum + readOutcome(folderOf(place, trial)).seconds, 0);
  return {
    task,
    batches: done[0]?.steps ?? 0,
    seconds,
    figures: arms.map((arm) => asyncFigures(arm, runs)),
    runs,
    charts,
  };
}

function linesOf({ task, batches, figures, charts }: Section): string[] {
  const head = [
    "arm",
    "seeds",
    "loss at the end",
    "lowest loss",
    "batches/s",
    "mean staleness",
    "largest",
    "computing",
  ];
  const rows = figures.map((one) => [
    one.arm,
    String(one.seeds.length),
    fixed(one.finalLoss),
    fixed(one.bestLoss),
    one.batchesPerSecond.toFixed(1),
    one.meanStaleness?.toFixed(2) ?? "",
    one.maxStaleness?.toString() ?? "",
    one.computing === null ? "" : percent(one.computing),
  ]);
  return [
    "",
    `## ${task.title}: ${batches.toLocaleString("en-US")} batches of ${task.batch}`,
    "",
    ...mdTable(head, rows),
    "",
    ...charts.flatMap((chart) => [`![${chart}](${chart})`, ""]),
  ].slice(0, -1);
}
