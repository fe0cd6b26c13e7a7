/** `codistill cross-validate`: trains a run for each fold of a table, and says how well and how evenly they do. */
import type { Command } from "commander";
import { ConfigError } from "../../errors.js";
import { crossValidationLines } from "../../report/cross-validation.js";
import { duration } from "../../report/format.js";
import { crossValidate } from "../launch/cross-validate.js";
import { FAILED, type Stop } from "../launch/exit-codes.js";
import { newRunFolder } from "../launch/train.js";
import { beginFolds, type CrossValidation, checkFolds, notByChance, openFolds, resultOf } from "../runs/folds.js";
import { loadConfig } from "../runs/load-config.js";
import { STOP_AFTER, wholeNumber } from "./flags.js";
import { say, teller, unlessStopped, widthOf } from "./output.js";
import { SET } from "./run-commands.js";
import { type TableFlags, WRITE, withTableFlags } from "./table-commands.js";
import { showProgress } from "./terminal.js";
import { configOf, cureOf, stopOf } from "./train-command.js";

const FOLDS = 5;

export interface CrossValidateFlags extends Omit<TableFlags, "set"> {
  readonly folds?: number;
  readonly set: readonly string[];
  readonly runs: string;
  readonly resume?: string;
  readonly stopAfter?: number;
  readonly json?: boolean;
}

/** Add the arguments and flags of `codistill cross-validate`. */
export function withCrossValidateFlags(command: Command): Command {
  return withTableFlags(command)
    .description(
      "deal the rows of a table to folds, train a run for each, and test it on its fold: metrics with their spread, and of all rows",
    )
    .argument(
      "[config]",
      "configuration: a .ts or .js file with a default export, or .json; its split must be by chance",
    )
    .option("--folds <number>", `how many; ${FOLDS} by default`, wholeNumber)
    .option(...SET)
    .option("--runs <folder>", "where the folder of the runs is made", "runs")
    .option("--resume <folder>", "go on with a cross-validation that was stopped: finished folds stay as they are")
    .option(...STOP_AFTER)
    .option(...WRITE)
    .option("--json", "the result as JSON; what is said to people goes to standard error")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill cross-validate --data rides.csv --label late --folds 5\n  codistill cross-validate codistill.config.ts --folds 10 --set numGroups=1\n  codistill cross-validate --resume runs/rides-late-folds-2026-01-31T12-00-00",
    );
}

/** Train and test every fold, and say what they came to. */
export async function crossValidateCommand(
  path: string | undefined,
  flags: CrossValidateFlags,
  cacheFolder: string,
): Promise<void> {
  const stop = stopOf(flags);
  const { json = false } = flags;
  const tell = teller({ json });
  const said = new Set<string>();
  const validation = await unlessStopped(stop.signal, () => chosenFolds(path, flags, cacheFolder, { stop, said }));
  if (validation === undefined || stop.signal.aborted) {
    tell(`stopped before anything was trained: ${cureOf(stop)}`);
    return stop.hasSaved();
  }
  let progress: { close(): void } = { close() {} };
  const result = await crossValidate(validation, {
    cacheFolder,
    stop: stop.signal,
    async onFold(number, folder, secondsLeft) {
      const left = secondsLeft === null ? "" : `; about ${duration(secondsLeft)} left`;
      tell(`\nfold ${number} of ${validation.folds} in ${folder}${left}`);
      progress = await showProgress(folder, json ? process.stderr : process.stdout, said);
    },
    onFoldEnd: () => progress.close(),
  });
  stop.hasSaved();
  if (!result) {
    tell(`\nstopped; what was trained is saved. Go on with:\n  codistill cross-validate --resume ${validation.folder}`);
    return;
  }
  if (json) say(JSON.stringify(result, null, 2));
  tell(`\n${crossValidationLines(result, widthOf(json ? process.stderr : process.stdout)).join("\n")}`);
  tell(`\nresult   ${resultOf(validation)}`);
  tell(
    "next: codistill train with the same data and flags trains the model to use; folds only say how well it will do",
  );
  if (result.numFailed > 0) process.exitCode = FAILED;
}

async function chosenFolds(
  path: string | undefined,
  flags: CrossValidateFlags,
  cacheFolder: string,
  { stop, said }: { readonly stop: Stop; readonly said: Set<string> },
): Promise<CrossValidation> {
  const { folds = FOLDS, runs, resume, set, time } = flags;
  if (resume !== undefined) {
    if (path !== undefined || flags.folds !== undefined || set.length > 0) {
      throw new ConfigError(
        "--resume goes on with the configuration and the folds as they began; leave the configuration, --folds and --set out",
      );
    }
    return openFolds(resume);
  }
  if (time !== undefined) throw new ConfigError(notByChance(`--time ${time} is given`));
  const made = await configOf(path, flags, { cacheFolder, signal: stop.signal, say: teller(flags), said });
  if (made === undefined) {
    throw new ConfigError(
      "folds are of data or of a configuration, and neither is given: add one, as in --data rides.csv --label late --folds 5",
    );
  }
  const config = checkFolds(await loadConfig(made, set), folds);
  return beginFolds({ folder: newRunFolder(runs, `${config.name}-folds`), config, folds });
}
