/** A comparison: every arm is trained with every seed, one run after the other, and what they came to is measured. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { ConfigError } from "../../errors.js";
import { duration } from "../../report/format.js";
import type { Apart, Measured, Outcome, Refined } from "../../study/outcome.js";
import { type Fit, secondsOfAll, seedsWithin, type Timed } from "../../study/schedule.js";
import { commandOf } from "../../study/study.js";
import { makeFolder } from "../files/plain-files.js";
import { type Comparison, measuredOf, seedsOf, trialFolder, writeComparison } from "../runs/comparison.js";
import { lockRun } from "../runs/lock.js";
import { encodeRunFile } from "../runs/run-file.js";
import { runFolder } from "../runs/run-folder.js";
import { resultOfRun } from "../runs/run-result.js";
import { directoryStore } from "../stores/directory-store.js";
import { apartOf } from "./apart.js";
import { hasFinished } from "./finish.js";
import { secondsByLook } from "./first-look.js";
import { machineLine } from "./machine-line.js";
import { ensembleOutcome, outcomeOf } from "./outcome.js";
import { anchorOf, type Trial, timedRun, trainTrial, trialsOf } from "./trials.js";

export interface CompareOptions {
  /** Where prepared data is kept between runs. */
  readonly cacheFolder: string;
  /** Aborted to save and stop. */
  readonly stop: AbortSignal;
  /** The time that runs may take from now on; only seeds that fit into it with all arms are trained. */
  readonly budgetSeconds?: number | undefined;
  /** Called with what fits into the budget before anything but a first measurement is trained. */
  readonly onFit: (fit: Fit) => void;
  /** Called before a run is trained; `secondsLeft` is what it and the later ones will take, by those that are done. */
  readonly onRun: (run: RunAhead) => Promise<void>;
  /** Called when it has ended, well or not. */
  readonly onRunEnd: () => void;
  /** Called with what is done between runs, in a few words. */
  readonly onStage: (stage: string) => void;
}

export interface RunAhead {
  readonly arm: string;
  readonly seed: number;
  readonly folder: string;
  readonly number: number;
  readonly of: number;
  readonly secondsLeft: number | null;
}

/** What became of a comparison. */
export interface Compared {
  readonly measured: Measured;
  /** Runs that are not done, because time was up or groups of them failed. */
  readonly open: readonly string[];
  readonly failed: readonly string[];
}

/**
 * Train what is not done, then measure what is. Null when it was stopped: the run that was being trained is then saved.
 *
 * Throws {@link ConfigError} when another program works in the folder, or not even one seed fits into the budget, and what
 * {@link train} throws.
 */
export async function compare(comparison: Comparison, options: CompareOptions): Promise<Compared | null> {
  makeFolder(comparison.folder);
  const lock = lockRun(comparison.folder);
  try {
    await writeComparison(comparison);
    const trials = trialsOf(comparison);
    const allowed = await trainAll(comparison, trials, options);
    if (allowed === null) return null;
    const measured = await measure(comparison, options);
    if (measured === null) return null;
    const record = { ...measured, made: new Date().toISOString(), machine: machineLine() };
    await directoryStore(comparison.folder).put(basename(measuredOf(comparison)), encodeRunFile(record));
    const nameOf = ({ folder }: Trial) => basename(folder);
    const open = trials.filter(({ folder }) => !hasFinished(folder));
    return { measured, open: open.map(nameOf), failed: open.filter(({ folder }) => hasResult(folder)).map(nameOf) };
  } finally {
    lock.release();
  }
}

const hasResult = (folder: string) => existsSync(runFolder(folder).result);

/** Train the open runs of the seeds that fit; null when that was stopped. */
async function trainAll(
  comparison: Comparison,
  trials: readonly Trial[],
  options: CompareOptions,
): Promise<readonly number[] | null> {
  const { budgetSeconds, stop } = options;
  const began = performance.now();
  const left = () => (budgetSeconds ?? Number.POSITIVE_INFINITY) - (performance.now() - began) / 1000;
  const done: Timed[] = trials.filter(({ folder }) => hasFinished(folder)).map(timedRun);
  const isOpen = ({ folder }: Trial) => !hasFinished(folder);
  let seeds = comparison.seeds;
  if (budgetSeconds !== undefined && trials.some(isOpen)) {
    const known = done.length > 0 ? done : await firstLook(comparison, trials.find(isOpen) as Trial, options);
    if (known === null) return null;
    const fit = seedsWithin(seeds, trials.filter(isOpen), known, left());
    if (fit === null) throw new Error("internal: nothing was timed");
    if (fit.seeds.length === 0) throw tooShort(comparison, trials, known, budgetSeconds);
    options.onFit(fit);
    seeds = fit.seeds;
  }
  const wanted = trials.filter((trial) => seeds.includes(trial.seed) && isOpen(trial));
  for (const [i, trial] of wanted.entries()) {
    if (stop.aborted) return null;
    // A seed that was to fit and no longer does is not begun, but for the first one.
    const isFirstOfSeed = wanted[i - 1]?.seed !== trial.seed;
    const ofSeed = wanted.slice(i).filter(({ seed }) => seed === trial.seed);
    if (i > 0 && isFirstOfSeed && (secondsOfAll(ofSeed, done) ?? 0) > left()) break;
    const number = trials.indexOf(trial) + 1;
    const secondsLeft = secondsOfAll(wanted.slice(i), done);
    const { arm, folder, of } = trial;
    const near = anchorOf(comparison, trial);
    // The model that it was to stay close to failed.
    if (near !== null && !hasFinished(near)) continue;
    await options.onRun({ arm, seed: of.config.seed, folder, number, of: trials.length, secondsLeft });
    const result = await trainTrial(comparison, trial, options, stop).finally(options.onRunEnd);
    if (!result) return null;
    if (hasFinished(folder)) done.push(timedRun(trial));
  }
  return seeds;
}

/** Begin the first run and stop it after some seconds of steps, to know how long it takes. Null when that was stopped by others. */
async function firstLook(comparison: Comparison, trial: Trial, options: CompareOptions): Promise<Timed[] | null> {
  const { arm, passes, folder, of } = trial;
  options.onStage(`${arm}, seed ${trial.seed}, begins, to see how long runs take`);
  const run = { folder, numSteps: of.config.numSteps };
  const seconds = await secondsByLook(run, (stop) => trainTrial(comparison, trial, options, stop), options.stop);
  if (seconds === null) return null;
  return [seconds === "finished" ? timedRun(trial) : { arm, passes, seconds }];
}

function tooShort(
  { folder, seeds, study }: Comparison,
  trials: readonly Trial[],
  known: readonly Timed[],
  budgetSeconds: number,
): ConfigError {
  const time = (seconds: number) => (seconds < 60 ? `${Math.ceil(seconds)} s` : duration(Math.ceil(seconds)));
  const ofSeed = trials.filter(({ seed, folder: own }) => seed === seeds[0] && !hasFinished(own));
  return new ConfigError(
    `--time-budget: a comparison needs every arm with one seed at least, which takes about ${time(secondsOfAll(ofSeed, known) ?? 0)} here, and ${time(budgetSeconds)} are given. ` +
      `Give more, or fewer steps or arms; what has begun goes on by ${commandOf(study)} --resume ${folder}`,
  );
}

/** Read the outcomes of all runs that are done, and measure how far models are apart; null when that was stopped. */
async function measure(comparison: Comparison, options: CompareOptions): Promise<Measured | null> {
  const { arms } = comparison;
  const apart: Apart[] = [];
  const refined: Refined[] = [];
  const outcomes: Outcome[] = [];
  let about: Pick<Measured, "task" | "lossName"> = { task: "binary", lossName: "loss" };
  for (const arm of arms) {
    const source = arm.ensembleOf ?? arm.name;
    const done = seedsOf(comparison, arm)
      .map((seed) => ({ seed, folder: trialFolder(comparison, source, seed) }))
      .filter(({ folder }) => hasFinished(folder));
    const [first] = done;
    if (!first) continue;
    const { task, lossName = about.lossName } = resultOfRun(first.folder);
    about = { task: task ?? "binary", lossName };
    outcomes.push(
      ...done.flatMap(({ seed, folder }) => {
        const outcome = (arm.ensembleOf === undefined ? outcomeOf : ensembleOutcome)(arm.name, seed, folder);
        return outcome ? [outcome] : [];
      }),
    );
    const config = arms.find(({ name }) => name === source)?.config;
    if (!config) throw new Error(`internal: ${source} has no configuration`);
    options.onStage(`measuring ${arm.name}`);
    const own = await apartOf({ comparison, arm, config, done }, options).catch((error: unknown) => {
      if (options.stop.aborted) return null;
      throw error;
    });
    if (own === null) return null;
    apart.push(...own.apart);
    refined.push(...own.refined);
  }
  return { ...about, outcomes, apart, refined };
}
