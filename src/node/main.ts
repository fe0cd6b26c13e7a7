#!/usr/bin/env node
/** The command line. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { CodistillError, ConfigError, TrainingError } from "../errors.js";
import { printable } from "../report/printable.js";
import { resultLines } from "../report/result.js";
import { recordWithoutSecrets, withoutSecrets } from "../report/secrets.js";
import { checkSameRun } from "../run/config-diff.js";
import { isOfText, type RunConfig } from "../run/schema.js";
import { outputNames } from "../train/task.js";
import { checkPaths, groupIndex, someDuration, withCacheFlag } from "./cli/flags.js";
import { addRunCommands, SET } from "./cli/run-commands.js";
import { evaluateCommand, predictCommand, withEvaluateFlags, withPredictFlags } from "./cli/serve-commands.js";
import {
  configurationFromData,
  describeCommand,
  hasTableFlags,
  type TableCommandOptions,
  type TableFlags,
  withTableFlags,
} from "./cli/table-commands.js";
import { showProgress, writeEvents } from "./cli/terminal.js";
import { sampleCommand, tokenizerCommand, withSampleFlags, withTokenizerFlags } from "./cli/text-commands.js";
import { cacheFolderOf } from "./files/cache-folder.js";
import { errorText } from "./launch/error-line.js";
import { FAILED, REFUSED, stopOnSignals, stoppedBy } from "./launch/exit-codes.js";
import { compareReplay, prepareReplay } from "./launch/replay.js";
import { newRunFolder, train } from "./launch/train.js";
import { loadConfig } from "./runs/load-config.js";
import { withOwnFiles } from "./runs/own-files.js";
import { existingRun, runFolder } from "./runs/run-folder.js";
import { checkJoin, type Join, readScope } from "./runs/scope.js";

const version = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")).version as string;

interface ChosenRun {
  readonly config: RunConfig;
  readonly folder: string;
}
/** Where prepared data is kept between runs; set before each command. */
let cacheFolder = "";

/** Whether what is said is in a log too. */
let isLogged = false;

interface TrainFlags extends TableFlags {
  readonly set: readonly string[];
  readonly runs: string;
  readonly resume?: string;
  readonly store?: string;
  readonly group?: number;
  readonly init?: string;
  readonly stopAfter?: number;
  readonly json?: boolean;
}

const program = new Command("codistill")
  .description("Train neural networks by codistillation: groups that learn from one another's predictions.")
  .version(version)
  .configureOutput({ writeErr: (text) => process.stderr.write(shown(text)) })
  .showHelpAfterError("(codistill --help tells more)")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : REFUSED))
  .hook("preAction", (_, command) => {
    checkPaths(command);
    cacheFolder = cacheFolderOf(command.opts().cache);
  });

withTableFlags(program.command("train"))
  .description("train all groups of a run on this machine, or one of them anywhere")
  .argument("[config]", "configuration: a .ts or .js file with a default export, or .json")
  .option(...SET)
  .option("--runs <folder>", "where run folders are made", "runs")
  .option("--init <weights>", "safetensors file with the params that all groups start with")
  .option("--resume <run folder>", "go on with a run that was stopped; restarts, threads and logInterval may change")
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
  )
  .action(trainCommand);

withTableFlags(program.command("describe"))
  .description(
    "show what training from data would make of it: columns, task, split, network, duration; without a label what the columns hold",
  )
  .option("--json", "as JSON")
  .addHelpText(
    "after",
    '\nExamples:\n  codistill describe --data "rides/*.parquet"\n  codistill describe --data "rides/*.parquet" --label late\n  codistill describe --data rides.csv --label "minutes > 5" --time started --ignore id,notes --json',
  )
  .action(async (flags: TableFlags & { json?: boolean }) => {
    const stop = stopOnSignals();
    await unlessStopped(stop, async () => {
      const { describeTextCommand, isText } = await import("./cli/text-from-data.js");
      const describe = (await isText("describe", flags)) ? describeTextCommand : describeCommand;
      await describe(flags, tableOptions(stop));
    });
  });

withPredictFlags(program.command("predict")).action(
  async (model: string, data: readonly string[], flags: Parameters<typeof predictCommand>[2]) => {
    const stop = stopOnSignals();
    await unlessStopped(stop, () => predictCommand(model, data, flags, tableOptions(stop)));
  },
);

withEvaluateFlags(program.command("evaluate")).action(
  async (model: string, data: readonly string[], flags: Parameters<typeof evaluateCommand>[2]) => {
    const stop = stopOnSignals();
    await unlessStopped(stop, () => evaluateCommand(model, data, flags, tableOptions(stop)));
  },
);

withTokenizerFlags(program.command("tokenizer")).action(async (flags: Parameters<typeof tokenizerCommand>[0]) => {
  const stop = stopOnSignals();
  await unlessStopped(stop, () => tokenizerCommand(flags, tableOptions(stop)));
});

withSampleFlags(program.command("sample")).action(async (path: string, flags: Parameters<typeof sampleCommand>[1]) => {
  const stop = stopOnSignals();
  await unlessStopped(stop, () => sampleCommand(path, flags, stop));
});

program
  .command("replay")
  .description("train a recorded run once more, and prove that it comes to the same bits")
  .argument("<run folder>", "a run that was trained with --set record=true")
  .option("--runs <folder>", "where run folders are made", "runs")
  .option("--json", "the events of the run log as lines of JSON")
  .action(replayCommand);

addRunCommands(program, () => cacheFolder, say);
for (const command of program.commands) {
  command.showHelpAfterError(`(codistill ${command.name()} --help tells more)`);
  if (["train", "describe", "predict", "evaluate", "tokenizer", "replay", "shards"].includes(command.name()))
    withCacheFlag(command);
}

async function trainCommand(path: string | undefined, flags: TrainFlags): Promise<void> {
  const join = joinOf(flags);
  const signals = stopOnSignals();
  const budget = flags.stopAfter === undefined ? [] : [AbortSignal.timeout(1000 * flags.stopAfter)];
  const stop = AbortSignal.any([signals, ...budget]);
  const config = await unlessStopped(stop, () => configOf(path, flags, stop));
  if (stop.aborted) {
    if (!signals.aborted) teller(flags)("stopped before there was a run: give --stop-after more time");
    return;
  }
  await trainIn(await chooseRun(config, flags, join), { json: flags.json ?? false, join, stop });
}

/** The path of a configuration: the given one, or one that is written for the data. */
async function configOf(path: string | undefined, flags: TrainFlags, stop: AbortSignal): Promise<string | undefined> {
  if (!hasTableFlags(flags)) return path;
  if (path !== undefined || flags.resume !== undefined) {
    throw new ConfigError(
      `--data and what goes with it make a new configuration; leave ${path === undefined ? "--resume" : path} out, or change options of it with --set`,
    );
  }
  const options = { ...tableOptions(stop), say: teller(flags) };
  const { configurationFromText, isText } = await import("./cli/text-from-data.js");
  if (await isText("train", flags)) return configurationFromText(flags, options);
  return configurationFromData(flags, options);
}

/** With JSON alone on standard output, what is said to people goes beside it. */
function teller({ json = false }: { readonly json?: boolean }): (text: string) => void {
  return json ? (text) => process.stderr.write(`${shown(text)}\n`) : say;
}

function tableOptions(signal: AbortSignal): TableCommandOptions {
  return { cacheFolder, signal, say };
}

/** What fails because it was stopped has nothing to say. */
async function unlessStopped<T>(stop: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}

async function replayCommand(source: string, { runs, json = false }: { runs: string; json?: boolean }): Promise<void> {
  await trainIn(await prepareReplay(source, ({ name }) => newRunFolder(runs, name)), { json });
}

/** Train in a run folder and say how it went. */
async function trainIn(
  { config, folder }: ChosenRun,
  { json = false, join, stop = stopOnSignals() }: { json?: boolean; join?: Join | undefined; stop?: AbortSignal },
): Promise<void> {
  isLogged = true;
  const progress = json ? writeEvents(folder, process.stdout) : await showProgress(folder, process.stdout);
  const tell = teller({ json });
  let result: Awaited<ReturnType<typeof train>>;
  try {
    result = await train({ config, folder, ...(join && { join }), cacheFolder, stop });
  } finally {
    progress.close();
  }
  if (!result) {
    const isHungUp = process.exitCode === stoppedBy("SIGHUP");
    const why = isHungUp
      ? " by SIGHUP, as its terminal ended (nohup keeps no Node.js program from that; setsid and tmux do)"
      : "";
    tell(`\nstopped${why}; what was trained is saved. Go on with:\n  codistill train --resume ${folder}`);
    return;
  }
  const { model, result: resultFile } = runFolder(folder);
  tell(`\n${resultLines(result).join("\n")}`);
  const [what, use] = isOfText(config)
    ? ["a unit and the state in, what comes next and the state out", `sample ${model.onnx}`]
    : [`columns in, ${outputNames[config.task.kind]} out`, `predict ${model.onnx} new.csv`];
  tell(`\nmodel    ${model.onnx}  (plain ONNX: ${what})`);
  tell(`weights  ${model.safetensors}`);
  tell(`result   ${resultFile}`);
  tell(
    `next: codistill ${use}; serve it with any ONNX Runtime (docs/${isOfText(config) ? "text" : "serving"}.md); change the configuration with --set path=value`,
  );
  const numFinished = result.groups.filter(({ ended }) => ended === "finished").length;
  const { groups, replayOf } = readScope(runFolder(folder), config.numGroups);
  if (numFinished < groups.length) process.exitCode = FAILED;
  if (replayOf === undefined) return;
  const { lines, isEqual } = await compareReplay(replayOf, folder, groups);
  tell(`\n${lines.join("\n")}`);
  if (!isEqual) process.exitCode = FAILED;
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

/** A new run of a configuration, or one to go on with. */
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
  if (join) checkJoin(config.numGroups, join);
  return { config, folder: newRunFolder(flags.runs, config.name) };
}

function say(text: string): void {
  process.stdout.write(`${shown(text)}\n`);
}

/** What is said to people: nothing that steers a terminal, and no secrets of addresses. */
function shown(text: string): string {
  return printable(withoutSecrets(text));
}

// That nobody reads any more is no reason to stop. What is lost otherwise is told once, and fails a command that leaves no log.
let isOutputLost = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (isOutputLost || error.code === "EPIPE") return;
  isOutputLost = true;
  process.stderr.write(`codistill: standard output cannot be written: ${shown(errorText(error))}\n`);
  if (!isLogged) process.exitCode = FAILED;
});
// What fails beside a command, as in a timer, is told like what fails in it.
process.on("uncaughtException", (error) => {
  process.stderr.write(`codistill: ${shown(errorText(error))}\n`);
  process.exit(FAILED);
});
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`codistill: ${shown(errorText(error))}\n`);
  process.exitCode = error instanceof CodistillError && !(error instanceof TrainingError) ? REFUSED : FAILED;
}
