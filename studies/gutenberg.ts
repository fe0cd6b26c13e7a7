/** Codistillation of language models of books: `npm run study:gutenberg`; `npm run study:gutenberg -- --help`. */
import { Command } from "commander";
import { messageOf } from "../src/errors.js";
import { loadConfig } from "../src/node/load-config.js";
import { duration } from "../src/report/format.js";
import { type Arm, trialsOf } from "./arms.js";
import { figuresOf, tableOf } from "./language-figures.js";
import { aboutStudy, headOf, writeBoth } from "./report.js";
import { folderOf, runAll, type Study, say, wholeNumbers } from "./runner.js";
import { isDone, readOutcome } from "./trial.js";

const BATCH = 32;
const SINGLE = "single";
const TWICE = "twice-the-batch";
const OTHERS = [SINGLE, TWICE];

const arms: readonly Arm[] = [
  { name: SINGLE, what: "two groups that train alone, each on its half", options: ["codistill.distillWeight=0"] },
  {
    name: TWICE,
    what: "one group on all data, with twice the batch",
    options: ["numGroups=1", `globalBatchSize=${2 * BATCH}`],
  },
  { name: "codistilled", what: "two groups that codistil, each on its half, after a burn-in of 50 %", options: [] },
  { name: "codistilled-early", what: "the same after a burn-in of 10 %", options: ["codistill.burnInSteps=10%"] },
  {
    name: "codistilled-ramp",
    what: "the same after a burn-in of 10 %, the weight rising to 1 over the next 40 %",
    options: ["codistill.burnInSteps=10%", 'codistill.distillWeight={"from":0,"to":1,"steps":"40%"}'],
  },
  { name: "codistilled-same", what: "as codistilled, both on the same half", options: ["data.regime=same"] },
];

/** The recipe with a smaller network, so that every arm can have several seeds. The halves are the same for all seeds. */
const study: Study = {
  configOf: ({ arm, seed, steps }) =>
    loadConfig("recipes/gutenberg.config.ts", [
      "model.hidden=128",
      "data.sequenceLength=32",
      `globalBatchSize=${BATCH}`,
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

new Command("npm run study:gutenberg --")
  .description("Train every arm with every seed, one run after another, and report. What is done is never done again.")
  .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2, 3])
  .option("--steps <list>", "numbers of steps", wholeNumbers, [1500])
  .option("--out <folder>", "where the report goes, and the runs, in gutenberg-runs", "bench/results")
  .option("--report-only", "report what there is")
  .showHelpAfterError("(npm run study:gutenberg -- --help tells more)")
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function main({ seeds, steps, out, reportOnly }: Options): Promise<void> {
  const trials = trialsOf(arms, seeds, steps);
  const place = `${out}/gutenberg`;
  if (!reportOnly && !(await runAll(trials, place, study))) return;
  const done = trials.filter((trial) => isDone(folderOf(place, trial)));
  if (done.length === 0) throw new Error(`no run is done in ${place}/runs; leave --report-only out to make some`);
  if (done.length < trials.length) say(`note: ${trials.length - done.length} of ${trials.length} runs are not done`);
  const figures = steps.flatMap((count) =>
    figuresOf(
      done.filter((trial) => trial.steps === count),
      arms,
      OTHERS,
      place,
    ),
  );
  const seconds = done.reduce((sum, trial) => sum + readOutcome(folderOf(place, trial)).seconds, 0);
  const about = aboutStudy("gutenberg");
  for (const file of writeBoth(out, about, { arms: figures }, [
    "# Codistillation of language models of books",
    "",
    ...headOf(about),
    "",
    "The recipe's books and network with 128 hidden units, batches of 32 texts of 32 bytes; nats per byte on the three test books, of",
    "the params that are best on the validation book. The mean and the deviation are over seeds; a seed's value is the mean of",
    "its groups. Differences are paired by seed, with Student's 95 % interval. Seeds redraw params and order, not the halves.",
    "",
    ...arms.map(({ name, what }) => `- \`${name}\`: ${what}`),
    ...steps.flatMap((count) => [
      "",
      `## ${count} steps`,
      "",
      ...tableOf(
        figures.filter((one) => one.steps === count),
        OTHERS,
      ),
    ]),
    "",
    `${done.length} runs, ${duration(seconds)} of training and scoring.`,
  ])) {
    say(`wrote ${file}`);
  }
}
