/** The commands that use an exported model: predict and evaluate. */

import type { Command } from "commander";
import { ConfigError } from "../../errors.js";
import { evaluationLines, textEvaluationLines } from "../../report/evaluation.js";
import { count, seconds } from "../../report/format.js";
import { evaluate } from "../table/evaluate.js";
import { predict } from "../table/predict.js";
import { flagOf, level, probability, someNumber, someText, wholeFrom } from "./flags.js";
import { widthOf } from "./output.js";
import { progressLine, tellNote } from "./progress-line.js";
import { type ReadingFlags, readingOf, withReadingFlags } from "./reading-flags.js";

export interface ServeCommandOptions {
  readonly cacheFolder: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

interface PredictFlags extends ReadingFlags {
  readonly out?: string;
  readonly threshold?: number;
  readonly interval?: number;
  readonly json?: boolean;
}

interface EvaluateFlags extends ReadingFlags {
  readonly label?: string;
  readonly weight?: string;
  readonly where?: string;
  readonly by?: string;
  readonly field?: string;
  readonly separator?: string;
  readonly sheet?: string;
  readonly costFp?: number;
  readonly costFn?: number;
  readonly importance?: boolean;
  readonly importanceRows?: number;
  readonly importanceRepeats?: number;
  readonly json?: boolean;
}

const MODEL = ["<model>", "the model.onnx of a run"] as const;
const DATA = ["<data...>", "files or globs: Parquet, CSV, TSV, JSON lines, .gz; of images files and folders"] as const;

/** Add the arguments and flags of `codistill predict`. */
export function withPredictFlags(command: Command): Command {
  return withReadingFlags(command)
    .description("append a model's predictions to the rows of a table, or list them for images")
    .argument(...MODEL)
    .argument(...DATA)
    .option(
      "--out <file>",
      "where the rows go: .csv, .tsv, .parquet, .json or .jsonl; standard output as CSV by default",
    )
    .option(
      "--threshold <probability>",
      "of a label of two values: predict the positive one from this probability on; 0.5 by default (evaluate --cost-fp --cost-fn compares thresholds)",
      probability,
    )
    .option(
      "--interval <level>",
      "of a label that is a number: the ends of an interval too, which holds this share of the labels, as 90%",
      level,
    )
    .option("--json", "say what was done as JSON; needs --out")
    .addHelpText(
      "after",
      '\nExamples:\n  codistill predict runs/rides-2026-01-31T12-00-00/model.onnx new.csv > predicted.csv\n  codistill predict model.onnx "new/*.parquet" --out predicted.parquet',
    );
}

/** Add the arguments and flags of `codistill evaluate`. */
export function withEvaluateFlags(command: Command): Command {
  return withReadingFlags(command, true)
    .description(
      "score a model: on a table that has the labels, with intervals, by class, by slice; a language model on text; a model of images on folders",
    )
    .argument(...MODEL)
    .argument(...DATA)
    .option("--label <column or SQL>", "by default what the model was trained on")
    .option(
      "--weight <column or SQL>",
      "how much a row counts in all figures: by default as in training; 1 counts all rows alike",
    )
    .option("--where <SQL>", "rows that count")
    .option("--by <column or SQL>", "figures for each of its values too")
    .option(
      "--cost-fp <number>",
      "of a label of two values: what a wrong yes costs; with --cost-fn, thresholds are compared by it",
      someNumber,
    )
    .option("--cost-fn <number>", "what a wrong no costs, in the same unit", someNumber)
    .option("--importance", "how much the loss rises when a column is permuted, for each column, with intervals")
    .option(
      "--importance-rows <number>",
      "the most rows for --importance, drawn at random; 20000 by default",
      wholeFrom(2),
    )
    .option("--importance-repeats <number>", "how often each column is permuted; 10 by default", wholeFrom(1))
    .option("--field <column>", 'of text in columns, the one that has it; "text" by default')
    .option(
      "--separator <text>",
      'what stands between the documents of a plain text file, as "<|endoftext|>" or "\\n\\n\\n"; each file is one without it',
      someText,
    )
    .option("--encoding <name>", "of files that are neither UTF-8 nor marked as UTF-16, as windows-1252")
    .option("--sheet <file>", "of images: a PNG of those with the largest losses")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      '\nExamples:\n  codistill evaluate model.onnx june.parquet\n  codistill evaluate runs/books/model.onnx "new/*.txt"\n  codistill evaluate model.onnx "rides/*.csv" --where "started >= \'2025-06-01\'" --by zone --json\n  codistill evaluate model.onnx june.parquet --importance --cost-fp 1 --cost-fn 5\n  codistill evaluate --folds 5 --data rides.csv --label late  (trains: the same as codistill cross-validate)',
    );
}

/** Predict and write the rows: to the file, or to standard output, and then messages go to standard error. */
export async function predictCommand(
  model: string,
  data: readonly string[],
  given: PredictFlags,
  { say, ...options }: ServeCommandOptions,
): Promise<void> {
  if (given.json && given.out === undefined)
    throw new ConfigError(
      "predict: --json says what was done, on standard output, where the rows go without --out. Add --out <file>, or leave --json out.",
    );
  // Imported here, as every command loads this file.
  const { isImageModel } = await import("../image/image-model.js");
  if (isImageModel(model)) {
    const { predictImagesCommand } = await import("./image-serve.js");
    return predictImagesCommand(model, data, given, { say, signal: options.signal });
  }
  const { out, threshold, interval, json, ...flags } = given;
  const progress = progressLine();
  const result = await predict(model, data, {
    ...options,
    ...(out !== undefined && { out }),
    threshold,
    interval,
    reading: readingOf(flags),
    maxBadRows: flags.maxBadRows,
    onProgress: progress.show,
  });
  progress.end();
  for (const { wanted, name } of result.renamed) {
    tellNote(`${wanted} is in ${name}, as another column has that name (case does not count)`);
  }
  result.notes.forEach(tellNote);
  if (json) say(JSON.stringify(result, null, 2));
  else if (out !== undefined) {
    say(`${count(result.rows)} rows with ${result.columns.join(", ")} in ${out}, ${seconds(result.seconds)}`);
  }
}

export async function evaluateCommand(
  model: string,
  data: readonly string[],
  { sheet, ...given }: EvaluateFlags,
  { say, ...options }: ServeCommandOptions,
): Promise<void> {
  // Imported here, as every command loads this file.
  const { isImageModel } = await import("../image/image-model.js");
  if (isImageModel(model)) {
    const { evaluateImagesCommand } = await import("./image-serve.js");
    return evaluateImagesCommand(model, data, { sheet, ...given }, { say, signal: options.signal });
  }
  if (sheet !== undefined) throw new ConfigError(`--sheet is of images, and ${model} is no model of them`);
  const { json, field, encoding, separator, ...flags } = given;
  const { isLanguageModel } = await import("../text/language-model.js");
  if (isLanguageModel(model)) {
    const [flag] = Object.keys(flags);
    if (flag !== undefined) throw new ConfigError(`${flagOf(flag)} is of tables, and ${model} is a language model`);
    return evaluateTextCommand(model, data, { json, field, encoding, separator }, { say, ...options });
  }
  for (const [name, value] of Object.entries({ field, separator }))
    if (value !== undefined) throw new ConfigError(`--${name} is of text, and ${model} is no language model`);
  const { costFp, costFn, importance, importanceRows: rows, importanceRepeats: repeats, ...rest } = flags;
  if ((costFp === undefined) !== (costFn === undefined)) {
    const [given, lacking] = costFp === undefined ? ["--cost-fn", "--cost-fp"] : ["--cost-fp", "--cost-fn"];
    throw new ConfigError(
      `evaluate: thresholds are compared by what both wrong decisions cost, and ${given} is given without ${lacking}. Add ${lacking}, what ${lacking === "--cost-fn" ? "a wrong no" : "a wrong yes"} costs beside it, as in ${given} 1 ${lacking} 5.`,
    );
  }
  const isAsked = importance || rows !== undefined || repeats !== undefined;
  const progress = progressLine();
  const permuted = progressLine("permuted rows");
  const result = await evaluate(model, data, {
    ...options,
    ...rest,
    ...(costFp !== undefined && costFn !== undefined && { costs: { falsePositive: costFp, falseNegative: costFn } }),
    ...(isAsked && { importance: { rows, repeats } }),
    reading: readingOf({ ...flags, ...(encoding !== undefined && { encoding }) }),
    onProgress: progress.show,
    onImportance: permuted.show,
  });
  progress.end();
  permuted.end();
  result.notes.forEach(tellNote);
  say(json ? JSON.stringify(result, null, 2) : evaluationLines(result, flags.by, widthOf(process.stdout)).join("\n"));
}

async function evaluateTextCommand(
  model: string,
  data: readonly string[],
  { json, ...flags }: { readonly [F in "json" | "field" | "encoding" | "separator"]?: EvaluateFlags[F] | undefined },
  { say, ...options }: ServeCommandOptions,
): Promise<void> {
  const { evaluateText } = await import("../text/evaluate-text.js");
  const progress = progressLine("tokens");
  const result = await evaluateText(model, data, { ...options, ...flags, onProgress: progress.show });
  progress.end();
  say(json ? JSON.stringify(result, null, 2) : textEvaluationLines(result).join("\n"));
}
