/** `codistill scale`: finds how many workers are worth their while, and says what a second group would give. */
import { ConfigError } from "../../errors.js";
import { count, counted, duration, wrapped } from "../../report/format.js";
import { scaleLines } from "../../report/scale.js";
import { adviceOf, adviceSentences, shownLoss, timeShown } from "../../study/scale/advice.js";
import { armConfig, limitConfig, ownRate } from "../../study/scale/configs.js";
import { noiseNear, type ScaleFigures } from "../../study/scale/figures.js";
import { stepsOf } from "../../study/scale/question.js";
import { DEFAULT_LINK } from "../../study/scale/time-model.js";
import { std } from "../../study/statistics.js";
import { FAILED } from "../launch/exit-codes.js";
import { newRunFolder } from "../launch/train.js";
import { loadConfig } from "../runs/load-config.js";
import { openScale, type ScaleSearch } from "../runs/scale.js";
import { say, teller, unlessStopped, widthOf } from "./output.js";
import { DEFAULT_SCALE_SEEDS, DEFAULT_SPREAD, doubledTo, type ScaleFlags } from "./scale-flags.js";
import { baseOf, type Chooser, typed } from "./study-command.js";
import { showProgress } from "./terminal.js";
import { elapsedSeconds } from "./time-budget.js";
import { cureOf, stopOf } from "./train-command.js";

/** Search for the limit, compare a second group there, write the report, and give the advice. */
export async function scaleCommand(path: string | undefined, flags: ScaleFlags, cacheFolder: string): Promise<void> {
  const stop = stopOf(flags);
  const tell = teller(flags);
  const said = new Set<string>();
  const search = await unlessStopped(stop.signal, () => chosen(path, flags, { cacheFolder, stop, said }));
  if (search === undefined || stop.signal.aborted) {
    tell(`stopped before anything was trained: ${cureOf(stop)}`);
    return stop.hasSaved();
  }
  const { underLock } = await import("../launch/scale.js");
  const done = await underLock(search.folder, () => trained(search, flags, { cacheFolder, stop, said }));
  stop.hasSaved();
  if (done === null) {
    tell(`\nstopped; what was trained is saved. Go on with:\n  codistill scale --resume ${search.folder}`);
    return;
  }
  await report(search, flags, done);
}

/** What became of it: whether something is left to do for which there was no time. Null when it was stopped. */
async function trained(
  search: ScaleSearch,
  { timeBudget, json = false, check = false }: ScaleFlags,
  { cacheFolder, stop, said }: Chooser,
): Promise<{ readonly isCut: boolean } | null> {
  const tell = teller({ json });
  const secondsLeft = () => (timeBudget ?? Number.POSITIVE_INFINITY) - elapsedSeconds();
  let progress: { close(): void } = { close() {} };
  const show = async (folder: string) => {
    progress = await showProgress(folder, json ? process.stderr : process.stdout, said);
  };
  // Imported here, as every command loads this file.
  const { searchLimit } = await import("../launch/scale.js");
  const searched = await searchLimit(search, {
    cacheFolder,
    stop: stop.signal,
    secondsLeft,
    onForecast({ firstSeconds, eachSeconds, numWorkers }) {
      tell(
        `the first run takes about ${timeShown(firstSeconds)}, and each number of workers up to the limit about ${timeShown(eachSeconds)}: ${timeShown(secondsLeft())} are left, which should do for ${count(numWorkers)} of ${counted(search.question.workers.length, "number")} of workers (${search.question.workers.slice(0, numWorkers).join(", ")})`,
      );
    },
    async onRun({ workers, rate, seed, numSteps, folder, number, secondsAtMost, why }) {
      const most = secondsAtMost === null ? "" : `, ${timeShown(secondsAtMost)} at most`;
      tell(
        `\nrun ${number}: ${counted(workers, "worker")} at learning rate ${Number(rate.toPrecision(4))}, seed ${seed} (${why}), up to ${count(numSteps)} steps${most}, in ${folder}`,
      );
      await show(folder);
    },
    onRunEnd(outcome, { target }) {
      progress.close();
      if (outcome === null || target === null) return;
      const steps = stepsOf(outcome, target);
      const end = outcome.isDiverged
        ? "diverged"
        : `did not come to the target (${shownLoss(target)}) in ${count(outcome.numSteps)} steps`;
      tell(steps === null ? end : `at the target (${shownLoss(target)}) after ${count(Math.round(steps))} steps`);
    },
    onStage: (stage) => tell(`${stage} ...`),
  });
  if (searched === null) return null;
  if (searched.isCut) {
    tell("\nno time is left for the next run");
    return { isCut: true };
  }
  const { compareSecondGroup } = await import("../launch/scale-compare.js");
  const { end, failed } = await compareSecondGroup(search, searched, {
    cacheFolder,
    stop: stop.signal,
    isChecked: check,
    secondsLeft,
    async onRun({ arm, seed, folder, number, of, secondsLeft: left }) {
      const about = left === null ? "" : `; about ${duration(left)} left`;
      tell(`\na second group: ${arm}, seed ${seed} (run ${number} of ${of}) in ${folder}${about}`);
      await show(folder);
    },
    onRunEnd: () => progress.close(),
    onStage: (stage) => tell(`${stage} ...`),
  });
  if (end === "stopped") return null;
  if (end === "no time") tell("\nno time is left to compare a second group with all seeds");
  if (failed.length > 0) {
    tell(
      `groups of ${counted(failed.length, "run")} failed, which are left out: ${failed.join(", ")}; their logs say why`,
    );
    process.exitCode = FAILED;
  }
  return { isCut: end === "no time" };
}

async function report({ folder }: ScaleSearch, { json = false }: ScaleFlags, { isCut }: { readonly isCut: boolean }) {
  const tell = teller({ json });
  const { writeScaleReport } = await import("../launch/scale-report.js");
  const { html, markdown, figures } = writeScaleReport(folder);
  const advice = adviceOf(figures);
  if (json) say(JSON.stringify({ advice: adviceSentences(advice), figures, isCut, html, markdown }, null, 2));
  const width = widthOf(json ? process.stderr : process.stdout);
  tell(`\n${scaleLines(rowsOf(figures), width).join("\n")}`);
  const most = Math.min(width, 120);
  tell(`\n${wrapped(advice.verdict.join(" "), most).join("\n")}`);
  for (const reason of advice.reasons) tell(wrapped(reason, most, "- ", "  ").join("\n"));
  tell(`\nreport   ${html}`);
  tell(`         ${markdown}`);
  if (isCut) tell(`next: codistill scale --resume ${folder} does what is left`);
}

function rowsOf({ all, times, noise }: ScaleFigures) {
  return all.map(({ workers, batch, steps, bySeed, without, rate }) => {
    const time = times?.find((one) => one.workers === workers);
    const own = noise.find((one) => one.workers === workers);
    const over = own && noiseNear(own);
    const spread = bySeed.length > 1 ? ` ± ${count(Math.round(std(bySeed)))}` : "";
    return {
      workers: count(workers),
      batch: count(batch),
      rate: String(Number(rate.toPrecision(3))),
      steps: steps === null ? `not within ${count(without)}` : `${count(Math.round(steps.value))}${spread}`,
      time: time ? `${timeShown(time.seconds.value)}, ${time.isMeasured ? "measured" : "modelled"}` : "",
      noise: over ? count(Math.round(over.value)) : "",
    };
  });
}

async function chosen(path: string | undefined, flags: ScaleFlags, chooser: Chooser): Promise<ScaleSearch> {
  if (flags.resume !== undefined) return goneOnWith(path, flags, flags.resume);
  const made = await baseOf("a search for the limit", path, flags, chooser);
  const base = await loadConfig(made, flags.set);
  const { seeds = DEFAULT_SCALE_SEEDS, workerBatch = base.globalBatchSize, workers = doubledTo() } = flags;
  const { target = null, spread = DEFAULT_SPREAD } = flags;
  const question = {
    ...{ workers, workerBatch, seeds, target, numSteps: base.numSteps, rate: ownRate(base, workerBatch) },
  };
  const [first = 1] = workers;
  const begin = { workers: first, doublings: 0, seed: seeds[0] ?? 1, horizon: base.numSteps, numSteps: base.numSteps };
  // What does not fit is said before anything is trained.
  armConfig(base, question, { ...begin, why: "" });
  limitConfig(base, question, { workers: first, rate: question.rate, share: 1 });
  const folder = newRunFolder(flags.runs, `${base.name}-scale`);
  return { folder, base, question, link: linkOf(flags), spread, commands: [typed()] };
}

function linkOf({ bandwidth, latency }: ScaleFlags): ScaleSearch["link"] {
  if (bandwidth === undefined && latency === undefined) return null;
  const { gigabits = DEFAULT_LINK.gigabits, microseconds = DEFAULT_LINK.microseconds } = {
    gigabits: bandwidth,
    microseconds: latency,
  };
  return { bytesPerSecond: (gigabits * 1e9) / 8, latencySeconds: microseconds / 1e6 };
}

function goneOnWith(path: string | undefined, flags: ScaleFlags, folder: string): ScaleSearch {
  const { workers, workerBatch, target, set } = flags;
  if (path !== undefined || workers || workerBatch !== undefined || target !== undefined || set.length > 0) {
    throw new ConfigError(
      "--resume goes on with the configuration, the workers and the target that were declared before the runs; leave all but --seeds, --check, --bandwidth, --latency and --spread out",
    );
  }
  const before = openScale(folder);
  const { seeds } = before.question;
  const wanted = flags.seeds ?? seeds;
  const lost = seeds.filter((seed) => !wanted.includes(seed));
  if (lost.length > 0) {
    throw new ConfigError(
      `--seeds: a search goes on with its seeds, to which others may come, and ${lost.join(", ")} would be left out. Name at least ${seeds.join(",")}.`,
    );
  }
  return {
    ...before,
    question: { ...before.question, seeds: [...seeds, ...wanted.filter((seed) => !seeds.includes(seed))] },
    link: linkOf(flags) ?? before.link,
    spread: flags.spread ?? before.spread,
    commands: [...before.commands, typed()],
  };
}
