/** The claims of codistillation on the flights: `npm run study:flights`; `npm run study:flights -- --help`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { messageOf } from "../src/errors.js";
import { duration, loss } from "../src/report/format.js";
import { type Arm, configOf, flightsArms, type Trial, trialName, trialsOf } from "./arms.js";
import { writeReport } from "./report.js";
import { isDone, readOutcome, runTrial } from "./trial.js";

const RECIPE = "recipes/flights.config.ts";

interface Options {
  readonly seeds: readonly number[];
  readonly steps: readonly number[];
  readonly arms: readonly Arm[];
  readonly out: string;
  readonly reportOnly?: boolean;
}

const say = (text: string) => process.stderr.write(`${text}\n`);

new Command("npm run study:flights --")
  .description("Train every arm with every seed, one run after another, and report. What is done is never done again.")
  .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2, 3, 4, 5, 6, 7, 8])
  .option("--steps <list>", "numbers of steps", wholeNumbers, [3660, 610])
  .option(
    "--arms <list>",
    `which of ${flightsArms.map(({ name }) => name).join(", ")}; all by default`,
    armList,
    flightsArms,
  )
  .option("--out <folder>", "where the report and the runs go", "bench/results")
  .option("--report-only", "report what there is")
  .showHelpAfterError("(npm run study:flights -- --help tells more)")
  .addHelpText(
    "after",
    "\nExamples:\n  npm run study:flights -- --seeds 1,2 --steps 610\n  npm run study:flights -- --report-only",
  )
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function study({ seeds, steps, arms, out, reportOnly }: Options): Promise<void> {
  const trials = trialsOf(arms, seeds, steps);
  const folderOf = (trial: Trial) => join(out, "runs", trialName(trial));
  if (!reportOnly && !(await runAll(trials, folderOf))) return;
  const done = trials.filter((trial) => isDone(folderOf(trial)));
  if (done.length === 0) throw new Error(`no run is done in ${out}/runs; leave --report-only out to make some`);
  if (done.length < trials.length) say(`note: ${trials.length - done.length} of ${trials.length} runs are not done`);
  for (const file of await writeReport(
    done.map((trial) => ({ trial, folder: folderOf(trial) })),
    arms,
    out,
  ))
    say(`wrote ${file}`);
}

/** Run what is not done; false when that was stopped. */
async function runAll(trials: readonly Trial[], folderOf: (trial: Trial) => string): Promise<boolean> {
  const stop = stopOnSignals();
  const todo = trials.filter((trial) => !isDone(folderOf(trial)));
  say(`${trials.length} runs, ${trials.length - todo.length} of them done`);
  for (const [i, trial] of todo.entries()) {
    const left = secondsLeft(trials, todo.slice(i), folderOf);
    say(`[${i + 1}/${todo.length}${left === null ? "" : `, ${duration(left)} left`}] ${trialName(trial)}`);
    const folder = folderOf(trial);
    mkdirSync(folder, { recursive: true });
    const { arm, seed, steps } = trial;
    const outcome = await runTrial(await configOf(RECIPE, trial), { arm: arm.name, seed, steps }, folder, stop);
    if (!outcome) {
      say("stopped; what was trained is saved, and the same command goes on with it");
      return false;
    }
    say(
      `    test log loss ${outcome.groups.map(({ testLoss }) => loss(testLoss)).join(", ")} in ${duration(outcome.seconds)}`,
    );
  }
  return true;
}

/** By the time for each step of the runs that are done; null before the first. */
function secondsLeft(
  trials: readonly Trial[],
  todo: readonly Trial[],
  folderOf: (trial: Trial) => string,
): number | null {
  const done = trials.filter((trial) => isDone(folderOf(trial)));
  const total = (list: readonly Trial[]) => list.reduce((sum, { steps }) => sum + steps, 0);
  if (done.length === 0) return null;
  const seconds = done.reduce((sum, trial) => sum + readOutcome(folderOf(trial)).seconds, 0);
  return (seconds / total(done)) * total(todo);
}

/** The first Ctrl-C saves and stops, the second one leaves at once. */
function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      process.exitCode = signal === "SIGINT" ? 130 : 143;
      if (stop.signal.aborted) process.exit();
      stop.abort();
    });
  }
  return stop.signal;
}

function wholeNumbers(text: string): number[] {
  const numbers = text.split(",").map(Number);
  if (!numbers.every((number) => Number.isInteger(number) && number > 0)) {
    throw new InvalidArgumentError(`must be whole numbers above 0, as in 1,2, got ${text}`);
  }
  return numbers;
}

function armList(text: string): readonly Arm[] {
  return text.split(",").map((name) => {
    const arm = flightsArms.find((one) => one.name === name);
    if (arm) return arm;
    throw new InvalidArgumentError(`must be of ${flightsArms.map((one) => one.name).join(", ")}, got ${name}`);
  });
}
