/**
 * What codistillation is compared with, on the flights: `npm run study:compared`; `npm run study:compared -- --help`. Two groups, two
 * workers or two students, all with as many steps of as many rows; DiLoCo and local SGD send as many bytes as codistillation. Runs of
 * `study:flights` are used: all runs lie in runs/ beside the report.
 */
import { readFileSync } from "node:fs";
import type { RunResult } from "../src/log/events.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { bytes, duration } from "../src/report/format.js";
import { mean } from "../src/study/statistics.js";
import { type Arm, flightsArms, type Trial } from "./arms.js";
import { type DoneTrial, flightsFigures, SINGLE } from "./flights-figures.js";
import { flightsStudy } from "./flights-study.js";
import { aboutStudy, headOf, mdTable, range, shown, signed, writeBoth } from "./report.js";
import { doneOf, folderOf, runAll, type StudyOptions, say, studyCommand } from "./runner.js";
import { readOutcome } from "./trial.js";

/** Groups that codistil publish a snapshot every 50 steps of the second half of a run: as many as these are exchanges. */
const LOCAL_STEPS = 100;
const STEPS = 3660;

const workers = (algorithm: object) => [
  "numGroups=1",
  "workers=2",
  "globalBatchSize=4096",
  `algorithm=${JSON.stringify({ ...algorithm, localSteps: LOCAL_STEPS })}`,
];

const arms: readonly Arm[] = [
  ...flightsArms.filter(({ name }) => ["single", "twice-the-batch", "codistilled"].includes(name)),
  {
    name: "local-sgd",
    what: "two workers whose params are averaged every 100 steps, each on its part of all data",
    options: workers({ kind: "localSgd" }),
  },
  { name: "diloco", what: "the same by DiLoCo, outer rate 0.7 and momentum 0.9", options: workers({ kind: "diloco" }) },
  {
    name: "mutual",
    what: "two students of one group, on the same batches of all data",
    options: ["numGroups=1", 'algorithm={"kind":"mutual"}'],
  },
  { name: "random", what: "control: two groups, each taught by random weights", options: ["algorithm.control=random"] },
  {
    name: "shuffled",
    what: "control: two groups, taught by shuffled predictions",
    options: ["algorithm.control=shuffled"],
  },
  { name: "own", what: "control: two groups, each taught by its own older copy", options: ["algorithm.control=own"] },
];

await studyCommand(
  "compared",
  {
    what: "Train the flights by everything that codistillation is compared with, one run after another, and report. What is done is never done again; runs of study:flights are used.",
    seeds: [1, 2, 3],
  },
  study,
);

async function study({ seeds, out, reportOnly }: StudyOptions): Promise<void> {
  const trials: Trial[] = seeds.flatMap((seed) => arms.map((arm) => ({ arm, seed, steps: STEPS })));
  if (!reportOnly && !(await runAll(trials, out, flightsStudy))) return;
  const done = doneOf(trials, (trial) => [trial], out, "runs").map((trial) => ({
    trial,
    folder: folderOf(out, trial),
  }));
  const figures = flightsFigures(done);
  const about = aboutStudy("compared");
  const rows = figures.arms.map((one) => [
    one.arm,
    String(one.seeds.length),
    shown(one.loss),
    one.validationLoss ? shown(one.validationLoss) : "",
    ...lastOf(done.filter(({ trial }) => trial.arm.name === one.arm)),
    range(one.lossLess[SINGLE], signed),
    shown(one.auc),
    shown(one.calibrationError),
    sentBy(done.filter(({ trial }) => trial.arm.name === one.arm)),
  ]);
  const lines = [
    "# What codistillation is compared with, on the flights",
    "",
    ...headOf(about),
    "",
    `${STEPS.toLocaleString("en-US")} steps of 2,048 rows, of each group, worker or student (of twice the batch 4,096). Log loss in nats on June 2001, of the params that are best`,
    "on the last week of May, so that of an arm whose teaching does harm they may be those before it began, at step 1,830; the mean and standard deviation are over seeds, a seed's value is the mean of its groups. `sent` is what all groups or workers sent.",
    "",
    ...arms.map(({ name, what }) => `- \`${name}\`: ${what}`),
    "",
    ...mdTable(
      [
        "arm",
        "seeds",
        "log loss",
        "validation",
        "at step",
        "validation at the end",
        `less ${SINGLE}`,
        "AUC",
        "ECE",
        "sent",
      ],
      rows,
    ),
    "",
    `${done.length} runs, ${duration(figures.outcomes.reduce((sum, { seconds }) => sum + seconds, 0))} of training.`,
  ];
  const { outcomes, arms: ofArms } = figures;
  for (const file of writeBoth(out, about, { steps: STEPS, arms: ofArms, outcomes }, lines)) say(`wrote ${file}`);
}

/** On average over seeds and groups, the step of the scored params, and the validation loss of the last step. */
function lastOf(done: readonly DoneTrial[]): string[] {
  if (done.length === 0) return ["", ""];
  const groups = done.flatMap(({ folder }) => readOutcome(folder).groups);
  return [
    Math.round(mean(groups.map(({ step }) => step))).toLocaleString("en-US"),
    mean(groups.map(({ validation }) => validation.at(-1)?.loss ?? Number.NaN)).toFixed(4),
  ];
}

/** The bytes that the groups, or the workers, of a run sent, on average over the seeds. */
function sentBy(done: readonly DoneTrial[]): string {
  if (done.length === 0) return "";
  const sent = done.map(({ folder }) => {
    const { groups } = JSON.parse(readFileSync(runFolder(folder).result, "utf8")) as RunResult;
    return groups.reduce((sum, { bytesPublished }) => sum + bytesPublished, 0);
  });
  return bytes(Math.round(mean(sent)));
}
