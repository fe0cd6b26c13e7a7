/**
 * Opens the files of a source before DuckDB reads them: checks their bytes, and makes copies where DuckDB cannot read
 * them.
 */
import { createWriteStream } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DataError } from "../../errors.js";
import { makeFolder } from "../files/plain-files.js";
import { findFiles, formatOfName, type SourceFormat } from "../sources/source-files.js";
import { isGzip, textOf } from "../sources/text-file.js";
import { joinedLines, LineEnds } from "./line-ends.js";

/** A file of CSV, TSV or JSON. */
export interface SourceText {
  /** The path that the user gave. */
  readonly path: string;
  /** The path that DuckDB reads: the file, or a copy of it in UTF-8 with uniform line ends. */
  readonly readable: string;
  readonly compression: "none" | "gzip" | "zstd";
  /** Its beginning; null where only DuckDB can unpack it. */
  readonly head: string | null;
  readonly isWhole: boolean;
  /** Findings: phrases that continue a sentence after the file's name. */
  readonly notes: readonly string[];
}

export interface OpenFiles {
  readonly format: SourceFormat;
  /** The paths that the user gave, in reading order. */
  readonly files: readonly string[];
  readonly bytes: number;
  /** One for each file; empty for Parquet. */
  readonly texts: readonly SourceText[];
  /** The files that a database must be allowed to read. */
  readonly reads: readonly string[];
}

export interface OpenFilesOptions {
  /** The folder for copies. */
  readonly folder: string;
  /** The encoding of files that are neither UTF-8 nor marked as UTF-16. */
  readonly encoding?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Characters from which a file's dialect is found: more than the header and some hundred rows of most tables. */
const HEAD_LENGTH = 1 << 18;

/**
 * Find the files of a source and check those of text. Files that DuckDB would misread are copied: those in other
 * encodings, and those whose lines do not all end alike.
 *
 * Throws {@link DataError} when there is no file, or when one is of another kind than its name says, cut short, or not
 * text.
 */
export async function openFiles(source: string | readonly string[], options: OpenFilesOptions): Promise<OpenFiles> {
  const { format, files, bytes } = await findFiles(source);
  if (format === "parquet") return { format, files, bytes, texts: [], reads: files };
  const texts: SourceText[] = [];
  for (const [number, path] of files.entries()) texts.push(await openText(path, number, format, options));
  return { format, files, bytes, texts, reads: texts.map(({ readable }) => readable) };
}

async function openText(
  path: string,
  number: number,
  format: SourceFormat,
  { folder, encoding, signal }: OpenFilesOptions,
): Promise<SourceText> {
  if (path.toLowerCase().endsWith(".zst"))
    return { path, readable: path, compression: "zstd", head: null, isWhole: false, notes: [] };
  const { used, look } = await lookThrough(path, encoding, signal);
  const isSplit = format !== "json" && look.ends.areMixed && (await outsideQuotes(path, used, signal)).areMixed;
  checkContent(path, look.head);
  const notes = [
    ...(isSplit ? [`has lines that end in different ways (${look.ends.words()}), all of which end a line`] : []),
    ...(encoding !== undefined && used === undefined && look.hasOthers
      ? [`is UTF-8, and not ${encoding} as given`]
      : []),
    ...(look.isMarked ? ["is UTF-16 by its mark"] : []),
  ];
  const { head, isWhole } = look;
  if (!isSplit && used === undefined && !look.isMarked) {
    return { path, readable: path, compression: (await isGzip(path)) ? "gzip" : "none", head, isWhole, notes };
  }
  makeFolder(folder);
  const readable = join(folder, `copy-${number}-${basename(path).replace(/\.gz$/i, "")}`);
  const lines = isSplit ? joinedLines() : (text: string) => text;
  async function* content() {
    for await (const { text } of textOf(path, { encoding: used, signal })) yield lines(text);
  }
  await pipeline(Readable.from(content()), createWriteStream(readable));
  return { path, readable, compression: "none", head: isSplit ? joinedLines()(head) : head, isWhole, notes };
}

interface Look {
  readonly head: string;
  readonly isWhole: boolean;
  readonly ends: LineEnds;
  /** Whether there are other characters than ASCII's. */
  readonly hasOthers: boolean;
  readonly isMarked: boolean;
}

/** Read a file as UTF-8, or else in the given encoding. Throws {@link DataError} when it is neither. */
async function lookThrough(
  path: string,
  encoding: string | undefined,
  signal: AbortSignal | undefined,
): Promise<{ readonly used: string | undefined; readonly look: Look }> {
  // In ISO-2022 every byte is an ASCII byte, so that the text would pass for UTF-8.
  const isHidden = encoding !== undefined && /^iso-2022/i.test(encoding);
  const tries = encoding === undefined ? [undefined] : isHidden ? [encoding] : [undefined, encoding];
  let failure: unknown;
  for (const used of tries) {
    try {
      return { used, look: await lookAt(path, used, signal) };
    } catch (error) {
      failure = error;
    }
  }
  throw ofTables(path, failure, await isGzip(path));
}

async function lookAt(path: string, encoding: string | undefined, signal: AbortSignal | undefined): Promise<Look> {
  let [head, isWhole, hasOthers, characters, isMarked] = ["", true, false, 0, false];
  const ends = new LineEnds();
  for await (const { text, encoding: own } of textOf(path, { encoding, signal })) {
    isMarked = encoding === undefined && own !== "utf-8";
    ends.add(text);
    hasOthers ||= /[^\0-\x7f]/.test(text);
    characters += text.length;
    if (head.length < HEAD_LENGTH) head += text;
  }
  if (head.length > HEAD_LENGTH || characters > head.length) {
    head = head.slice(0, HEAD_LENGTH);
    isWhole = false;
  }
  return { head, isWhole, ends, hasOthers, isMarked };
}

async function outsideQuotes(path: string, encoding: string | undefined, signal: AbortSignal | undefined) {
  const ends = new LineEnds();
  const lines = joinedLines(ends);
  for await (const { text } of textOf(path, { encoding, signal })) lines(text);
  return ends;
}

/** An error of a text file, in words for tables. */
function ofTables(path: string, error: unknown, isPacked: boolean): unknown {
  if (!(error instanceof DataError)) return error;
  const { cause } = error as { cause?: { code?: string } };
  if (isPacked && typeof cause?.code === "string" && cause.code.startsWith("Z_")) {
    return new DataError(
      `data: ${path} must be a whole gzip file, and is not (${(cause as Error).message}). Copy or download it again; a file that is not packed must not be named .gz.`,
      { cause },
    );
  }
  return new DataError(error.message.replace(/^text:/, "data:"), { cause: error });
}

/** Throws {@link DataError} for text that is not a table. */
function checkContent(path: string, head: string): void {
  if (/^\s*(\{\s*"|\[\s*\{)/.test(head) && formatOfName(path) !== "json") {
    throw new DataError(`data: ${path} is JSON by its first characters. Let its name end in .json or .jsonl.`);
  }
  if (!/^\s*<(!doctype|html|\?xml)/i.test(head)) return;
  const what = /^\s*<\?xml/i.test(head) ? "XML" : "a web page, as a download gives that failed or asks for a password";
  throw new DataError(`data: ${path} is ${what}, and no table. Look into it, and download or export the table itself.`);
}
