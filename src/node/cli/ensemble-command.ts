/** The command that makes one model of several: ensemble. */
import { type Command, InvalidArgumentError } from "commander";
import { ensembleLines } from "../../report/ensemble.js";
import { widthOf } from "./output.js";
import { tellNote } from "./progress-line.js";
import type { ServeCommandOptions } from "./serve-commands.js";

interface EnsembleFlags {
  readonly out: string;
  readonly groups?: readonly number[];
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Add the arguments and flags of `codistill ensemble`. */
export function withEnsembleFlags(command: Command): Command {
  return command
    .description("write one model whose prediction is the mean of the groups of finished runs on tables, or on text")
    .argument("<runs...>", "folders of finished runs, or files model.onnx, all of one label or tokenizer")
    .requiredOption("--out <file>", "where the model goes, as ensemble.onnx")
    .option("--groups <numbers>", "the groups of the run, as 0,2; all of each run by default", groupNumbers)
    .option("--force", "replace a file that is there already")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill ensemble runs/rides-2026-01-31T12-00-00 --out ensemble.onnx\n  codistill ensemble runs/rides-mlp runs/rides-tabm yesterday.onnx --out ensemble.onnx --json",
    );
}

export async function ensembleCommand(
  runs: readonly string[],
  { json, ...flags }: EnsembleFlags,
  { say, ...options }: ServeCommandOptions,
): Promise<void> {
  // Imported here, as every command loads this file.
  const { ensemble } = await import("../launch/ensemble.js");
  const result = await ensemble(runs, { ...flags, ...options });
  result.notes.forEach(tellNote);
  say(json ? JSON.stringify(result, null, 2) : ensembleLines(result, widthOf(process.stdout)).join("\n"));
}

/** Indices of groups, parted by commas. */
function groupNumbers(text: string): number[] {
  const numbers = text.split(",").map((one) => one.trim());
  const wrong = numbers.find((one) => !/^\d{1,9}$/.test(one));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`must be whole numbers parted by commas, as 0,2, got "${text}"`);
  return numbers.map(Number);
}
