#!/usr/bin/env node
/** The command line. */
import { existsSync, readFileSync } from "node:fs";
import { basename, relative, resolve } from "node:path";
import { Command } from "commander";
import { CodistillError, ConfigError, messageOf, TrainingError } from "../errors.js";
import { resultLines } from "../report/result.js";
import { runsLines } from "../report/runs.js";
import type { RunConfig } from "../run/schema.js";
import { FAILED, REFUSED, STOPPED_BY } from "./exit-codes.js";
import { inspect } from "./inspect.js";
import { listRuns } from "./list-runs.js";
import { loadConfig } from "./load-config.js";
import { runFolder } from "./run-folder.js";
import { showProgress } from "./terminal.js";
import { newRunFolder, train } from "./train.js";

const version = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")).version as string;

interface TrainFlags {
  readonly set: readonly string[];
  readonly runs: string;
  readonly resume?: string;
  readonly init?: string;
}

const program = new Command("codistill")
  .description("Train neural networks by codistillation: groups that learn from one another's predictions.")
  .version(version)
  .showHelpAfterError("(codistill --help tells more)")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : REFUSED));

program
  .command("train")
  .description("train all groups of a run on this machine")
  .argument("[config]", "configuration: a .ts or .js file with a default export, or .json")
  .option(
    "--set <path=value>",
    "override an option, as in --set numSteps=100 (repeatable)",
    (value, all: string[]) => [...all, value],
    [] as string[],
  )
  .option("--runs <folder>", "where run folders are made", "runs")
  .option("--init <weights>", "safetensors file whose params all groups begin from")
  .option("--resume <run folder>", "go on with a run that was stopped")
  .addHelpText(
    "after",
    "\nExamples:\n  codistill train codistill.config.ts\n  codistill train codistill.config.ts --set numGroups=4 --set optimizer.learningRate=0.001\n  codistill train --resume runs/flights-2026-01-31T12-00-00",
  )
  .action(trainCommand);

program
  .command("runs")
  .description("list runs with their state and result")
  .argument("[folder]", "where run folders are", "runs")
  .option("--json", "as JSON")
  .action((folder: string, { json }: { json?: boolean }) => {
    const runs = listRuns(folder);
    if (json) say(JSON.stringify(runs, null, 2));
    else say(runs.length > 0 ? runsLines(runs).join("\n") : `no runs in ${folder}; start one with codistill train`);
  });

program
  .command("inspect")
  .description("show what is inside a run folder, a checkpoint, a snapshot or a model")
  .argument("<path>", "a run folder, a .safetensors file or a .onnx model")
  .action((path: string) => say(inspect(path).join("\n")));

async function trainCommand(path: string | undefined, flags: TrainFlags): Promise<void> {
  const { config, folder } = await chooseRun(path, flags);
  const stop = stopOnSignals();
  const progress = showProgress(folder, process.stdout);
  let result: Awaited<ReturnType<typeof train>>;
  try {
    result = await train({ config, folder, cacheFolder: ".codistill/cache", stop });
  } finally {
    progress.close();
  }
  if (!result) {
    say(`\nstopped; what was trained is saved. Go on with:\n  codistill train --resume ${folder}`);
    return;
  }
  const { model, result: resultFile } = runFolder(folder);
  say(`\n${resultLines(result).join("\n")}`);
  say(`\nmodel    ${model.onnx}  (plain ONNX: feature values in, probability out)`);
  say(`weights  ${model.safetensors}`);
  say(`result   ${resultFile}`);
  say(
    "next: serve model.onnx with any ONNX Runtime; change the configuration with --set path=value; codistill train --help",
  );
  const numFinished = result.groups.filter(({ ended }) => ended === "finished").length;
  if (numFinished < config.numGroups) process.exitCode = FAILED;
}

/** A new run of a configuration, or one to go on with. */
async function chooseRun(path: string | undefined, flags: TrainFlags): Promise<{ config: RunConfig; folder: string }> {
  if (flags.resume !== undefined) {
    if (path !== undefined || flags.set.length > 0 || flags.init !== undefined) {
      throw new ConfigError(
        "--resume goes on with the configuration of the run; leave the configuration, --set and --init out",
      );
    }
    const folder = relative("", flags.resume) || ".";
    const { config: saved, log } = runFolder(folder);
    const missing = [saved, log].find((file) => !existsSync(file));
    if (missing) throw new ConfigError(`${flags.resume} is not a run folder: it has no ${basename(missing)}`);
    return { config: await loadConfig(saved), folder };
  }
  if (path === undefined)
    throw new ConfigError("train needs a configuration, as in: codistill train codistill.config.ts");
  const init = flags.init === undefined ? [] : [`init=${JSON.stringify(resolve(flags.init))}`];
  const config = await loadConfig(path, [...flags.set, ...init]);
  return { config, folder: newRunFolder(flags.runs, config.name) };
}

/** The first Ctrl-C (or SIGTERM, or the end of the terminal) saves and stops; the second one leaves at once. */
function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      process.exitCode = STOPPED_BY[signal];
      if (stop.signal.aborted) process.exit();
      stop.abort();
    });
  }
  return stop.signal;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

// That nobody reads any more is no reason to stop training: all of it is in the log.
process.stdout.on("error", () => {});
try {
  await program.parseAsync();
} catch (error) {
  const isUsers = error instanceof CodistillError;
  process.stderr.write(`codistill: ${isUsers || !(error instanceof Error) ? messageOf(error) : error.stack}\n`);
  process.exitCode = isUsers && !(error instanceof TrainingError) ? REFUSED : FAILED;
}
