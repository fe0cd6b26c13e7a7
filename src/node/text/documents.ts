/** Texts in files: plain ones, a document each, or a column of JSON lines, Parquet or CSV, a document a row. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { identifier, literal } from "../../data/sql.js";
import { DataError, messageOf } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { firstNames } from "../../report/format.js";
import { openDuckdb } from "../duckdb.js";
import { localCopies } from "../remote-files.js";
import { expandSource, formatOfName, type SourceFormat } from "../source-files.js";
import { unreadable } from "../table/source-rows.js";
import { sourceQuery } from "../table/table-query.js";

/** Some text of a document, cut where a line ends; a document that is not large is one part. */
export interface TextPart {
  readonly text: string;
  /** Whether it is the last of its document. */
  readonly isLast: boolean;
  /** Bytes of the files that were read so far, as they lie there. */
  readonly bytesRead: number;
}

export interface DocumentsOptions {
  readonly cacheFolder: string;
  /** The column that has the text, of files that have columns; "text" by default. */
  readonly field?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (stage: string) => void;
}

/** Characters from which a plain file comes in several parts. */
export const LONGEST_PART = 1 << 22;

/**
 * Find the files of texts; what is elsewhere is fetched. Throws DataError as `findFiles` does, but files may be of several
 * kinds, and every ending that is none of a table's is plain text.
 */
export async function findTexts(
  source: string | readonly string[],
  options: DocumentsOptions,
): Promise<{ readonly files: readonly string[]; readonly bytes: number }> {
  const local = await localCopies(source, options);
  const files = (await Promise.all((typeof local === "string" ? [local] : local).map(expandSource))).flat();
  const sizes = await Promise.all(files.map((path) => stat(path).then(({ size }) => size)));
  return { files: [...new Set(files)], bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/**
 * The documents of files, in their order, an empty or missing one left out. Bytes that are no UTF-8 become U+FFFD.
 *
 * Throws {@link DataError} for a file that cannot be read, or has no such column.
 */
export async function* documents(
  files: readonly string[],
  options: DocumentsOptions,
): AsyncGenerator<TextPart, void, void> {
  let bytesBefore = 0;
  for (const path of files) {
    options.signal?.throwIfAborted();
    const format = tableFormatOf(path);
    const parts = format === undefined ? plainParts(path, options.signal) : rowsOf(path, format, options);
    for await (const part of parts) yield { ...part, bytesRead: bytesBefore + part.bytesRead };
    bytesBefore += (await stat(path)).size;
  }
}

/** "txt" is CSV where a table is read, and text here. */
function tableFormatOf(path: string): SourceFormat | undefined {
  return /\.txt(\.gz|\.zst)?$/i.test(path) ? undefined : formatOfName(path);
}

async function* plainParts(path: string, signal?: AbortSignal): AsyncGenerator<TextPart, void, void> {
  if (path.toLowerCase().endsWith(".zst"))
    throw new DataError(`text: plain text may be packed with gzip, and ${path} is packed with zstd. Unpack it.`);
  const file = createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) });
  const unpacked: Readable = path.toLowerCase().endsWith(".gz") ? file.pipe(createGunzip()) : file;
  // What goes wrong with the file must reach who reads what is unpacked of it.
  if (unpacked !== file) file.once("error", (error) => unpacked.destroy(error));
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const bytes of unpacked) {
      text += decoder.decode(bytes as Uint8Array, { stream: true });
      const cut = text.length < LONGEST_PART ? 0 : text.lastIndexOf("\n") + 1;
      if (cut === 0) continue;
      yield { text: text.slice(0, cut), isLast: false, bytesRead: file.bytesRead };
      text = text.slice(cut);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw new DataError(`text: ${path} cannot be read: ${messageOf(error)}. Check that the file is complete.`, {
      cause: error,
    });
  }
  text += decoder.decode();
  if (text !== "" || file.bytesRead > 0) yield { text, isLast: true, bytesRead: file.bytesRead };
}

async function* rowsOf(
  path: string,
  format: SourceFormat,
  { field = "text", cacheFolder, signal }: DocumentsOptions,
): AsyncGenerator<TextPart, void, void> {
  // A folder that goes away with a callback cannot hold what a generator gives piece by piece.
  const db = await openDuckdb(join(cacheFolder, "spill"), { reads: [path], signal });
  try {
    const query = sourceQuery(format, [path]);
    const found = await db.rows(`describe ${query}`).catch((error: unknown) => {
      throw unreadable(format, [path], error);
    });
    const names = found.map(([name]) => String(name));
    const name = names.find((one) => one.toLowerCase() === field.toLowerCase());
    if (name === undefined) {
      const near = nearest(field, names);
      throw new DataError(
        `text: the documents of ${path} are in its column "${field}", and it has none of that name: ${firstNames(names)}. ${near === undefined ? "Name another with --field (data.field)" : `Did you mean ${near} (--field, data.field)?`}`,
      );
    }
    const text = `cast(${identifier(name)} as varchar)`;
    const rows = db.columns(`select ${text} from (${query}) where ${text} <> ${literal("")}`, ["text"]);
    try {
      for await (const [texts = []] of rows)
        for (const one of texts as string[]) yield { text: one, isLast: true, bytesRead: 0 };
    } catch (error) {
      signal?.throwIfAborted();
      throw unreadable(format, [path], error);
    }
  } finally {
    await db.close();
  }
}
