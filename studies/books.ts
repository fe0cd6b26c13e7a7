/** What the studies of language models of books have in common: a small network, runs that are never done twice, a report. */
import { Command } from "commander";
import { messageOf } from "../src/errors.js";
import { loadConfig } from "../src/node/runs/load-config.js";
import { duration } from "../src/report/format.js";
import type { RunConfig } from "../src/run/schema.js";
import { type Arm, type Trial, trialsOf } from "./arms.js";
import { aboutStudy, headOf, writeBoth } from "./report.js";
import { folderOf, runAll, say, wholeNumbers } from "./runner.js";
import { isDone, readOutcome } from "./trial.js";

export interface BookStudy {
  /** As in `npm run study:<name>`. */
  readonly name: string;
  readonly title: string;
  readonly arms: readonly Arm[];
  /** By default. */
  readonly seeds: readonly number[];
  readonly steps: readonly number[];
  /** Of all arms, beside the small network. */
  readonly options: readonly string[];
  /** Options of a trial that depend on more than its arm, as on the runs of others under a folder; none by default. */
  optionsOf?(trial: Trial, place: string): readonly string[];
  /** What was trained, and how to read the tables. */
  readonly about: readonly string[];
  /** Figures and tables of the runs that are done, by numbers of steps, under the folder of the reports. */
  report(
    done: readonly Trial[],
    steps: readonly number[],
    out: string,
  ): Promise<{ readonly figures: object; readonly lines: readonly string[] }>;
}

/** More ways to codistil than after a burn-in of 50 %. */
export const moreWays: readonly Arm[] = [
  { name: "codistilled-early", what: "the same after a burn-in of 10 %", options: ["algorithm.burnInSteps=10%"] },
  {
    name: "codistilled-ramp",
    what: "the same after a burn-in of 10 %, the weight rising to 1 over the next 40 %",
    options: ["algorithm.burnInSteps=10%", 'algorithm.distillWeight={"from":0,"to":1,"steps":"40%"}'],
  },
  { name: "codistilled-same", what: "as codistilled, both on the same half", options: ["data.regime=same"] },
];

interface Options {
  readonly seeds: readonly number[];
  readonly steps: readonly number[];
  readonly out: string;
  readonly reportOnly?: boolean;
}

/** The recipe with a smaller network, so that every arm can have several seeds. The halves are the same for all seeds. */
export function bookConfig({ options }: Pick<BookStudy, "options">, { arm, seed, steps }: Trial): Promise<RunConfig> {
  const interval = Math.round(steps / 5);
  return loadConfig("recipes/gutenberg.config.ts", [
    "model.hidden=128",
    "data.sequenceLength=32",
    `seed=${seed}`,
    `numSteps=${steps}`,
    `validationInterval=${interval}`,
    `checkpointInterval=${interval}`,
    ...options,
    ...arm.options,
  ]);
}

/** Read the command line, train what is not done, and write the report. */
export async function bookStudy(study: BookStudy): Promise<void> {
  const { name } = study;
  await new Command(`npm run study:${name} --`)
    .description(
      "Train every arm with every seed, one run after another, and report. What is done is never done again.",
    )
    .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [...study.seeds])
    .option("--steps <list>", "numbers of steps", wholeNumbers, [...study.steps])
    .option("--out <folder>", `where the report goes, and the runs, in ${name}/runs`, "bench/results")
    .option("--report-only", "report what there is")
    .showHelpAfterError(`(npm run study:${name} -- --help tells more)`)
    .action((options: Options) => trainAndReport(study, options))
    .parseAsync()
    .catch((error: unknown) => {
      say(messageOf(error));
      process.exitCode = 1;
    });
}

async function trainAndReport(study: BookStudy, { seeds, steps, out, reportOnly }: Options): Promise<void> {
  const trials = trialsOf(study.arms, seeds, steps);
  const place = `${out}/${study.name}`;
  const configOf = (trial: Trial) => {
    const options = [...study.options, ...(study.optionsOf?.(trial, place) ?? [])];
    return bookConfig({ options }, trial);
  };
  if (!reportOnly && !(await runAll(trials, place, { configOf }))) return;
  const done = trials.filter((trial) => isDone(folderOf(place, trial)));
  if (done.length === 0) throw new Error(`no run is done in ${place}/runs; leave --report-only out to make some`);
  if (done.length < trials.length) say(`note: ${trials.length - done.length} of ${trials.length} runs are not done`);
  const { figures, lines } = await study.report(done, steps, out);
  const seconds = done.reduce((sum, trial) => sum + readOutcome(folderOf(place, trial)).seconds, 0);
  const about = aboutStudy(study.name);
  for (const file of writeBoth(out, about, figures, [
    `# ${study.title}`,
    "",
    ...headOf(about),
    "",
    ...study.about,
    ...lines,
    "",
    `${done.length} runs, ${duration(seconds)} of training and scoring.`,
  ])) {
    say(`wrote ${file}`);
  }
}
