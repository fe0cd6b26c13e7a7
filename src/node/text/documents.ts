/** Reads documents from files: a plain file is one document; in JSON, CSV or Parquet, each row of a column is one. */
import { stat } from "node:fs/promises";
import { DataError } from "../../errors.js";
import { count } from "../../report/format.js";
import { localCopies } from "../sources/remote-files.js";
import { expandSource, formatOfName, type SourceFormat } from "../sources/source-files.js";
import { textOf } from "../sources/text-file.js";
import { type ColumnOptions, columnTexts } from "./column-texts.js";
import { separated } from "./separated.js";

/** Some text of a document, cut where a line ends; a document that is not large is one part. */
export interface TextPart {
  readonly text: string;
  /** Whether it is the last of its document. */
  readonly isLast: boolean;
  /** The file, and of a file of many documents the place in it. */
  readonly place: string;
  /** Bytes of the files that were read so far, before unpacking. */
  readonly bytesRead: number;
}

export interface DocumentsOptions extends ColumnOptions {
  /** The text between two documents of a plain file; without it the file is one document. */
  readonly separator?: string | undefined;
  readonly onProgress?: ((stage: string) => void) | undefined;
  /** Called with the place of each row or file that has no text. */
  readonly onEmpty?: ((place: string) => void) | undefined;
}

/** Characters from which a plain file comes in several parts. */
export const LONGEST_PART = 1 << 22;

/**
 * Find the files of texts; remote ones are fetched. Throws DataError as `findFiles` does, but files may be of several
 * kinds, and any ending that is not one of a table's is plain text.
 */
export async function findTexts(
  source: string | readonly string[],
  options: DocumentsOptions,
): Promise<{ readonly files: readonly string[]; readonly bytes: number }> {
  const local = await localCopies(source, options);
  const files = (await Promise.all([local].flat().map((one) => expandSource(one, "text")))).flat();
  const sizes = await Promise.all(files.map((path) => stat(path).then(({ size }) => size)));
  return { files: [...new Set(files)], bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/**
 * The documents of files, in order and as they are written, without empty or missing ones.
 *
 * Throws {@link DataError} when a separator is never found, for a file that cannot be read, is not text or lacks the
 * column, and for a row whose value is not text.
 */
export async function* documents(
  files: readonly string[],
  options: DocumentsOptions,
): AsyncGenerator<TextPart, void, void> {
  const { separator } = options;
  let [bytesBefore, numSeparators, numPlain] = [0, 0, 0];
  for (const path of files) {
    options.signal?.throwIfAborted();
    const format = tableFormatOf(path);
    numPlain += Number(format === undefined);
    const parts = format === undefined ? plainDocuments(path) : rowsOf(path, format, options);
    for await (const part of parts) yield { ...part, bytesRead: bytesBefore + part.bytesRead };
    bytesBefore += (await stat(path)).size;
  }
  if (separator !== undefined && numPlain > 0 && numSeparators === 0) {
    throw new DataError(
      `text: the separator ${JSON.stringify(separator)} stands between documents, and it comes nowhere in ${files.length === 1 ? files[0] : `${count(files.length)} files`}. Check how it is written there, or leave it out (data.separator, --separator): each file is a document then.`,
    );
  }

  function plainDocuments(path: string): AsyncGenerator<TextPart, void, void> {
    const parts = plainParts(path, options);
    if (separator === undefined) return parts;
    return separated(parts, separator, () => {
      numSeparators++;
    });
  }
}

/** "txt" is CSV where a table is read, and text here. */
function tableFormatOf(path: string): SourceFormat | undefined {
  return /\.txt(\.gz|\.zst)?$/i.test(path) ? undefined : formatOfName(path);
}

async function* plainParts(path: string, options: DocumentsOptions): AsyncGenerator<TextPart, void, void> {
  let [held, read, isEmpty] = ["", 0, true];
  for await (const { text, bytesRead } of textOf(path, options)) {
    held += text;
    read = bytesRead;
    isEmpty &&= text === "";
    // Text without line ends is cut at the same length at which documents are cut later.
    while (held.length >= LONGEST_PART) {
      const line = held.lastIndexOf("\n") + 1;
      if (line === 0 && held.length < 4 * LONGEST_PART) break;
      const cut = line || LONGEST_PART - Number(/[\uD800-\uDBFF]/.test(held[LONGEST_PART - 1] as string));
      yield { text: held.slice(0, cut), isLast: false, place: path, bytesRead };
      held = held.slice(cut);
    }
  }
  if (isEmpty) options.onEmpty?.(path);
  if (held !== "") yield { text: held, isLast: true, place: path, bytesRead: read };
}

async function* rowsOf(
  path: string,
  format: SourceFormat,
  options: DocumentsOptions,
): AsyncGenerator<TextPart, void, void> {
  for await (const { text, place, bytesRead } of columnTexts(path, format, options)) {
    if (text === "") {
      options.onEmpty?.(`${path}, ${place}`);
      continue;
    }
    const half = text.search(/\p{Surrogate}/u);
    if (half >= 0) {
      throw new DataError(
        `text: ${path}, ${place}: a text has whole characters, and this one has half of a pair of surrogates at its character ${count(half + 1)}. Mend that row, or leave it out.`,
      );
    }
    yield { text, isLast: true, place: `${path}, ${place}`, bytesRead };
  }
}
