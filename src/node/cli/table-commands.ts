/** The commands that begin with data instead of a configuration. */
import type { Command } from "commander";
import { ConfigError } from "../../errors.js";
import { targetScales } from "../../infer/column.js";
import { configurationOf } from "../../infer/configuration.js";
import { type Preset, presetNames, presets } from "../../infer/presets.js";
import { nearest } from "../../nearest.js";
import { descriptionLines, overrideLines, planLines } from "../../report/description.js";
import { firstLookLines } from "../../report/first-look.js";
import { printable } from "../../report/printable.js";
import { applyOverrides, resolveConfig } from "../../run/config.js";
import { taskKinds } from "../../run/task-schema.js";
import { writtenLine } from "../runs/write-config.js";
import { type DescribeOverrides, describeTable } from "../table/infer/describe.js";
import { lookAtTable } from "../table/infer/first-look.js";
import { inferRun, writeConfiguration } from "../table/infer/infer-run.js";
import { modelPathOf } from "../table/infer/teachers.js";
import { flagOf, share, someDuration, someText } from "./flags.js";
import { hasImages, type ImageFlags, withImageFlags } from "./image-flags.js";
import { describeImagesCommand } from "./images-from-data.js";
import { listOf, type ReadingFlags, readingOf, several, withReadingFlags } from "./reading-flags.js";
import { elapsedSeconds, readWithin } from "./time-budget.js";

/** Flags that name the data, and those that override what would be inferred from it. */
export interface TableFlags extends ReadingFlags {
  readonly data?: readonly string[];
  readonly label?: string;
  /** The column of texts. */
  readonly field?: string;
  /** The text between two documents of a plain text file. */
  readonly separator?: string;
  readonly numeric?: readonly string[];
  readonly categorical?: readonly string[];
  readonly ignore?: readonly string[];
  readonly time?: string;
  readonly groupBy?: string;
  readonly weight?: string;
  /** Teachers that do not change, each a model, a column or SQL, and the model to stay close to. */
  readonly teacher?: readonly string[];
  readonly anchor?: string;
  readonly teacherWeight?: number;
  readonly positive?: string;
  readonly task?: string;
  readonly targetScale?: string;
  readonly preset?: string;
  readonly timeBudget?: number;
  readonly columns?: readonly string[];
  /** Options of the configuration that the user sets, in train. */
  readonly set?: readonly string[];
  /** Where the configuration is written. */
  readonly write?: string;
}

export interface TableCommandOptions {
  readonly cacheFolder: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Takes the notes on the data that were said. */
  readonly said?: Set<string> | undefined;
}

/** The flag that names the configuration which data makes. */
export const WRITE = ["--write <file>", "where --data writes the configuration", "codistill.config.ts"] as const;

/** The width of lines where the output is not a terminal. */
const WIDTH = 100;

/** What a budget of time is of, where data makes one run. */
const BUDGET =
  "the most time from the start of the command to the model (90s, 5m); two minutes of training by default, or less where the table needs less";

/** The same of a command that trains many runs. */
export const BUDGET_OF_RUNS =
  "how long all runs together may take (90s, 2h); what does not fit is said before it starts, and left for --resume. No limit by default";

/** Add the flags on data. `budget` says what --time-budget is of. */
export function withTableFlags(command: Command, budget = BUDGET): Command {
  const named = command
    .option("--data <paths...>", "files or globs: Parquet, CSV, TSV, JSON lines, .gz; or text, where no label is given")
    .option("--label <column or SQL>", 'what to predict: a column, or an expression such as "delay >= 15"')
    .option("--field <column>", "of files that have columns: learn a language model of the texts in this one")
    .option(
      "--separator <text>",
      'what stands between the documents of a plain text file, as "<|endoftext|>" or "\\n\\n\\n"; each file is one without it',
      someText,
    )
    .option("--numeric <columns>", "columns to take as quantities, parted by commas; may come several times", several)
    .option("--categorical <columns>", "columns to take as names", several)
    .option("--ignore <columns>", "columns to leave out", several)
    .option("--time <column>", "split by this column: train on the past, score on what came later")
    .option("--group-by <column or SQL>", "rows of one value are in one split, as all those of a customer")
    .option("--weight <column or SQL>", "how much the loss of a row counts, in training, validation and test")
    .option(
      "--teacher <run, model or column>",
      "learn from this too: a finished run or its model.onnx, or a column or SQL with the predictions of any model; of several classes columns as probability_*, where * is a class; may come several times",
      (one: string, before: readonly string[] = []) => [...before, one],
    )
    .option(
      "--anchor <run or model>",
      "the run or the model.onnx in use, to whose predictions the new model stays close",
    )
    .option(
      "--teacher-weight <share>",
      "how much of the label loss teachers and anchor make, from 0 to 1; 0.5 by default",
      share,
    )
    .option("--positive <value>", "of a label of two values, the one that is yes")
    .option("--task <kind>", "binary, multiclass or regression, where the label does not say so")
    .option(
      "--target-scale <scale>",
      "how a label that is a number is learned: linear or log; log by default where it is never negative and has a long tail",
    )
    .option("--columns <names>", "the names of all columns, for CSV or TSV without a header", listOf)
    .option("--time-budget <duration>", budget, someDuration)
    .option("--preset <name>", presetNames.map((name) => `${name}: ${presets[name].what}`).join("; "));
  return withReadingFlags(named);
}

/** Add the flags of `codistill describe`. */
export function withDescribeFlags(command: Command): Command {
  return withImageFlags(withTableFlags(command))
    .description(
      "show what training from data would make of it: columns, task, split, network, duration; without a label what the columns hold",
    )
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      '\nExamples:\n  codistill describe --data "rides/*.parquet"\n  codistill describe --data "rides/*.parquet" --label late\n  codistill describe --images photos\n  codistill describe --data rides.csv --label "minutes > 5" --time started --ignore id,notes --json',
    );
}

/** Whether any of these flags was given. */
export function hasTableFlags(flags: TableFlags): boolean {
  const { data, label, numeric, categorical, ignore, time, groupBy, weight, positive, task, preset } = flags;
  const { maxBadRows, columns, timeBudget, teacher, anchor, teacherWeight } = flags;
  const { encoding, delimiter, nullValues, decimal, dateFormat } = flags;
  const of = [data, label, numeric, categorical, ignore, time, groupBy, weight, positive, task, preset];
  const all = [...of, maxBadRows, columns, timeBudget, teacher, anchor, teacherWeight];
  const ofText = [encoding, delimiter, nullValues, decimal, dateFormat, flags.field, flags.separator];
  return [...all, flags.targetScale, ...ofText].some((flag) => flag !== undefined);
}

/** Show how a table, or images, would be trained on, or without a label what its columns hold; writes no file. */
export async function describeCommand(
  flags: TableFlags & ImageFlags & { readonly json?: boolean },
  { say, ...options }: TableCommandOptions,
): Promise<void> {
  if (hasImages("describe", flags)) return describeImagesCommand(flags, { say, ...options });
  const width = process.stdout.columns ?? WIDTH;
  if (flags.data !== undefined && flags.label === undefined && flags.preset === undefined) {
    checkNoLabelFlags(flags);
    const look = await lookAtTable(flags.data, overridesOf(flags), options);
    return say(flags.json ? JSON.stringify(look, null, 2) : firstLookLines(look, width).join("\n"));
  }
  const { data, label, preset } = required(flags);
  const description = await readWithin(flags.timeBudget, options.signal, (signal) =>
    describeTable(data, label, overridesOf(flags, preset), { ...options, signal }),
  );
  const run = await inferRun(description, data, { preset, budget: budgetOf(flags) });
  if (flags.json) {
    const { seconds, plan } = run;
    say(JSON.stringify({ ...description, plan, seconds, configuration: configurationOf(run) }, null, 2));
    return;
  }
  const lines = [...descriptionLines(description, width), "", ...planLines(run.plan, run.seconds, width)];
  say([...lines, "", ...overrideLines(width)].join("\n"));
}

/** Look at the data, show the plan, and write the configuration; returns its path. */
export async function configurationFromData(
  flags: TableFlags,
  { say, said, ...options }: TableCommandOptions,
): Promise<string> {
  const { data, label, preset } = required(flags);
  const width = process.stdout.columns ?? WIDTH;
  const onProgress = (stage: string) => say(stage);
  const overrides = overridesOf(flags, preset);
  const description = await readWithin(flags.timeBudget, options.signal, (signal) =>
    describeTable(data, label, overrides, { ...options, signal, onProgress }),
  );
  say([...descriptionLines(description, width), "", ...overrideLines(width), ""].join("\n"));
  for (const { text } of description.hints) said?.add(printable(text));
  const run = await inferRun(description, data, { preset, budget: budgetOf(flags) });
  // Reports wrong overrides before a file is written.
  resolveConfig(applyOverrides(configurationOf(run), flags.set ?? []));
  const path = writeConfiguration(run, [data, label, overrides, flags.preset, flags.timeBudget], flags.write);
  say([...planLines(run.plan, run.seconds, width), writtenLine(path, flags.write), ""].join("\n"));
  return path;
}

/** The budget of the command, and what of it went into looking at the data, which is all that happened since the process began. */
function budgetOf({ timeBudget }: TableFlags) {
  return timeBudget === undefined ? undefined : { seconds: timeBudget, readSeconds: elapsedSeconds() };
}

/** Throws {@link ConfigError} for flags that say something of a label that was not named. */
function checkNoLabelFlags(flags: TableFlags): void {
  const { positive, task, targetScale, groupBy, weight } = flags;
  const given = Object.entries({ positive, task, targetScale, groupBy, weight }).find(
    ([, value]) => value !== undefined,
  );
  if (given === undefined) return;
  const flag = flagOf(given[0]);
  throw new ConfigError(
    `describe: ${flag} (${given[1]}) says how a label is learned, and there is none. Name the column to predict with --label, or leave ${flag} out to look at the columns.`,
  );
}

interface Required {
  readonly data: readonly string[];
  readonly label: string;
  readonly preset: Preset | undefined;
}

function required({ data, label: given, preset: name }: TableFlags): Required {
  const preset = name === undefined ? undefined : presetNamed(name);
  const label = given ?? preset?.data?.label;
  if (data !== undefined && label !== undefined) return { data, label, preset };
  const missing = [data === undefined ? "--data" : "", label === undefined ? "--label" : ""].filter(Boolean);
  throw new ConfigError(
    `data and a label make a configuration, and ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} missing, as in --data "rides/*.parquet" --label "minutes_late > 5"; codistill describe --data without a label shows the columns that there are; a language model of a column of texts is learned with --field in place of --label`,
  );
}

function presetNamed(name: string): Preset {
  const known = presetNames.find((one) => one === name);
  if (known) return presets[known];
  const near = nearest(name, presetNames);
  throw new ConfigError(
    `--preset must be ${presetNames.join(" or ")}, got "${name}"${near === undefined ? "" : `. Did you mean ${near}?`}`,
  );
}

function overridesOf(flags: TableFlags, preset?: Preset): DescribeOverrides {
  const { numeric, categorical, ignore, time, groupBy, weight, positive, task, targetScale } = flags;
  const { maxBadRows, columns, teacher = [], anchor, teacherWeight } = flags;
  const reading = readingOf(flags);
  const kind = taskKinds.find((one) => one === task);
  if (task !== undefined && kind === undefined) {
    throw new ConfigError(`--task must be ${taskKinds.join(", ")}, got "${task}"`);
  }
  if (time !== undefined && groupBy !== undefined) {
    throw new ConfigError(
      `--time and --group-by are two ways to split, got ${time} and ${groupBy}: leave one out, or write predicates as data.split of a configuration`,
    );
  }
  const teachers = [...teacher, ...(anchor === undefined ? [] : [anchorModel(anchor)])];
  if (teacherWeight !== undefined && teachers.length === 0) {
    throw new ConfigError(
      `--teacher-weight is of --teacher or --anchor, and neither is given, got ${teacherWeight}: name a teacher, or leave it out`,
    );
  }
  const scale = targetScales.find((one) => one === targetScale);
  if (targetScale !== undefined && scale === undefined) {
    throw new ConfigError(`--target-scale must be ${targetScales.join(" or ")}, got "${targetScale}"`);
  }
  return {
    ...(preset?.data && { ...preset.data.roles, columns: preset.data.columns ?? [] }),
    ...(numeric && { numeric }),
    ...(categorical && { categorical }),
    ...(ignore && { ignore }),
    ...(time !== undefined && { time }),
    ...(groupBy !== undefined && { groupBy }),
    ...(weight !== undefined && { weight }),
    ...(teachers.length > 0 && { teachers }),
    ...(teacherWeight !== undefined && { teacherWeight }),
    ...(positive !== undefined && { positive }),
    ...(kind && { task: kind }),
    ...(scale && { targetScale: scale }),
    ...(maxBadRows !== undefined && { maxBadRows }),
    ...(columns && { columns }),
    ...(Object.keys(reading).length > 0 && { reading }),
  };
}

/** Throws {@link ConfigError} for an anchor that is no model. */
function anchorModel(anchor: string): string {
  const model = modelPathOf(anchor);
  if (model !== null) return model;
  throw new ConfigError(
    `--anchor is a run or its model.onnx, got ${anchor}. The predictions of another model may teach as a column of the table: --teacher <column>.`,
  );
}
