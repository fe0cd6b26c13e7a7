/** The commands that begin with text instead of a configuration, and the rule by which data is text. */
import { ConfigError } from "../../errors.js";
import { textConfigurationOf } from "../../infer/text-plan.js";
import { planLines } from "../../report/description.js";
import { bytes, counted, shortened } from "../../report/format.js";
import { printable } from "../../report/printable.js";
import { applyOverrides, resolveConfig } from "../../run/config.js";
import { loadConfig } from "../runs/load-config.js";
import { noteTeachers } from "../runs/text-teachers.js";
import { writtenLine } from "../runs/write-config.js";
import { expandSource, formatOfName, type SourceKind } from "../sources/source-files.js";
import { describeText, type TextDescription, writeTextRun } from "../text/infer-text.js";
import { teachingOf } from "../text/teaching.js";
import { flagOf } from "./flags.js";
import type { TableCommandOptions, TableFlags } from "./table-commands.js";

/** Flags of text beside those of tables. */
export interface TextFlags {
  readonly field?: string;
  readonly encoding?: string;
  readonly separator?: string;
}

/** Flags that are of tables alone. */
const TABLE_FLAGS = [
  ...([
    "numeric",
    "categorical",
    "ignore",
    "time",
    "groupBy",
    "weight",
    "positive",
    "task",
    "preset",
    "maxBadRows",
  ] as const),
  ...(["columns", "delimiter", "nullValues", "decimal", "dateFormat"] as const),
];

const WIDTH = 100;

/**
 * Whether data is text to learn a language model from: no label is given, and there is a column of texts (`--field`),
 * or all files have other endings than tables, such as `.txt`. Throws {@link ConfigError} for flags that exclude each
 * other, and {@link DataError} when there are no such files.
 */
export async function isText(command: string, flags: TableFlags & TextFlags): Promise<boolean> {
  const { data, label, preset, field } = flags;
  if (field !== undefined && label !== undefined)
    throw new ConfigError(
      `${command}: --field (${field}) names a column of texts for a language model, and --label (${label}) what is predicted of a row. Give one of them.`,
    );
  const { separator } = flags;
  if (separator !== undefined && label !== undefined)
    throw new ConfigError(
      `${command}: --separator stands between the documents of text, and --label (${label}) is predicted of the rows of a table. Give one of them.`,
    );
  if (data === undefined) {
    if (field === undefined) return false;
    throw new ConfigError(
      `${command} from text needs --data, as in: codistill ${command} --data "pages/*.jsonl" --field ${field}`,
    );
  }
  const isOfTable = label !== undefined || preset !== undefined;
  const names = await namesOf(data, isOfTable ? "table" : "text");
  const texts = names.filter((name) => !isTable(name));
  if (isOfTable) {
    if (names.length > 0 && texts.length === names.length && !names.some((name) => /\.txt(\.gz)?$/i.test(name)))
      throw new ConfigError(
        `${command}: ${label === undefined ? "--preset" : "--label"} is of tables (CSV, TSV, JSON lines, Parquet, told by the ending), and ${texts[0]} is text. Leave it out to learn a language model of the text, or rename the file.`,
      );
    return false;
  }
  const isOne = field !== undefined || texts.length === names.length;
  if (!isOne) return false;
  const wrong = TABLE_FLAGS.find((flag) => flags[flag] !== undefined);
  if (wrong === undefined) return true;
  const flag = flagOf(wrong);
  throw new ConfigError(
    `${command}: ${flag} is of tables, and without --label ${field === undefined ? names[0] : `--field ${field}`} is text. Leave ${flag} out, or give --label to predict a column.`,
  );
}

/** The files of paths and patterns; addresses stand for themselves. Throws {@link DataError} when there are none. */
async function namesOf(data: readonly string[], kind: SourceKind): Promise<string[]> {
  const all = data.map((one) =>
    /^(https?|s3):\/\//i.test(one) ? [one.replace(/[?#].*$/, "")] : expandSource(one, kind),
  );
  return (await Promise.all(all)).flat();
}

function isTable(name: string): boolean {
  return formatOfName(name) !== undefined && !/\.txt(\.gz|\.zst)?$/i.test(name);
}

/** Show how text would be trained on; writes no file. */
export async function describeTextCommand(
  flags: TableFlags & TextFlags & { readonly json?: boolean },
  { say, ...options }: TableCommandOptions,
): Promise<void> {
  const { data = [], field, encoding, separator, json } = flags;
  const onProgress = (stage: string) => process.stderr.write(`${printable(stage)} ...\n`);
  const teaching = await teachingOf(flags);
  const description = await describeText(data, { ...options, field, encoding, separator, teaching, onProgress });
  if (json) {
    const configuration = textConfigurationOf({
      name: "text",
      source: data,
      tokenizer: teaching?.tokenizer ?? "bytes",
      field,
      encoding,
      separator,
      teaching,
      plan: description.plan,
    });
    return say(JSON.stringify({ kind: "text", ...description, configuration }, null, 2));
  }
  say(descriptionOf(description).join("\n"));
}

/** Look at the text, show the plan, learn a tokenizer, and write the configuration; returns its path. */
export async function configurationFromText(
  flags: TableFlags & TextFlags,
  { say, ...options }: TableCommandOptions,
): Promise<string> {
  const { data = [], field, encoding, separator, write, set = [] } = flags;
  const teaching = await teachingOf(flags);
  const reading = {
    ...options,
    teaching,
    field,
    encoding,
    separator,
    onProgress: (stage: string) => say(`${printable(stage)} ...`),
  };
  const description = await describeText(data, reading);
  // Reports wrong overrides before anything is written.
  const { plan } = description;
  const tokenizer = teaching?.tokenizer ?? "bytes";
  const draft = { name: "text", source: data, tokenizer, field, encoding, separator, teaching, plan };
  await noteTeachers(resolveConfig(applyOverrides(textConfigurationOf(draft), set)), loadConfig);
  say(["", ...descriptionOf(description)].join("\n"));
  const path = await writeTextRun(description, data, { ...reading, write });
  say(`${writtenLine(path, write)}\n`);
  return path;
}

function descriptionOf({ files, documents, bytes: size, beginning, plan, seconds }: TextDescription): string[] {
  const width = process.stdout.columns ?? WIDTH;
  const text = `${counted(documents, "document")} of text in ${counted(files, "file")}, ${bytes(size)}`;
  const begins = JSON.stringify(shortened(beginning, 60));
  return planLines({ reasons: { data: text, begins, ...plan.reasons } }, seconds, width).map(printable);
}
