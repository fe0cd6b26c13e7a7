/** The command that compares two models: churn. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { ConfigError } from "../../errors.js";
import { churnLines } from "../../report/churn.js";
import { percent, quantity } from "../../report/format.js";
import { FAILED } from "../launch/exit-codes.js";
import { churn } from "../table/churn.js";
import { widthOf } from "./output.js";
import { progressLine, tellNote } from "./progress-line.js";
import { type ReadingFlags, readingOf, withReadingFlags } from "./reading-flags.js";
import type { ServeCommandOptions } from "./serve-commands.js";

interface ChurnFlags extends ReadingFlags {
  readonly data: readonly string[];
  readonly maxChurn?: Amount;
  readonly json?: boolean;
}

/** Add the arguments and flags of `codistill churn`. */
export function withChurnFlags(command: Command): Command {
  return withReadingFlags(command)
    .description("compare the predictions of two models on a table: how many decisions differ, and which")
    .argument("<first>", "the model.onnx of a run, as the one in use")
    .argument("<second>", "the model.onnx of another run, as the one that is to replace it")
    .requiredOption("--data <files...>", "files or globs: Parquet, CSV, TSV, JSON lines, .gz; labels are not needed")
    .option(
      "--max-churn <share>",
      "exit with 1 when more of the rows are decided differently, as 2% or 0.02; of a label that is a number the most that predictions may differ by on average, in its unit",
      amount,
    )
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill churn yesterday.onnx today.onnx --data june.parquet\n  codistill churn yesterday.onnx today.onnx --data june.parquet --max-churn 2%",
    );
}

export async function churnCommand(
  first: string,
  second: string,
  { data, maxChurn, json, maxBadRows, ...flags }: ChurnFlags,
  { say, ...options }: ServeCommandOptions,
): Promise<void> {
  const progress = progressLine();
  const result = await churn(first, second, data, {
    ...options,
    maxBadRows,
    reading: readingOf(flags),
    onProgress: progress.show,
  });
  progress.end();
  result.notes.forEach(tellNote);
  say(json ? JSON.stringify(result, null, 2) : churnLines(result, widthOf(process.stdout)).join("\n"));
  if (maxChurn === undefined) return;
  const isOfNumbers = result.task === "regression";
  if (isOfNumbers && maxChurn.isPercent) {
    throw new ConfigError(
      "--max-churn: of a label that is a number it is an amount in its unit, as 0.5, and a share of rows was given, in percent. Leave the % out.",
    );
  }
  if (result.churn.value <= maxChurn.value) return;
  const show = isOfNumbers ? quantity : percent;
  process.stderr.write(
    `codistill: churn: ${show(result.churn.value)} is more than --max-churn ${show(maxChurn.value)} allows. Train the second model closer to the first, or allow more.\n`,
  );
  process.exitCode = FAILED;
}

interface Amount {
  readonly value: number;
  readonly isPercent: boolean;
}

/** A share as 2% or 0.02, or an amount of numbers. */
function amount(text: string): Amount {
  const [, number, sign] = /^(\d*\.?\d+)\s*(%?)$/.exec(text.trim()) ?? [];
  if (number === undefined) throw new InvalidArgumentError(`must be 0 or more, as 2% or 0.02, got "${text}"`);
  return { value: Number(number) / (sign ? 100 : 1), isPercent: sign !== "" };
}
