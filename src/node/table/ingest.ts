/** Tables into training caches: DuckDB reads the source once, everything after reads the cache. */
import { join } from "node:path";
import { type RecordLayout, type Rows, recordLayout, type TrainingRows } from "../../data/records.js";
import type { Preprocessing } from "../../data/table.js";
import type { Reading } from "../../reading/reading.js";
import type { Serving } from "../../serving/expression.js";
import type { SeenValues } from "../../serving/seen.js";
import { cachedFolder } from "../files/temporary-folder.js";
import { openDuckdb } from "../sources/duckdb.js";
import { withShares } from "../sources/progress.js";
import { localCopies } from "../sources/remote-files.js";
import { assertUnchanged, sourceFiles } from "../sources/source-files.js";
import { openTable, type ReadSpec, tableDigest } from "./table-cache.js";
import { writeTable } from "./table-writer.js";
import { openFiles } from "./text-files.js";

export { type CachedTable, type OpenTableOptions, openTable } from "./table-cache.js";

/** A table ready for training. */
export interface PreparedTable {
  readonly spec: ReadSpec;
  readonly layout: RecordLayout;
  readonly preprocessing: Preprocessing;
  /** How a served model makes the features of columns. */
  readonly serving: Serving;
  /** The values that training rows have of each feature. */
  readonly seen: Readonly<Record<string, SeenValues>>;
  /** How the text of the files became values. */
  readonly reading: Reading;
  /** Notes on the reading for the user, in sentences. */
  readonly notes: readonly string[];
  readonly train: TrainingRows;
  readonly validation: Rows;
  readonly test: Rows;
  /** Training rows that no group's filter wants, which are not in `train`. */
  readonly numUnassigned: number;
  /** Malformed lines of the source, which were left out. */
  readonly numMalformed: number;
  /** Whether the cache existed already. */
  readonly cached: boolean;
  /** SHA-256 in hexadecimal of the source's content and of the query. */
  readonly digest: string;
  /** The cache folder, for `openTable`. */
  readonly folder: string;
}

/** Options of the folder of caches, and of reporting and stopping the work. */
export interface PrepareTableOptions {
  /** The folder of caches, with one folder for each digest; made when it does not exist. */
  readonly cacheFolder: string;
  /** Called at the start of each stage with a few words for the user. */
  readonly onProgress?: ((stage: string) => void) | undefined;
  /** Stops the work, which then rejects with the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ingest the source unless the cache has it already, then open the cache. The cache is found by the content of the
 * files, so they are hashed every time; DuckDB is loaded only to ingest. Processes may race: the first to finish wins
 * and all read its cache.
 *
 * Throws DataError when the source, an expression, the labels or the splits are wrong, when DuckDB is needed and not
 * installed, and when the cache is damaged.
 */
export async function prepareTable(spec: ReadSpec, options: PrepareTableOptions): Promise<PreparedTable> {
  const { cacheFolder, onProgress = () => {}, signal } = options;
  recordLayout(spec);
  onProgress("identifying the source");
  const files = await localCopies(spec.source, options);
  const source = await sourceFiles(files, signal);
  const digest = tableDigest(spec, source);
  const { folder, cached, opened } = await cachedFolder(
    cacheFolder,
    digest,
    { signal, onProgress },
    async (fresh, temporary) => {
      const open = await openFiles(files, { folder: temporary, encoding: spec.reading?.encoding, signal });
      const db = await openDuckdb(join(temporary, "spill"), { reads: open.reads, signal });
      try {
        await withShares(onProgress, db, (tell) => writeTable(db, spec, { source, open }, fresh, tell));
      } finally {
        await db.close();
      }
      await assertUnchanged(source.files);
    },
    (path) => {
      onProgress("opening the training cache");
      // Rows are trained on in other processes; this one reads a few of them, and scores.
      return openTable(path, { memoryBytes: 0 });
    },
  );
  const { validation, test, ...table } = opened;
  if (validation === null || test === null) throw new Error("internal: prepareTable opens every split");
  return { ...table, spec, validation, test, cached, folder };
}
