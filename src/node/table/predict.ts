/** `codistill predict`: the predictions of an exported model beside the rows of a table. */
import { createReadStream, existsSync, realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import { extname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { identifier, literal } from "../../data/sql.js";
import { ConfigError, DataError, messageOf } from "../../errors.js";
import { sqlNames } from "../../reading/names.js";
import { printable } from "../../report/printable.js";
import { type Unlike, type UnlikeFound, unlikeCounter } from "../../serving/seen.js";
import type { Database } from "../sources/duckdb.js";
import { localCopies } from "../sources/remote-files.js";
import { findFiles } from "../sources/source-files.js";
import { type Appended, appendedColumns, asColumns } from "./predicted-columns.js";
import { type DecisionOptions, type Decisions, decisionsOf } from "./served-decisions.js";
import { type ServedFilesOptions, withServedFiles } from "./served-files.js";
import { openModel, type ServedModel } from "./served-model.js";
import { type CheckedInput, servedRows } from "./served-rows.js";

export interface PredictOptions extends DecisionOptions, ServedFilesOptions {
  /** Where the rows go: .csv, .tsv, .parquet, .json or .jsonl; standard output as CSV by default. */
  readonly out?: string | undefined;
}

export interface PredictResult {
  readonly rows: number;
  /** The columns that were appended. */
  readonly columns: readonly string[];
  /** The appended columns that were renamed, as the table or another class has their name already. */
  readonly renamed: readonly { readonly wanted: string; readonly name: string }[];
  readonly out: string | null;
  readonly seconds: number;
  /** Columns with rows that are unlike those of training, counted. */
  readonly unlike: readonly Unlike[];
  /**
   * Notes on files that disagree with how training read its files, and on columns with rows that are unlike those of
   * training.
   */
  readonly notes: readonly string[];
}

const formats: Readonly<Record<string, string>> = {
  ".csv": "format csv, header",
  ".tsv": "format csv, header, delimiter '\t'",
  ".parquet": "format parquet",
  ".json": "format json, array true",
  ".jsonl": "format json",
};

/**
 * Append the predictions of a model to the rows of files, which keep their order. The columns are `prediction`, and for
 * classes also the probability of the positive class as `probability_<its value>`, or those of all classes; with an
 * interval `prediction_low` and `prediction_high`. A number is added to a name that the table or another class has
 * already, in whatever case.
 *
 * @throws ConfigError for a file of an unknown kind, and for a threshold or an interval that the model has none of
 * @throws CheckpointError for a file that is not a model of codistill
 * @throws DataError when the files cannot be read, lack a column, or cannot be written
 * @example
 * import { predict } from "codistill/node";
 * const { rows, columns } = await predict("model.onnx", "rows.csv", { out: "predicted.csv", cacheFolder: ".cache" });
 * console.log(rows, columns);
 */
export async function predict(
  modelPath: string,
  source: string | readonly string[],
  { out, threshold, interval, onProgress = () => {}, ...options }: PredictOptions,
): Promise<PredictResult> {
  const started = performance.now();
  const format = out === undefined ? formats[".csv"] : formats[extname(out).toLowerCase()];
  if (format === undefined) {
    throw new ConfigError(`predict: --out must end in ${Object.keys(formats).join(", ")}, got ${out}`);
  }
  const files = await localCopies(source, { cacheFolder: options.cacheFolder, signal: options.signal });
  if (out !== undefined) await checkOther(out, files);
  const model = await openModel(modelPath, availableParallelism());
  try {
    const decisions = decisionsOf(model, { threshold, interval });
    const target = (temporary: string) => out ?? join(temporary, "rows.csv");
    return await withServedFiles(files, model, options, { writes: target }, async (opened, temporary) => {
      const { db, columns, numRows, inputs, notes } = opened;
      const file = target(temporary);
      const taken = columns.map(({ name, header = name }) => header);
      const appended = appendedColumns(model, taken, decisions);
      const found = await predictInto(db, model, { inputs, appended, decisions }, (done) => onProgress(done, numRows));
      // From CSV to CSV, every value stays as it was written, "yes" and "007" included.
      const isAsWritten = format.startsWith("format csv") && (opened.format === "csv" || opened.format === "tsv");
      const own = columns.map(({ name, header = name }) => ({ sql: identifier(name), name: header }));
      const all = [...own, ...appended.map(({ name }, i) => ({ sql: predicted(i), name }))];
      await write(db, `${isAsWritten ? "source_text" : "source_rows"} positional join predictions`, all, file, format);
      if (out === undefined) await toStandardOutput(file);
      const seconds = (performance.now() - started) / 1000;
      const renamed = appended.filter(({ name, wanted }) => name !== wanted);
      return {
        rows: numRows,
        columns: appended.map(({ name }) => name),
        renamed: renamed.map(({ name, wanted }) => ({ wanted, name })),
        out: out ?? null,
        seconds,
        unlike: found.unlike,
        notes: [...notes, ...found.notes],
      };
    });
  } finally {
    await model.close();
  }
}

/** Throws {@link ConfigError} when the rows would be written over a file that they are read from. */
async function checkOther(out: string, source: string | readonly string[]): Promise<void> {
  if (!existsSync(out)) return;
  const { files } = await findFiles(source);
  if (!files.some((file) => realpathSync(file) === realpathSync(out))) return;
  throw new ConfigError(
    `predict: --out must be another file than those that are read, and ${out} is one of them. Name another one, as predicted${extname(out)}.`,
  );
}

/** The SQL name of an appended column, as its own name may differ from another column's in case alone. */
const predicted = (i: number) => identifier(`codistill prediction ${i}`);

/**
 * Fill the table `predictions` with a row for each of `source_rows`; returns the counts of rows that are unlike
 * training.
 */
async function predictInto(
  db: Database,
  model: ServedModel,
  {
    inputs: served,
    appended,
    decisions,
  }: {
    readonly inputs: readonly CheckedInput[];
    readonly appended: readonly Appended[];
    readonly decisions: Decisions;
  },
  onProgress: (numRows: number) => void,
): Promise<UnlikeFound> {
  const definitions = appended.map(({ type }, i) => `${predicted(i)} ${type}`);
  await db.run(`create table predictions (${definitions.join(", ")})`);
  const counter = unlikeCounter(model.inputs, model.seen);
  let done = 0;
  for await (const { inputs } of servedRows(db, served)) {
    const { predicted, valuesOf } = await model.predict(inputs);
    await db.append("predictions", asColumns(predicted, model, decisions));
    counter.add(inputs, valuesOf);
    done += inputs[0]?.length ?? 0;
    onProgress(done);
  }
  return counter.found();
}

async function* printableParts(parts: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const part of parts) yield printable(part);
}

/**
 * Copy the rows to standard output. DuckDB writes to a temporary file first, since it would truncate a file that
 * standard output goes to.
 */
async function toStandardOutput(file: string): Promise<void> {
  try {
    // Texts of a table may hold control characters that a terminal obeys.
    if (process.stdout.isTTY)
      await pipeline(createReadStream(file, "utf8"), printableParts, process.stdout, { end: false });
    else await pipeline(createReadStream(file), process.stdout, { end: false });
  } catch (error) {
    // The reader, such as `head`, has read enough.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return;
    const why = `standard output takes no more (${messageOf(error)})`;
    throw new DataError(`predict: ${why}, so the rows are not whole. Give --out <file>.`, { cause: error });
  }
}

async function write(
  db: Database,
  rows: string,
  columns: readonly { readonly sql: string; readonly name: string }[],
  out: string,
  format: string,
): Promise<void> {
  const names = sqlNames(columns.map(({ name }) => name));
  const isClash = names.some(({ header }) => header !== undefined);
  const outputs = columns.map(({ sql }, i) => `${sql} as ${identifier(names[i]?.name ?? "")}`);
  const query = `select ${outputs.join(", ")} from ${rows}`;
  // In SQL no two names may differ in case alone; in a first row written as values they may.
  const header = columns.map(({ name }) => literal(name)).join(", ");
  const texts = columns.map(({ sql }) => `cast(${sql} as varchar)`).join(", ");
  const [what, how] =
    isClash && format.startsWith("format csv")
      ? [`select ${header} union all (select ${texts} from ${rows})`, format.replace("header", "header false")]
      : [query, format];
  try {
    await db.run(`copy (${what}) to ${literal(resolve(out))} (${how})`);
  } catch (error) {
    throw new DataError(`predict: ${out} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
