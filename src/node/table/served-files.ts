/** Files that a served model reads, open while some work is done on their rows. */
import { join } from "node:path";
import type { GivenReading } from "../../reading/reading.js";
import { inTemporaryFolder } from "../files/temporary-folder.js";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import type { localCopies } from "../sources/remote-files.js";
import { openServedRows, type ReadModel, type ServedRows } from "./served-rows.js";
import { type OpenFiles, openFiles } from "./text-files.js";

/** What the commands that read files for a model share. */
export interface ServedFilesOptions {
  /** How the files are read, where it differs from how training read its files. */
  readonly reading?: GivenReading | undefined;
  /** How many malformed lines may be left out; 0 by default. */
  readonly maxBadRows?: number | undefined;
  /** The folder in which a temporary folder holds data that does not fit into memory. */
  readonly cacheFolder: string;
  readonly signal?: AbortSignal | undefined;
  /** Called from time to time with the number of rows predicted so far, and of all rows. */
  readonly onProgress?: ((numRows: number, ofRows: number) => void) | undefined;
}

export interface ServedFiles extends ServedRows {
  readonly db: Database;
  readonly format: OpenFiles["format"];
}

/**
 * Open files as {@link openServedRows} does, in a database of their own, and close it after the work. `label` is a column of
 * labels, `writes` a file that the work writes.
 */
export async function withServedFiles<T>(
  files: Awaited<ReturnType<typeof localCopies>>,
  model: ReadModel,
  { reading = {}, maxBadRows, cacheFolder, signal }: ServedFilesOptions,
  more: { readonly label?: string; readonly writes?: (temporary: string) => string },
  work: (opened: ServedFiles, temporary: string) => Promise<T>,
): Promise<T> {
  return await inTemporaryFolder(cacheFolder, signal, async (temporary) => {
    const encoding = reading.encoding ?? model.reading.encoding;
    const open = await openFiles(files, { folder: temporary, encoding, signal });
    const writes = more.writes && [more.writes(temporary)];
    const db = await openDuckdb(join(temporary, "spill"), { reads: open.reads, ...(writes && { writes }), signal });
    try {
      const rows = await openServedRows(db, open, model, { reading, maxBadRows, label: more.label });
      return await work({ ...rows, db, format: open.format }, temporary);
    } finally {
      await db.close();
    }
  });
}
