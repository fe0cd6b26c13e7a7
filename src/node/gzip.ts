/** Whether gzip files are whole: DuckDB reads what is cut off as far as it goes, and says nothing. */
import { createReadStream } from "node:fs";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DataError, messageOf } from "../errors.js";

/** Throws {@link DataError} for the first of the files whose name ends in .gz and that does not unpack to its end. */
export async function checkGzip(files: readonly string[]): Promise<void> {
  for (const path of files.filter((name) => name.toLowerCase().endsWith(".gz"))) {
    const nowhere = new Writable({ write: (_part, _encoding, done) => done() });
    try {
      await pipeline(createReadStream(path), createGunzip(), nowhere);
    } catch (error) {
      throw new DataError(
        `data: ${path} must be a whole gzip file, and is not (${messageOf(error)}). Copy or download it again; a file that is not packed must not be named .gz.`,
        { cause: error },
      );
    }
  }
}
