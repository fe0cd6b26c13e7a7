#!/usr/bin/env node
/** The command line. */
import { existsSync, readFileSync } from "node:fs";
import { basename, relative } from "node:path";
import { Command } from "commander";
import { CodistillError, ConfigError, messageOf, TrainingError } from "../errors.js";
import { resultLines } from "../report/result.js";
import type { RunConfig } from "../run/schema.js";
import { loadConfig } from "./load-config.js";
import { runFolder } from "./run-folder.js";
import { showProgress } from "./terminal.js";
import { newRunFolder, train } from "./train.js";

/** As the shell has it: 128 and the number of the signal. */
const EXIT = { failed: 1, badInput: 2, SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const version = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")).version as string;

interface TrainFlags {
  readonly set: readonly string[];
  readonly runs: string;
  readonly resume?: string;
}

const program = new Command("codistill")
  .description("Train neural networks by codistillation: groups that learn from one another's predictions.")
  .version(version)
  .showHelpAfterError("(codistill --help tells more)")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.badInput));

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
  .option("--resume <run folder>", "go on with a run that was stopped")
  .addHelpText(
    "after",
    "\nExamples:\n  codistill train codistill.config.ts\n  codistill train codistill.config.ts --set numGroups=4 --set optimizer.learningRate=0.001\n  codistill train --resume runs/flights-2026-01-31T12-00-00",
  )
  .action(trainCommand);

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
  if (numFinished < config.numGroups) process.exitCode = EXIT.failed;
}

/** A new run of a configuration, or one to go on with. */
async function chooseRun(path: string | undefined, flags: TrainFlags): Promise<{ config: RunConfig; folder: string }> {
  if (flags.resume !== undefined) {
    if (path !== undefined || flags.set.length > 0) {
      throw new ConfigError(
        "--resume goes on with the configuration of the run; leave the configuration and --set out",
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
  const config = await loadConfig(path, flags.set);
  return { config, folder: newRunFolder(flags.runs, config.name) };
}

/** The first Ctrl-C (or SIGTERM, or the end of the terminal) saves and stops; the second one leaves at once. */
function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      process.exitCode = EXIT[signal];
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
  process.exitCode = isUsers && !(error instanceof TrainingError) ? EXIT.badInput : EXIT.failed;
}
