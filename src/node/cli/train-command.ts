/** The commands that train: train and replay. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { ConfigError } from "../../errors.js";
import { count } from "../../report/format.js";
import { resultLines } from "../../report/result.js";
import { kindOf } from "../../run/kinds/kinds.js";
import { codeOfTraining, FAILED, type Stop, stopOnSignals } from "../launch/exit-codes.js";
import { hasFinished } from "../launch/finish.js";
import { asRank, numRanks } from "../launch/ranks.js";
import { compareReplay, prepareReplay } from "../launch/replay.js";
import { type Led, newRunFolder, train } from "../launch/train.js";
import { readEvents } from "../runs/read-log.js";
import { runFolder } from "../runs/run-folder.js";
import { readScope } from "../runs/scope.js";
import { type ChosenRun, chooseRun, goneOnWith, joinOf, type RunFlags } from "./chosen-run.js";
import { reportFailure } from "./failure.js";
import { groupIndex, STOP_AFTER } from "./flags.js";
import { hasImages, type ImageFlags, withImageFlags } from "./image-flags.js";
import { configurationFromImages } from "./images-from-data.js";
import { teller, unlessStopped, widthOf } from "./output.js";
import { trainAsRank } from "./rank-command.js";
import { SET } from "./run-commands.js";
import {
  configurationFromData,
  hasTableFlags,
  type TableCommandOptions,
  type TableFlags,
  WRITE,
  withTableFlags,
} from "./table-commands.js";
import { showProgress, writeEvents } from "./terminal.js";

export interface TrainFlags extends Omit<TableFlags, "set">, ImageFlags, RunFlags {
  readonly stopAfter?: number;
}

export interface ReplayFlags {
  readonly runs: string;
  readonly json?: boolean;
}

let isLogged = false;

/** Whether this process trains, so that a run's log records its progress. */
export const isInLog = () => isLogged;

/** Add the arguments and flags of `codistill train`. */
export function withTrainFlags(command: Command): Command {
  return withImageFlags(withTableFlags(command))
    .description("train all groups of a run on this machine, or one of them anywhere")
    .argument("[config]", "configuration: a .ts or .js file with a default export, or .json")
    .option(...SET)
    .option("--runs <folder>", "where run folders are made", "runs")
    .option("--folder <run folder>", "the run folder: made where it is not there, gone on with where it is")
    .option("--init <weights>", "safetensors file with the params that all groups start with")
    .option(
      "--resume <run folder>",
      "go on with a run that was stopped; restarts, threads, logInterval and workers may change",
    )
    .option(
      "--store <store>",
      "train one group of the run in this store, a folder that others reach too, or its file: URL",
    )
    .option("--group <index>", "which group, with --store; the first free one by default", groupIndex)
    .option(...STOP_AFTER)
    .option(...WRITE)
    .option("--json", "the events of the run log as lines of JSON; what is said to people goes to standard error")
    .addHelpText(
      "after",
      '\nExamples:\n  codistill train --data "rides/*.parquet" --label late\n  codistill train --images photos\n  codistill train codistill.config.ts\n  codistill train codistill.config.ts --set numGroups=4 --set optimizer.learningRate=0.001\n  codistill train --resume runs/flights-2026-01-31T12-00-00 --set threads=4\n  codistill train codistill.config.ts --store /shared/flights --group 1',
    );
}

/** Add the arguments and flags of `codistill replay`. */
export function withReplayFlags(command: Command): Command {
  return command
    .description("train a recorded run once more, and prove that it comes to the same bits")
    .argument("<run folder>", "a run that was trained with --set record=true")
    .option("--runs <folder>", "where run folders are made", "runs")
    .option("--json", "the events of the run log as lines of JSON");
}

/** Train a new run, or resume one. */
export async function trainCommand(path: string | undefined, flags: TrainFlags, cacheFolder: string): Promise<void> {
  if (numRanks() > 1) return trainAtRank(path, flags, cacheFolder);
  joinOf(flags);
  const stop = stopOf(flags);
  const said = new Set<string>();
  const config = await unlessStopped(stop.signal, () =>
    configOf(path, flags, { cacheFolder, signal: stop.signal, say: teller(flags), said }),
  );
  if (stop.signal.aborted) {
    teller(flags)(`stopped before there was a run: ${cureOf(stop)}`);
    return stop.hasSaved();
  }
  await trainChosen(await chooseRun(config, flags), flags, { cacheFolder, stop, said });
}

/** Train as one of the processes of a launcher, whose failure is told by one of them. */
async function trainAtRank(path: string | undefined, flags: TrainFlags, cacheFolder: string): Promise<void> {
  if (hasTableFlags(flags) || flags.images)
    throw new ConfigError(
      "--data or --images makes a configuration, which a launcher's processes would all write; make it first, without the launcher, and give its path",
    );
  await asRank(
    (ranks) =>
      trainAsRank(ranks, path, flags, {
        cacheFolder,
        trainIn: (run, led) => trainChosen(run, flags, { cacheFolder, stop: stopOf(flags), led }),
      }),
    (error, isTold) => {
      if (isTold) reportFailure(error, "train");
      return codeOfTraining(error);
    },
  );
}

/** Stops by signals, and when the time that flags give has passed. */
export function stopOf({ stopAfter }: Pick<TrainFlags, "stopAfter">): Stop {
  const stop = stopOnSignals();
  if (stopAfter === undefined) return stop;
  // The timer refers to the controller: a signal of `AbortSignal.timeout` may be collected before its time.
  const budget = new AbortController();
  setTimeout(() => budget.abort(), 1000 * stopAfter).unref();
  return { ...stop, signal: AbortSignal.any([stop.signal, budget.signal]) };
}

/** What to do where nothing was trained before a stop. */
export function cureOf(stop: Stop): string {
  return stop.by() === null ? "give --stop-after more time" : "give the same command again";
}

async function trainChosen(run: ChosenRun, flags: TrainFlags, options: Omit<TrainInOptions, "json">): Promise<void> {
  if (goneOnWith(flags) && hasFinished(run.folder))
    teller(flags)(`all groups of ${run.folder} have finished, so that it is only scored once more`);
  await trainIn(run, { ...options, json: flags.json ?? false });
}

/** The path of a configuration: the given one, or one that is written for the data. */
export async function configOf(
  path: string | undefined,
  flags: Omit<TableFlags, "set"> & ImageFlags & Pick<TrainFlags, "set" | "resume">,
  options: TableCommandOptions,
): Promise<string | undefined> {
  const isOfImages = hasImages("train", flags);
  if (!isOfImages && !hasTableFlags(flags)) return path;
  if (path !== undefined || flags.resume !== undefined) {
    throw new ConfigError(
      `${isOfImages ? "--images" : "--data"} and what goes with it make a new configuration; leave ${path === undefined ? "--resume" : path} out, or change options of it with --set`,
    );
  }
  if (isOfImages) return configurationFromImages(flags, options);
  const { configurationFromText, isText } = await import("./text-from-data.js");
  if (await isText("train", flags)) return configurationFromText(flags, options);
  return configurationFromData(flags, options);
}

/** Train a recorded run once more, and compare the two. */
export async function replayCommand(
  source: string,
  { runs, json = false }: ReplayFlags,
  cacheFolder: string,
): Promise<void> {
  await trainIn(await prepareReplay(source, ({ name }) => newRunFolder(runs, name)), { cacheFolder, json });
}

interface TrainInOptions {
  readonly cacheFolder: string;
  readonly json?: boolean | undefined;
  readonly stop?: Stop | undefined;
  readonly led?: Led | undefined;
  /** Notes on the data that were said already. */
  readonly said?: Set<string> | undefined;
}

/** Train in a run folder and say how it went. */
async function trainIn(
  { config, folder, join }: ChosenRun,
  { cacheFolder, json = false, stop = stopOnSignals(), led, said }: TrainInOptions,
): Promise<void> {
  isLogged = true;
  const progress = json ? writeEvents(folder, process.stdout) : await showProgress(folder, process.stdout, said);
  const tell = teller({ json });
  let result: Awaited<ReturnType<typeof train>>;
  try {
    result = await train({ config, folder, join, cacheFolder, stop: stop.signal, led });
  } finally {
    progress.close();
  }
  const { groups, replayOf } = readScope(runFolder(folder), config.numGroups);
  // A replay that was stopped has proved nothing yet, which its code must tell.
  if (result || replayOf === undefined) stop.hasSaved();
  if (!result) {
    const why =
      stop.by() === "SIGHUP"
        ? " by SIGHUP, as its terminal ended (nohup keeps no Node.js program from that; setsid and tmux do)"
        : "";
    tell(`\nstopped${why}; ${savedSteps(folder, config.numGroups)}. Go on with:\n  codistill train --resume ${folder}`);
    return;
  }
  const { model, result: resultFile } = runFolder(folder);
  tell(`\n${resultLines(result, widthOf(json ? process.stderr : process.stdout)).join("\n")}`);
  const { signature, command, docs } = kindOf(config).usage(config, model.onnx);
  tell(`\nmodel    ${model.onnx}  (plain ONNX: ${signature})`);
  tell(`weights  ${model.safetensors}`);
  tell(`result   ${resultFile}`);
  tell(`next: codistill ${command};`);
  tell(`      serve it with any ONNX Runtime (${pageOf(docs)});`);
  tell("      change the configuration with --set path=value");
  const numFinished = result.groups.filter(({ ended }) => ended === "finished").length;
  if (numFinished < groups.length) process.exitCode = FAILED;
  if (replayOf === undefined) return;
  const { lines, isEqual } = await compareReplay(replayOf, folder, groups);
  tell(`\n${lines.join("\n")}`);
  if (!isEqual) process.exitCode = FAILED;
}

/** The step of the last checkpoint of each group that has one, in words. */
function savedSteps(path: string, numGroups: number): string {
  const folder = runFolder(path);
  const saved = readScope(folder, numGroups).groups.flatMap((group) => {
    let step: number | null = null;
    for (const event of readEvents(folder.group(group).log, ["checkpoint"])) step = event.step;
    return step === null ? [] : [`group ${group} at step ${count(step)}`];
  });
  return saved.length === 0 ? "nothing was trained yet" : `what was trained is saved: ${saved.join(", ")}`;
}

/** The path of a page of the package's own docs, from the current folder. */
function pageOf(name: string): string {
  return relative(process.cwd(), fileURLToPath(new URL(`../../../../${name}`, import.meta.url)));
}
