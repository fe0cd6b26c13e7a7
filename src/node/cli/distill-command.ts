/** `codistill distill`: trains an ensemble and then a student of it, or generations. */
import type { Command } from "commander";
import { ConfigError } from "../../errors.js";
import { distillationLines } from "../../report/distillation.js";
import { duration } from "../../report/format.js";
import type { Stop } from "../launch/exit-codes.js";
import { newRunFolder } from "../launch/train.js";
import {
  beginGenerations,
  checkGenerations,
  type Generations,
  generationChanges,
  generationFolder,
  openGenerations,
  resultOf,
} from "../runs/generations.js";
import { loadConfig } from "../runs/load-config.js";
import { runFolder } from "../runs/run-folder.js";
import { STOP_AFTER, share, wholeNumber } from "./flags.js";
import { say, teller, unlessStopped, widthOf } from "./output.js";
import { SET } from "./run-commands.js";
import { type TableFlags, WRITE, withTableFlags } from "./table-commands.js";
import { showProgress } from "./terminal.js";
import { configOf, cureOf, stopOf } from "./train-command.js";

const GENERATIONS = 2;

export interface DistillFlags extends Omit<TableFlags, "set"> {
  readonly generations?: number;
  readonly distillWeight?: number;
  readonly set: readonly string[];
  readonly runs: string;
  readonly resume?: string;
  readonly stopAfter?: number;
  readonly json?: boolean;
}

/** Add the arguments and flags of `codistill distill`. */
export function withDistillFlags(command: Command): Command {
  return withTableFlags(command)
    .description(
      "train groups apart, then a single student of their finished ensemble; or over more generations, each taught by the one before",
    )
    .argument("[config]", "configuration: a .ts or .js file with a default export, or .json")
    .option(
      "--generations <number>",
      `how many, the student's with them; ${GENERATIONS} by default. They share the steps of the configuration`,
      wholeNumber,
    )
    .option(
      "--distill-weight <share>",
      "how much of a student's label loss the generation before makes, from 0 to 1; 0.5 by default",
      share,
    )
    .option(...SET)
    .option("--runs <folder>", "where the folder of the runs is made", "runs")
    .option("--resume <folder>", "go on with a distillation that was stopped: finished generations stay as they are")
    .option(...STOP_AFTER)
    .option(...WRITE)
    .option("--json", "the result as JSON; what is said to people goes to standard error")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill distill --data rides.csv --label late --set numGroups=4\n  codistill distill codistill.config.ts --generations 3 --distill-weight 0.9\n  codistill distill --resume runs/rides-late-distilled-2026-01-31T12-00-00",
    );
}

/** Train every generation, and say what they came to. */
export async function distillCommand(
  path: string | undefined,
  flags: DistillFlags,
  cacheFolder: string,
): Promise<void> {
  const stop = stopOf(flags);
  const { json = false } = flags;
  const tell = teller({ json });
  const said = new Set<string>();
  const generations = await unlessStopped(stop.signal, () =>
    chosenGenerations(path, flags, cacheFolder, { stop, said }),
  );
  if (generations === undefined || stop.signal.aborted) {
    tell(`stopped before anything was trained: ${cureOf(stop)}`);
    return stop.hasSaved();
  }
  const numGenerations = generations.configs.length;
  let progress: { close(): void } = { close() {} };
  // Imported here, as DuckDB takes time to load, and every command loads this file.
  const { distill } = await import("../launch/distill.js");
  const result = await distill(generations, {
    cacheFolder,
    stop: stop.signal,
    async onGeneration(number, folder, secondsLeft) {
      const left = secondsLeft === null ? "" : `; about ${duration(secondsLeft)} left`;
      const what = number === numGenerations ? "the student" : "teachers";
      tell(`\ngeneration ${number} of ${numGenerations}, ${what}, in ${folder}${left}`);
      progress = await showProgress(folder, json ? process.stderr : process.stdout, said);
    },
    onGenerationEnd: () => progress.close(),
  });
  stop.hasSaved();
  if (!result) {
    tell(`\nstopped; what was trained is saved. Go on with:\n  codistill distill --resume ${generations.folder}`);
    return;
  }
  if (json) say(JSON.stringify(result, null, 2));
  tell(`\n${distillationLines(result, widthOf(json ? process.stderr : process.stdout)).join("\n")}`);
  tell(`\nmodel    ${runFolder(generationFolder(generations, numGenerations)).model.onnx}`);
  tell(`result   ${resultOf(generations)}`);
}

async function chosenGenerations(
  path: string | undefined,
  flags: DistillFlags,
  cacheFolder: string,
  { stop, said }: { readonly stop: Stop; readonly said: Set<string> },
): Promise<Generations> {
  const { generations = GENERATIONS, distillWeight: teacherWeight, runs, resume, set } = flags;
  if (resume !== undefined) {
    if (path !== undefined || flags.generations !== undefined || teacherWeight !== undefined || set.length > 0) {
      throw new ConfigError(
        "--resume goes on with the configuration and the generations as they began; leave the configuration, --generations, --distill-weight and --set out",
      );
    }
    return openGenerations(resume);
  }
  const made = await configOf(path, flags, { cacheFolder, signal: stop.signal, say: teller(flags), said });
  if (made === undefined) {
    throw new ConfigError(
      "a distillation is of data or of a configuration, and neither is given: add one, as in --data rides.csv --label late",
    );
  }
  const config = await loadConfig(made, set);
  checkGenerations(config, generations);
  const changed = Array.from({ length: generations }, (_, i) => [
    ...set,
    ...generationChanges(config, i + 1, generations),
  ]);
  const configs = await Promise.all(changed.map((own) => loadConfig(made, own)));
  return beginGenerations({ folder: newRunFolder(runs, `${config.name}-distilled`), configs, teacherWeight });
}
