/** The command line: the commands, with their arguments and the functions that run them. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { cacheFolderOf } from "../files/cache-folder.js";
import { REFUSED, stopOnSignals } from "../launch/exit-codes.js";
import { type ChurnFlags, churnCommand, modelsOf, withChurnFlags } from "./churn-command.js";
import { churnStudyCommand } from "./churn-study.js";
import { compareCommand } from "./compare-command.js";
import { type CompareFlags, withCompareFlags } from "./compare-flags.js";
import { type CrossValidateFlags, crossValidateCommand, withCrossValidateFlags } from "./cross-validate-command.js";
import { type DistillFlags, distillCommand, withDistillFlags } from "./distill-command.js";
import { doctorCommand, withDoctorFlags } from "./doctor-command.js";
import { ensembleCommand, withEnsembleFlags } from "./ensemble-command.js";
import { checkNoRuns, checkPaths, withCacheFlag } from "./flags.js";
import { type LaunchFlags, launchCommand, withLaunchFlags } from "./launch-command.js";
import { say, shown, unlessStopped } from "./output.js";
import { reportCommand, withReportFlags } from "./report-command.js";
import { addRunCommands } from "./run-commands.js";
import { scaleCommand } from "./scale-command.js";
import { type ScaleFlags, withScaleFlags } from "./scale-flags.js";
import { evaluateCommand, predictCommand, withEvaluateFlags, withPredictFlags } from "./serve-commands.js";
import { type SweepFlags, sweepCommand, withSweepFlags } from "./sweep-command.js";
import { describeCommand, type TableCommandOptions, type TableFlags, withDescribeFlags } from "./table-commands.js";
import { sampleCommand, tokenizerCommand, withSampleFlags, withTokenizerFlags } from "./text-commands.js";
import {
  type ReplayFlags,
  replayCommand,
  type TrainFlags,
  trainCommand,
  withReplayFlags,
  withTrainFlags,
} from "./train-command.js";

/** The type of a parameter of the function that runs a command. */
type Parsed<Run extends (...args: never[]) => unknown, I extends number> = Parameters<Run>[I];

/** The program with all of its commands; it runs nothing before it is given arguments to parse. */
export function commandLine(): Command {
  /** Where prepared data is kept between runs; set before each command. */
  let cacheFolder = "";
  const program = new Command("codistill")
    .description("Train neural networks by codistillation: groups that learn from one another's predictions.")
    .version(versionOfPackage())
    .configureOutput({ writeErr: (text) => process.stderr.write(shown(text)) })
    .showHelpAfterError("(codistill --help tells more)")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : REFUSED))
    .hook("preAction", (_, command) => {
      checkPaths(command);
      checkNoRuns(command);
      cacheFolder = cacheFolderOf(command.opts().cache);
    });

  /** Run work that signals can stop, and that ends silently when they do. */
  async function stoppable(work: (options: TableCommandOptions) => Promise<void>): Promise<void> {
    const { signal } = stopOnSignals();
    await unlessStopped(signal, () => work({ cacheFolder, signal, say }));
  }

  withTrainFlags(program.command("train")).action((path: string | undefined, flags: TrainFlags) =>
    trainCommand(path, flags, cacheFolder),
  );
  withCrossValidateFlags(program.command("cross-validate")).action(
    (path: string | undefined, flags: CrossValidateFlags) => crossValidateCommand(path, flags, cacheFolder),
  );
  withDistillFlags(program.command("distill")).action((path: string | undefined, flags: DistillFlags) =>
    distillCommand(path, flags, cacheFolder),
  );
  withCompareFlags(program.command("compare")).action((path: string | undefined, flags: CompareFlags) =>
    compareCommand(path, flags, cacheFolder),
  );
  withScaleFlags(program.command("scale")).action((path: string | undefined, flags: ScaleFlags) =>
    scaleCommand(path, flags, cacheFolder),
  );
  withSweepFlags(program.command("sweep")).action((path: string | undefined, flags: SweepFlags) =>
    sweepCommand(path, flags, cacheFolder),
  );
  withReportFlags(program.command("report")).action(
    (folders: readonly string[], flags: { readonly out?: string; readonly json?: boolean }) =>
      reportCommand(folders, flags, say),
  );
  withDescribeFlags(program.command("describe")).action((flags: TableFlags & { json?: boolean }) =>
    stoppable(async (options) => {
      const { describeTextCommand, isText } = await import("./text-from-data.js");
      const describe = (await isText("describe", flags)) ? describeTextCommand : describeCommand;
      await describe(flags, options);
    }),
  );
  withPredictFlags(program.command("predict")).action(
    (model: string, data: readonly string[], flags: Parsed<typeof predictCommand, 2>) =>
      stoppable((options) => predictCommand(model, data, flags, options)),
  );
  withEvaluateFlags(program.command("evaluate")).action(
    (model: string, data: readonly string[], flags: Parsed<typeof evaluateCommand, 2>) =>
      stoppable((options) => evaluateCommand(model, data, flags, options)),
  );
  withChurnFlags(program.command("churn")).action(
    (first: string | undefined, second: string | undefined, flags: ChurnFlags) => {
      const models = modelsOf(first, second, flags);
      return models === null
        ? churnStudyCommand(first, flags, cacheFolder)
        : stoppable((options) => churnCommand(models, flags, options));
    },
  );
  withEnsembleFlags(program.command("ensemble")).action(
    (runs: readonly string[], flags: Parsed<typeof ensembleCommand, 1>) =>
      stoppable((options) => ensembleCommand(runs, flags, options)),
  );
  withTokenizerFlags(program.command("tokenizer")).action((flags: Parsed<typeof tokenizerCommand, 0>) =>
    stoppable((options) => tokenizerCommand(flags, options)),
  );
  withSampleFlags(program.command("sample")).action((path: string, flags: Parsed<typeof sampleCommand, 1>) =>
    stoppable(({ signal }) => sampleCommand(path, flags, signal)),
  );
  withReplayFlags(program.command("replay")).action((source: string, flags: ReplayFlags) =>
    replayCommand(source, flags, cacheFolder),
  );
  withLaunchFlags(program.command("launch")).action((path: string, flags: LaunchFlags) =>
    launchCommand(path, flags, cacheFolder),
  );
  withDoctorFlags(program.command("doctor")).action((flags: Parsed<typeof doctorCommand, 0>) => doctorCommand(flags));
  addRunCommands(program, () => cacheFolder, say);

  for (const command of program.commands) {
    const also = command.name() === "cross-validate" ? `; ${FOLDS} is the same` : "";
    command.showHelpAfterError(`(codistill ${command.name()} --help tells more${also})`);
    tellArguments(command);
    if (
      [
        "train",
        "cross-validate",
        "distill",
        "compare",
        "scale",
        "sweep",
        "describe",
        "predict",
        "evaluate",
        "churn",
        "ensemble",
        "tokenizer",
        "replay",
        "shards",
        "launch",
      ].includes(command.name())
    )
      withCacheFlag(command);
  }
  return program;
}

const FOLDS = "evaluate --folds";

/** The arguments of a process, in which `evaluate --folds`, which must train, is the command that does. */
export function argumentsOf(argv: readonly string[]): string[] {
  const [node = "", program = "", _, ...rest] = argv;
  return commandOf(argv.slice(2)) === FOLDS ? [node, program, "cross-validate", ...rest] : [...argv];
}

/** The command as its user typed it, by the arguments after the program: "train", or "evaluate --folds". */
export function commandOf([command = "", ...rest]: readonly string[]): string {
  const isOfFolds = command === "evaluate" && rest.some((one) => /^--folds(=|$)/.test(one));
  return isOfFolds ? FOLDS : command.startsWith("-") ? "" : command;
}

/** Where the argument of a flag is missing, say what it is. */
function tellArguments(command: Command): void {
  command.configureOutput({
    outputError(text, write) {
      const [, flags] = /^error: option '(.+)' argument missing/.exec(text) ?? [];
      const option = command.options.find((one) => one.flags === flags);
      write(option === undefined ? text : `${text.trimEnd()}: ${option.description}\n`);
    },
  });
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}
