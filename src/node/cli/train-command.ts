/** The commands that train: train and replay. */
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { ConfigError } from "../../errors.js";
import { count } from "../../report/format.js";
import { resultLines } from "../../report/result.js";
import { recordWithoutSecrets } from "../../report/secrets.js";
import { checkSameRun } from "../../run/config-diff.js";
import { kindOf } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import { FAILED, type Stop, stopOnSignals } from "../launch/exit-codes.js";
import { compareReplay, prepareReplay } from "../launch/replay.js";
import { newRunFolder, train } from "../launch/train.js";
import { loadConfig } from "../runs/load-config.js";
import { withOwnFiles } from "../runs/own-files.js";
import { readEvents } from "../runs/read-log.js";
import { readRunFile } from "../runs/run-file.js";
import { existingRun, runFolder } from "../runs/run-folder.js";
import { checkJoin, type Join, readScope } from "../runs/scope.js";
import { groupIndex, someDuration } from "./flags.js";
import { teller, unlessStopped } from "./output.js";
import { SET } from "./run-commands.js";
import {
  configurationFromData,
  hasTableFlags,
  type TableCommandOptions,
  type TableFlags,
  withTableFlags,
} from "./table-commands.js";
import { showProgress, writeEvents } from "./terminal.js";

interface ChosenRun {
  readonly config: RunConfig;
  readonly folder: string;
}

export interface TrainFlags extends TableFlags {
  readonly set: readonly string[];
  readonly runs: string;
  readonly resume?: string;
  readonly store?: string;
  readonly group?: number;
  readonly init?: string;
  readonly stopAfter?: number;
  readonly json?: boolean;
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
  return withTableFlags(command)
    .description("train all groups of a run on this machine, or one of them anywhere")
    .argument("[config]", "configuration: a .ts or .js file with a default export, or .json")
    .option(...SET)
    .option("--runs <folder>", "where run folders are made", "runs")
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
    .option("--stop-after <duration>", "save and stop after so long (90s, 20m, 1.5h), to be gone on with", someDuration)
    .option("--write <file>", "where --data writes the configuration", "codistill.config.ts")
    .option("--json", "the events of the run log as lines of JSON; what is said to people goes to standard error")
    .addHelpText(
      "after",
      '\nExamples:\n  codistill train --data "rides/*.parquet" --label late\n  codistill train codistill.config.ts\n  codistill train codistill.config.ts --set numGroups=4 --set optimizer.learningRate=0.001\n  codistill train --resume runs/flights-2026-01-31T12-00-00 --set threads=4\n  codistill train codistill.config.ts --store /shared/flights --group 1',
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
  const join = joinOf(flags);
  const signals = stopOnSignals();
  const budget = flags.stopAfter === undefined ? [] : [AbortSignal.timeout(1000 * flags.stopAfter)];
  const stop = { ...signals, signal: AbortSignal.any([signals.signal, ...budget]) };
  const config = await unlessStopped(stop.signal, () =>
    configOf(path, flags, { cacheFolder, signal: stop.signal, say: teller(flags) }),
  );
  if (stop.signal.aborted) {
    const cure = stop.by() === null ? "give --stop-after more time" : "give the same command again";
    teller(flags)(`stopped before there was a run: ${cure}`);
    return stop.hasSaved();
  }
  const run = await chooseRun(config, flags, join);
  if (flags.resume !== undefined && hasFinished(run.folder))
    teller(flags)(`all groups of ${run.folder} have finished, so that it is only scored once more`);
  await trainIn(run, { cacheFolder, json: flags.json ?? false, join, stop });
}

/** Whether a run has a result in which all its groups have finished. */
function hasFinished(folder: string): boolean {
  const groups = readRunFile(runFolder(folder).result)?.groups;
  return Array.isArray(groups) && groups.every((group) => group?.ended === "finished");
}

/** The path of a configuration: the given one, or one that is written for the data. */
async function configOf(
  path: string | undefined,
  flags: TrainFlags,
  options: TableCommandOptions,
): Promise<string | undefined> {
  if (!hasTableFlags(flags)) return path;
  if (path !== undefined || flags.resume !== undefined) {
    throw new ConfigError(
      `--data and what goes with it make a new configuration; leave ${path === undefined ? "--resume" : path} out, or change options of it with --set`,
    );
  }
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
  readonly join?: Join | undefined;
  readonly stop?: Stop | undefined;
}

/** Train in a run folder and say how it went. */
async function trainIn(
  { config, folder }: ChosenRun,
  { cacheFolder, json = false, join, stop = stopOnSignals() }: TrainInOptions,
): Promise<void> {
  isLogged = true;
  const progress = json ? writeEvents(folder, process.stdout) : await showProgress(folder, process.stdout);
  const tell = teller({ json });
  let result: Awaited<ReturnType<typeof train>>;
  try {
    result = await train({ config, folder, ...(join && { join }), cacheFolder, stop: stop.signal });
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
  tell(`\n${resultLines(result).join("\n")}`);
  const { signature, command, docs } = kindOf(config).usage(config, model.onnx);
  tell(`\nmodel    ${model.onnx}  (plain ONNX: ${signature})`);
  tell(`weights  ${model.safetensors}`);
  tell(`result   ${resultFile}`);
  tell(
    `next: codistill ${command}; serve it with any ONNX Runtime (${pageOf(docs)}); change the configuration with --set path=value`,
  );
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

/** The run in a store to be joined. */
function joinOf({ store, group, resume }: TrainFlags): Join | undefined {
  if (store === undefined) {
    if (group !== undefined) throw new ConfigError("--group names a group of the run in a store; give --store too");
    return undefined;
  }
  if (resume !== undefined) {
    throw new ConfigError("--resume goes on with the store and the group of the run; leave --store and --group out");
  }
  return { store, ...(group !== undefined && { group }) };
}

/** A remark where batches grow and the learning rate does not; null elsewhere. */
function growthRemark(before: RunConfig, now: RunConfig): string | null {
  const isLarger = now.globalBatchSize > before.globalBatchSize;
  const isSameRate = now.optimizer.learningRate === before.optimizer.learningRate && !now.optimizer.forBatch;
  if (!isLarger || !isSameRate) return null;
  return (
    `note: steps of ${count(now.globalBatchSize)} examples in place of ${count(before.globalBatchSize)} keep the learning rate ` +
    `${now.optimizer.learningRate}. Larger batches often bear a larger one: --set 'optimizer.forBatch={"rows":${before.globalBatchSize}}' ` +
    "lets it grow in proportion."
  );
}

/** The run to train: a new one, or the one to resume. */
async function chooseRun(path: string | undefined, flags: TrainFlags, join?: Join): Promise<ChosenRun> {
  const init = flags.init === undefined ? [] : [`init=${JSON.stringify(resolve(flags.init))}`];
  const overrides = [...flags.set, ...init];
  if (flags.resume !== undefined) {
    const run = existingRun(flags.resume);
    const own = await loadConfig(run.config);
    if (path === undefined && overrides.length === 0) return { config: own, folder: run.path };
    const config = await withOwnFiles(await loadConfig(path ?? run.config, overrides), run);
    checkSameRun(own, recordWithoutSecrets(config));
    return { config, folder: run.path };
  }
  if (path === undefined)
    throw new ConfigError("train needs a configuration, as in: codistill train codistill.config.ts");
  const config = await loadConfig(path, overrides);
  const growth = overrides.length === 0 ? null : growthRemark(await loadConfig(path), config);
  if (growth !== null) teller(flags)(growth);
  if (join) checkJoin(config.numGroups, join);
  return { config, folder: newRunFolder(flags.runs, config.name) };
}
