/** `codistill predict`: the predictions of an exported model beside the rows of a table. */
import { availableParallelism } from "node:os";
import { extname, join } from "node:path";
import { literal } from "../data/sql.js";
import { ConfigError, DataError, messageOf } from "../errors.js";
import { decisions } from "../train/class-metrics.js";
import { outputNames } from "../train/task.js";
import { type Database, openDuckdb, type ValueColumns } from "./duckdb.js";
import { openModel, type ServedModel } from "./served-model.js";
import { definitions, freeName, openServedRows, servedRows } from "./served-rows.js";
import { inTemporaryFolder } from "./temporary-folder.js";

export interface PredictOptions {
  /** Where the rows go: .csv, .tsv, .parquet, .json or .jsonl; standard output as CSV by default. */
  readonly out?: string;
  /** Holds what does not fit into memory meanwhile, in a folder that goes away. */
  readonly cacheFolder: string;
  readonly signal?: AbortSignal;
  /** Called now and then with the rows that are predicted. */
  readonly onProgress?: (numRows: number, ofRows: number) => void;
}

export interface PredictResult {
  readonly rows: number;
  /** The columns that were appended. */
  readonly columns: readonly string[];
  readonly out: string | null;
  readonly seconds: number;
}

const STANDARD_OUTPUT = "/dev/stdout";
const formats: Readonly<Record<string, string>> = {
  ".csv": "format csv, header",
  ".tsv": "format csv, header, delimiter '\t'",
  ".parquet": "format parquet",
  ".json": "format json, array true",
  ".jsonl": "format json",
};

/**
 * Append the predictions of a model to the rows of files: `probability`, or `prediction` and `probability_<class>` for each
 * class, or `prediction`; with a number after the name where the table has such a column. The rows keep their order.
 *
 * Throws {@link ConfigError} for a file of an unknown kind, CheckpointError for a model that is none of ours, and
 * {@link DataError} when the files cannot be read, lack a column, or cannot be written.
 */
export async function predict(
  modelPath: string,
  source: string | readonly string[],
  { out, cacheFolder, signal, onProgress = () => {} }: PredictOptions,
): Promise<PredictResult> {
  const started = performance.now();
  const format = out === undefined ? formats[".csv"] : formats[extname(out).toLowerCase()];
  if (format === undefined) {
    throw new ConfigError(`predict: --out must end in ${Object.keys(formats).join(", ")}, got ${out}`);
  }
  const model = await openModel(modelPath, availableParallelism());
  try {
    return await inTemporaryFolder(cacheFolder, signal, async (temporary) => {
      const db = await openDuckdb(join(temporary, "spill"), signal);
      try {
        const { columns, numRows } = await openServedRows(db, source, model.inputs);
        const taken = columns.map(({ name }) => name);
        const appended = appendedColumns(model).map(({ name, type }) => ({ name: freeName(name, taken), type }));
        await predictInto(db, model, appended, (done) => onProgress(done, numRows));
        await write(db, out ?? STANDARD_OUTPUT, format);
        const seconds = (performance.now() - started) / 1000;
        return { rows: numRows, columns: appended.map(({ name }) => name), out: out ?? null, seconds };
      } finally {
        await db.close();
      }
    });
  } finally {
    await model.close();
  }
}

interface Appended {
  readonly name: string;
  readonly type: "double" | "varchar";
}

/** What a model says of a row. */
function appendedColumns({ task, classes }: ServedModel): Appended[] {
  if (classes === null) return [{ name: outputNames[task.kind], type: "double" }];
  return [
    { name: "prediction", type: "varchar" },
    ...classes.map((name): Appended => ({ name: `probability_${name}`, type: "double" })),
  ];
}

/** Fill the table `predictions` with a row for each of `source_rows`. */
async function predictInto(
  db: Database,
  model: ServedModel,
  columns: readonly Appended[],
  onProgress: (numRows: number) => void,
): Promise<void> {
  const names = columns.map(({ name }) => name);
  await db.run(
    `create table predictions (${definitions(
      names,
      columns.map(({ type }) => type),
    )})`,
  );
  let done = 0;
  for await (const { inputs } of servedRows(db, model.inputs)) {
    const predicted = await model.predict(inputs);
    await db.append("predictions", asColumns(predicted, model.classes));
    done += inputs[0]?.length ?? 0;
    onProgress(done);
  }
}

function asColumns(predicted: Float32Array, classes: readonly string[] | null): ValueColumns {
  if (classes === null) return [Float64Array.from(predicted)];
  const numClasses = classes.length;
  const numRows = predicted.length / numClasses;
  return [
    Array.from(decisions(predicted, numClasses), (k) => classes[k] ?? ""),
    ...classes.map((_, k) => Float64Array.from({ length: numRows }, (_, row) => predicted[row * numClasses + k] ?? 0)),
  ];
}

async function write(db: Database, out: string, format: string): Promise<void> {
  const rows = "select * from source_rows positional join predictions";
  try {
    await db.run(`copy (${rows}) to ${literal(out)} (${format})`);
  } catch (error) {
    throw new DataError(`predict: ${out} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
