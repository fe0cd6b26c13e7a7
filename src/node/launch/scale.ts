/** A search for the limit of a group: one run after the other as each calls for the next, and a comparison at the limit. */
import { ConfigError, TrainingError } from "../../errors.js";
import { duration } from "../../report/format.js";
import { kindOf } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import { armConfig } from "../../study/scale/configs.js";
import { nextArm, type PlannedArm } from "../../study/scale/plan.js";
import { type ScaleOutcome, type ScaleQuestion, targetOf } from "../../study/scale/question.js";
import { makeFolder } from "../files/plain-files.js";
import { loadConfig } from "../runs/load-config.js";
import { lockRun } from "../runs/lock.js";
import { isRun, runFolder } from "../runs/run-folder.js";
import {
  armFolder,
  readScaleMeasured,
  type ScaleMeasured,
  type ScaleSearch,
  writeScale,
  writeScaleMeasured,
} from "../runs/scale.js";
import { secondsByLook } from "./first-look.js";
import { machineLine } from "./machine-line.js";
import { secondsOfRun } from "./outcome.js";
import { hasTrained, scaleOutcome, sizesIn } from "./scale-outcome.js";
import { train } from "./train.js";

export interface ScaleOptions {
  /** Where prepared data is kept between runs. */
  readonly cacheFolder: string;
  /** Aborted to save and stop. */
  readonly stop: AbortSignal;
  /** The seconds that are left of a budget of time; without end where there is none. */
  readonly secondsLeft: () => number;
  /** Called with what the budget is expected to suffice for, before anything but a first look is trained. */
  readonly onForecast: (forecast: Forecast) => void;
  /** Called before a run is trained, with what it takes at most, where that is known. */
  readonly onRun: (run: ScaleRun) => Promise<void>;
  /** Called when it has ended, well or not, with what it came to, if it did. */
  readonly onRunEnd: (outcome: ScaleOutcome | null, question: ScaleQuestion) => void;
  /** Called with what is done between runs, in a few words. */
  readonly onStage: (stage: string) => void;
}

/** What a budget is expected to suffice for. */
export interface Forecast {
  readonly firstSeconds: number;
  /** Of each further number of workers, up to the limit: beyond it steps fall no more, and each takes twice as long. */
  readonly eachSeconds: number;
  readonly numWorkers: number;
}

export interface ScaleRun extends PlannedArm {
  readonly folder: string;
  readonly rate: number;
  readonly number: number;
  readonly secondsAtMost: number | null;
}

/** Runs for each number of workers with the first seed, on average: two learning rates, and half of a third one. */
const RATES = 2.5;

/** Work in the folder of a search, alone. Throws {@link ConfigError} when another program works in it, and what `work` throws. */
export async function underLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  makeFolder(folder);
  const lock = lockRun(folder);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** What became of the search. */
export interface Searched {
  readonly measured: ScaleMeasured;
  readonly question: ScaleQuestion;
  /** Whether time was up before the limit was found. */
  readonly isCut: boolean;
}

/**
 * Train run after run until the limit is found, all numbers of workers are tried, or time is up. What each came to is written down when
 * it ends, so that a search goes on where it stopped, and no run is trained twice. Null when it was stopped: the run that was being
 * trained is then saved.
 *
 * Throws {@link ConfigError} where not even the first run fits into the budget, and where that run does not set a target; and what
 * {@link train} throws but for runs whose numbers stop being finite.
 */
export async function searchLimit(search: ScaleSearch, options: ScaleOptions): Promise<Searched | null> {
  await writeScale(search);
  let measured: ScaleMeasured = readScaleMeasured(search) ?? {
    ...{ made: new Date().toISOString(), machine: machineLine(), sizes: null, comparedAt: null },
    ...{ target: search.question.target, numParams: null, outcomes: [] },
  };
  for (let isFirst = true; ; isFirst = false) {
    const question = questionNow(search, measured);
    const arm = nextArm(question, measured.outcomes);
    if (arm === null) return { measured, question, isCut: false };
    if (options.stop.aborted) return null;
    if (isFirst && Number.isFinite(options.secondsLeft())) {
      const isWithin = await forecast(search, question, arm, measured, options);
      if (isWithin === null) return null;
    }
    const secondsAtMost = mostSeconds(arm, measured.outcomes);
    if (measured.outcomes.length > 0 && (secondsAtMost ?? 0) > options.secondsLeft())
      return { measured, question, isCut: true };
    const trained = await trainArm({ search, question, arm, secondsAtMost, measured }, options);
    if (trained === null) return null;
    measured = trained;
  }
}

/** Batches of the training data that a step must leave room for: with fewer, one step would read most of it. */
const LEAST_BATCHES = 2;

/** The question with its target, and without the numbers of workers that the data is too small for. */
export function questionNow({ base, question }: ScaleSearch, { target, sizes }: ScaleMeasured): ScaleQuestion {
  const { workers, workerBatch } = question;
  const kind = kindOf(base);
  const perWorker = kind.numPerStep({ ...base, globalBatchSize: workerBatch });
  const all = sizes ? kind.numToTrain(sizes) : Number.POSITIVE_INFINITY;
  const fitting = workers.filter((n, i) => i === 0 || n * perWorker * LEAST_BATCHES <= all);
  return { ...question, workers: fitting, target };
}

/** The most that a run takes, by the seconds of a step of runs that are done; null before one is. */
function mostSeconds({ workers, numSteps }: PlannedArm, outcomes: readonly ScaleOutcome[]): number | null {
  const known = outcomes.filter(({ secondsPerStep, curve }) => secondsPerStep !== null && curve.length > 0);
  const like = known.filter((one) => one.workers === workers);
  const [one] = like.length > 0 ? like : known.toReversed();
  if (!one) return null;
  const perStep = ((one.secondsPerStep ?? 0) * workers) / one.workers;
  return numSteps * perStep + Math.max(0, one.seconds - (one.curve.at(-1)?.step ?? 0) * (one.secondsPerStep ?? 0));
}

interface Next {
  readonly search: ScaleSearch;
  readonly question: ScaleQuestion;
  readonly arm: PlannedArm;
  readonly secondsAtMost: number | null;
  readonly measured: ScaleMeasured;
}

/** Train a run, and write down what it came to; null when that was stopped. */
async function trainArm({ search, question, arm, secondsAtMost, measured }: Next, options: ScaleOptions) {
  const folder = armFolder(search, arm);
  const run = await runOf(search, question, arm);
  const number = measured.outcomes.length + 1;
  const rate = run.config.optimizer.learningRate;
  await options.onRun({ ...arm, folder, rate, number, secondsAtMost });
  let outcome: ScaleOutcome | null = null;
  try {
    // A run that had ended when the search was killed has come to its outcome already.
    if (!hasTrained(folder)) await trainRun(run, options, options.stop);
    if (options.stop.aborted && !hasTrained(folder)) return null;
    outcome = scaleOutcome(arm, run.config, folder);
    if (!hasTrained(folder) && !outcome.isDiverged)
      throw new TrainingError(`the group of ${folder} failed, and its log says why. Mend that, and go on.`);
  } catch (error) {
    // At a learning rate that is too high numbers stop being finite: that is what the search finds out.
    if (!(error instanceof TrainingError)) throw error;
    const own = scaleOutcome(arm, run.config, folder);
    if (!own.isDiverged) throw error;
    outcome = own;
  } finally {
    options.onRunEnd(outcome, question);
  }
  const sized = measured.sizes === null ? sizesIn(folder) : measured;
  const more: ScaleMeasured = {
    ...measured,
    ...{ sizes: sized.sizes, numParams: sized.numParams, outcomes: [...measured.outcomes, outcome] },
    target: measured.target ?? targetOf(outcome, question.numSteps),
    made: new Date().toISOString(),
  };
  if (more.target === null) throw noTarget(folder, outcome);
  await writeScaleMeasured(search, more);
  return more;
}

interface Run {
  readonly folder: string;
  readonly config: RunConfig;
}

/** A run with its configuration: that of its folder, where it has begun. */
async function runOf(search: ScaleSearch, question: ScaleQuestion, arm: PlannedArm): Promise<Run> {
  const folder = armFolder(search, arm);
  const config = isRun(folder) ? await loadConfig(runFolder(folder).config) : armConfig(search.base, question, arm);
  return { folder, config };
}

async function trainRun(
  { folder, config }: Run,
  { cacheFolder }: Pick<ScaleOptions, "cacheFolder">,
  stop: AbortSignal,
) {
  makeFolder(folder);
  // The test split is for the comparison at the limit alone.
  return train({ config, folder, cacheFolder, isUnscored: true, stop });
}

function noTarget(folder: string, { isDiverged }: ScaleOutcome): ConfigError {
  const why = isDiverged
    ? "its numbers stopped being finite: lower optimizer.learningRate"
    : "it has no validation in the first half of its steps: lower validationInterval, or take more numSteps";
  return new ConfigError(
    `the first run sets the target, which is the best validation loss of its first half, and ${folder} does not: ${why}. Or name one with --target.`,
  );
}

/** Look at the first run, and say what the budget suffices for; null when that was stopped. */
async function forecast(
  search: ScaleSearch,
  question: ScaleQuestion,
  arm: PlannedArm,
  { outcomes }: ScaleMeasured,
  options: ScaleOptions,
): Promise<true | null> {
  const { seeds, workers } = question;
  const runs = RATES + seeds.length - 1;
  const left = options.secondsLeft();
  let firstSeconds = mostSeconds(arm, outcomes);
  if (firstSeconds === null) {
    const run = await runOf(search, question, arm);
    options.onStage("the first run begins, to see how long it takes");
    const looked = { folder: run.folder, numSteps: run.config.numSteps };
    const seconds = await secondsByLook(looked, (stop) => trainRun(run, options, stop), options.stop);
    if (seconds === null) return null;
    firstSeconds = seconds === "finished" ? secondsOfRun(run.folder, [0]) : seconds;
    if (firstSeconds > options.secondsLeft()) {
      const shown = (seconds: number) => (seconds < 60 ? `${Math.ceil(seconds)} s` : duration(Math.ceil(seconds)));
      throw new ConfigError(
        `--time-budget: the first run alone takes about ${shown(firstSeconds)} here, and ${shown(left)} are left. Give more time, or fewer numSteps; what has begun goes on by codistill scale --resume ${search.folder}`,
      );
    }
  }
  // With as many times the workers steps fall as much, up to the limit: each number takes what the first one does to its target.
  const eachSeconds = (runs * firstSeconds) / 2;
  const numWorkers = Math.floor((options.secondsLeft() - firstSeconds) / eachSeconds);
  options.onForecast({ firstSeconds, eachSeconds, numWorkers: Math.max(0, Math.min(workers.length, numWorkers)) });
  return true;
}
