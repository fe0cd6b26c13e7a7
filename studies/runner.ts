/** Trials one after the other: what is done is never done again, and what is left is foretold. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { messageOf } from "../src/errors.js";
import { stopOnSignals } from "../src/node/launch/exit-codes.js";
import { duration, loss } from "../src/report/format.js";
import type { RunConfig } from "../src/run/schema.js";
import { type Trial, trialName } from "./arms.js";
import { isDone, readOutcome, runTrial } from "./trial.js";

export const say = (text: string) => process.stderr.write(`${text}\n`);

/** Where the run of a trial is kept, under the folder of the reports. */
export function folderOf(out: string, trial: Trial): string {
  return join(out, "runs", trialName(trial));
}

/** How a study trains. */
export interface Study {
  readonly configOf: (trial: Trial) => Promise<RunConfig>;
  /** Keep what a report needs beside the run, once it is trained. */
  readonly keep?: (config: RunConfig, folder: string) => Promise<void>;
  /** Whether all of that is there; of a trained run without it, it is made again from what was trained. True by default. */
  readonly isKept?: (folder: string) => boolean;
}

/** Run what is not done; false when that was stopped. */
export async function runAll(trials: readonly Trial[], out: string, study: Study): Promise<boolean> {
  const { configOf, keep, isKept = () => true } = study;
  const stop = stopOnSignals();
  const remaining = trials.filter((trial) => !isDone(folderOf(out, trial)));
  say(`${trials.length} runs, ${trials.length - remaining.length} of them done`);
  for (const [i, trial] of remaining.entries()) {
    const left = secondsLeft(trials, remaining.slice(i), out);
    say(`[${i + 1}/${remaining.length}${left === null ? "" : `, ${duration(left)} left`}] ${trialName(trial)}`);
    const folder = folderOf(out, trial);
    mkdirSync(folder, { recursive: true });
    const { arm, seed, steps } = trial;
    const about = { arm: arm.name, seed, steps };
    const outcome = await runTrial(await configOf(trial), about, folder, stop.signal, keep);
    if (!outcome) {
      say("stopped; what was trained is saved, and the same command goes on with it");
      return false;
    }
    const losses = (of: "validationLoss" | "testLoss") => outcome.groups.map((group) => loss(group[of])).join(", ");
    say(`    loss ${losses("validationLoss")}, test ${losses("testLoss")} in ${duration(outcome.seconds)}`);
  }
  for (const trial of trials) {
    const folder = folderOf(out, trial);
    if (stop.signal.aborted) return false;
    if (isKept(folder)) continue;
    say(`${trialName(trial)}: keeping what was not kept when it was trained`);
    await keep?.(await configOf(trial), folder);
  }
  stop.free();
  return true;
}

/** By the time for each step of the runs that are done; null before the first. */
function secondsLeft(trials: readonly Trial[], remaining: readonly Trial[], out: string): number | null {
  const done = trials.filter((trial) => isDone(folderOf(out, trial)));
  const total = (list: readonly Trial[]) => list.reduce((sum, { steps }) => sum + steps, 0);
  if (done.length === 0) return null;
  const seconds = done.reduce((sum, trial) => sum + readOutcome(folderOf(out, trial)).seconds, 0);
  return (seconds / total(done)) * total(remaining);
}

/** An option of whole numbers, as in 1,2. */
export function wholeNumbers(text: string): number[] {
  const numbers = text.split(",").map(Number);
  if (!numbers.every((number) => Number.isInteger(number) && number > 0)) {
    throw new InvalidArgumentError(`must be whole numbers above 0, as in 1,2, got ${text}`);
  }
  return numbers;
}

/** What the command of a study of its own runs is given. */
export interface StudyOptions {
  readonly seeds: readonly number[];
  readonly out: string;
  readonly reportOnly?: boolean;
}

/** Run a study by the arguments of the process; its runs lie in a folder of its name, beside the report. */
export async function studyCommand(
  name: string,
  about: { readonly what: string; readonly seeds: readonly number[] },
  study: (options: StudyOptions) => Promise<void>,
): Promise<void> {
  const command = `npm run study:${name} --`;
  await new Command(command)
    .description(about.what)
    .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [...about.seeds])
    .option("--out <folder>", `where the report goes, and the runs in a folder ${name}/`, "bench/results")
    .option("--report-only", "report what there is")
    .showHelpAfterError(`(${command} --help tells more)`)
    .action(study)
    .parseAsync()
    .catch((error: unknown) => {
      say(messageOf(error));
      process.exitCode = 1;
    });
}

/** Those of a study's items whose runs are done, and a note where some are not. Throws where none is. */
export function doneOf<T>(items: readonly T[], runsOf: (item: T) => readonly Trial[], runs: string, noun: string): T[] {
  const done = items.filter((item) => runsOf(item).every((trial) => isDone(folderOf(runs, trial))));
  if (done.length === 0) throw new Error(`no run is done in ${runs}; leave --report-only out to make some`);
  if (done.length < items.length) say(`note: ${items.length - done.length} of ${items.length} ${noun} are not done`);
  return done;
}
