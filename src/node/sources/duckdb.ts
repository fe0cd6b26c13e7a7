/**
 * DuckDB behind a small door: loaded when first needed, one in-memory database, numeric results as 4-byte words. No SQL that
 * runs in it can reach a file that was not named when it was opened.
 */
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { literal, patternOf } from "../../data/sql.js";
import { DataError, messageOf } from "../../errors.js";
import { bytes } from "../../report/format.js";
import { type Closable, closable } from "../../runtime/closable.js";
import { memoryBudget } from "./memory.js";

/** Each thread reads text through buffers of its own, which must all fit. */
const THREAD_BYTES = 64e6;

/** Rows of one of DuckDB's chunks. */
const CHUNK_ROWS = 2048;

/** An open in-memory database; close it when done. */
export interface Database extends Closable {
  /** DuckDB's version. */
  readonly version: string;
  /** The bytes that it may use before it spills to disk. */
  readonly memoryBytes: number;
  /** How much of the statement that runs is done, 0 to 1; null while that is not known. */
  progress(): number | null;
  /** Run one statement. */
  run(sql: string): Promise<void>;
  /** All rows of a small result. */
  rows(sql: string): Promise<readonly (readonly unknown[])[]>;
  /** A result of INTEGER and FLOAT columns without nulls, as row-major words, a chunk at a time. */
  words(sql: string, dtypes: readonly ("int32" | "float32")[]): AsyncGenerator<Int32Array, void, void>;
  /** A result of DOUBLE and VARCHAR columns without nulls, a chunk of some thousand rows at a time. */
  columns(sql: string, types: readonly ("number" | "text")[]): AsyncGenerator<ValueColumns, void, void>;
  /** Append rows to a table of FLOAT, DOUBLE and VARCHAR columns. */
  append(table: string, columns: readonly (Float32Array | Float64Array | string[])[]): Promise<void>;
}

/** Columns of equal length. */
export type ValueColumns = readonly (Float64Array | string[])[];

/** The files that the SQL of a database may reach, and the signal that stops it. */
export interface DatabaseOptions {
  /** The files that statements may read; none by default. */
  readonly reads?: readonly string[] | undefined;
  /** The files that statements may write; none by default. */
  readonly writes?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Open a database that spills to `spillFolder`. Its statements reach the files of `reads` and `writes` and nothing else: no
 * other file, no network, no extension, no setting. Aborting the signal interrupts the running statement, which then
 * rejects with the signal's reason. Throws {@link DataError} with the install command when DuckDB is not installed.
 */
export async function openDuckdb(
  spillFolder: string,
  { reads = [], writes = [], signal }: DatabaseOptions = {},
): Promise<Database> {
  const { DuckDBDataChunk: DataChunk, DuckDBInstance, DOUBLE, FLOAT, VARCHAR, version } = await loadDuckdb();
  const memoryBytes = memoryBudget();
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(Math.max(1, Math.min(availableParallelism(), Math.floor(memoryBytes / THREAD_BYTES)))),
    temp_directory: spillFolder,
    memory_limit: `${memoryBytes}B`,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  signal?.addEventListener("abort", interrupt);

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      throw /Out of Memory/i.test(messageOf(error)) ? tooLittleMemory(memoryBytes, error) : error;
    }
  }

  const calls: Omit<Database, keyof Closable> = {
    version: version(),
    memoryBytes,
    progress() {
      const { percentage } = connection.progress;
      return percentage >= 0 ? percentage / 100 : null;
    },
    async run(sql) {
      await guarded(() => connection.run(sql));
    },
    rows: (sql) => guarded(async () => (await connection.run(sql)).getRowsJS()),
    async *words(sql, dtypes) {
      const result = await guarded(() => connection.stream(sql));
      for (;;) {
        const chunk = await guarded(() => result.fetchChunk());
        if (chunk === null || chunk.rowCount === 0) return;
        const words = new Int32Array(chunk.rowCount * dtypes.length);
        const floats = new Float32Array(words.buffer);
        for (const [column, dtype] of dtypes.entries()) {
          const vector = chunk.getColumnVector(column);
          const out = dtype === "int32" ? words : floats;
          for (let row = 0, at = column; at < out.length; row++, at += dtypes.length) {
            out[at] = vector.getItem(row) as number;
          }
        }
        yield words;
      }
    },
    async *columns(sql, types) {
      // A connection of its own: another statement on this one would end the stream.
      const own = await guarded(() => instance.connect());
      const stop = () => own.interrupt();
      signal?.addEventListener("abort", stop);
      try {
        const result = await guarded(() => own.stream(sql));
        for (;;) {
          const chunk = await guarded(() => result.fetchChunk());
          if (chunk === null || chunk.rowCount === 0) return;
          yield columnsOf(chunk, types);
        }
      } finally {
        signal?.removeEventListener("abort", stop);
        own.closeSync();
      }
    },
    append: (table, columns) =>
      guarded(async () => {
        const appender = await connection.createAppender(table);
        const numRows = columns[0]?.length ?? 0;
        for (let start = 0; start < numRows; start += CHUNK_ROWS) {
          const part = columns.map((column) => Array.from<number | string>(column.slice(start, start + CHUNK_ROWS)));
          const chunk = DataChunk.create(
            columns.map((column) =>
              Array.isArray(column) ? VARCHAR : column instanceof Float64Array ? DOUBLE : FLOAT,
            ),
          );
          chunk.setColumns(part);
          appender.appendDataChunk(chunk);
        }
        appender.closeSync();
      }),
  };
  const database = closable(calls, async () => {
    signal?.removeEventListener("abort", interrupt);
    connection.closeSync();
    instance.closeSync();
  });
  // So that a time stamp with a zone is rendered, and hashed, alike on every machine.
  await database.run("set global timezone = 'UTC'");
  // Without the progress bar no progress is counted; it is not printed either way.
  await database.run("set enable_progress_bar = true");
  await database.run("set enable_progress_bar_print = false");
  await database.run(
    `set allowed_paths = [${[...reads.flatMap(pathsRead), ...writes.flatMap(pathsWritten)].map(pathLiteral).join(", ")}]`,
  );
  await database.run("set enable_external_access = false");
  await database.run("set lock_configuration = true");
  return database;
}

/** The paths that DuckDB opens when it reads a file: the pattern, then the file. */
function pathsRead(path: string): string[] {
  return [...new Set([path, patternOf(path)])];
}

/** The paths that DuckDB opens when it writes a file that may exist: it writes another file and renames it. */
function pathsWritten(path: string): string[] {
  return [path, join(dirname(path), `tmp_${basename(path)}`)];
}

function pathLiteral(path: string): string {
  return literal(resolve(path));
}

function tooLittleMemory(memoryBytes: number, cause: unknown): DataError {
  return new DataError(
    `data: DuckDB needs more memory than it may use, ${bytes(memoryBytes)}, though it puts on disk what it can. Give it more, as CODISTILL_MEMORY=${Math.ceil((2 * memoryBytes) / 1e6)}MB, or read fewer columns.`,
    { cause },
  );
}

function columnsOf(chunk: DuckDBDataChunk, types: readonly ("number" | "text")[]): ValueColumns {
  const length = chunk.rowCount;
  return types.map((type, index) => {
    const vector = chunk.getColumnVector(index);
    return type === "number"
      ? Float64Array.from({ length }, (_, row) => vector.getItem(row) as number)
      : Array.from({ length }, (_, row) => vector.getItem(row) as string);
  });
}

async function loadDuckdb() {
  try {
    return await import("@duckdb/node-api");
  } catch (error) {
    throw new DataError(
      `data: reading CSV, Parquet and JSON needs DuckDB, which could not be loaded (${messageOf(error)}). Install it: npm install @duckdb/node-api`,
      { cause: error },
    );
  }
}
