/** DuckDB behind a small door: loaded when first needed, one in-memory database, numeric results as 4-byte words. */
import { availableParallelism } from "node:os";
import { DataError, messageOf } from "../errors.js";

/** An open in-memory database; close it when done. */
export interface Database {
  /** DuckDB's version. */
  readonly version: string;
  /** Run one statement. */
  run(sql: string): Promise<void>;
  /** All rows of a small result. */
  rows(sql: string): Promise<readonly (readonly unknown[])[]>;
  /** A result of INTEGER and FLOAT columns without nulls, as row-major words, a chunk at a time. */
  words(sql: string, dtypes: readonly ("int32" | "float32")[]): AsyncGenerator<Int32Array, void, void>;
  close(): Promise<void>;
}

/**
 * Open a database that spills to `spillFolder`. Aborting the signal interrupts the running statement, which then
 * rejects with the signal's reason. Throws {@link DataError} with the install command when DuckDB is not installed.
 */
export async function openDuckdb(spillFolder: string, signal?: AbortSignal): Promise<Database> {
  const { DuckDBInstance, version } = await loadDuckdb();
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(availableParallelism()),
    temp_directory: spillFolder,
    autoinstall_known_extensions: "false",
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
      throw error;
    }
  }

  const database: Database = {
    version: version(),
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
    async close() {
      signal?.removeEventListener("abort", interrupt);
      connection.closeSync();
      instance.closeSync();
    },
  };
  // So that a time stamp with a zone is rendered, and hashed, alike on every machine.
  await database.run("set timezone = 'UTC'");
  return database;
}

async function loadDuckdb() {
  try {
    return await import("@duckdb/node-api");
  } catch (error) {
    throw new DataError(
      `table: reading CSV, Parquet and JSON needs DuckDB, which could not be loaded (${messageOf(error)}). Install it: npm install @duckdb/node-api`,
      { cause: error },
    );
  }
}
