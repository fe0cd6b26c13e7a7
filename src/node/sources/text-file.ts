/**
 * Reads the text of a file: unpacked, decoded by the file's byte order mark or as UTF-8, and refused where the bytes
 * are no text.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { extname } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { ConfigError, DataError, messageOf } from "../../errors.js";
import { count } from "../../report/format.js";

/** Some text of a file, in the order of the file. */
export interface FileText {
  readonly text: string;
  /** The encoding of the file, by its name in the Encoding Standard. */
  readonly encoding: string;
  /** Bytes of the file that were read so far, before unpacking. */
  readonly bytesRead: number;
}

export interface TextFileOptions {
  /** The encoding of files without a mark, by its name in the Encoding Standard; UTF-8 by default. */
  readonly encoding?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Kinds of files that are not text, by their first bytes, with the cure. */
const KINDS: readonly { readonly name: string; readonly bytes: string; readonly at?: number; readonly cure: string }[] =
  [
    { name: "packed with zstd", bytes: "\x28\xb5\x2f\xfd", cure: "Unpack it" },
    { name: "packed with bzip2", bytes: "BZh91AY&SY", cure: "Unpack it" },
    { name: "packed with xz", bytes: "\xfd7zXZ\0", cure: "Unpack it" },
    { name: "a 7z archive", bytes: "7z\xbc\xaf\x27\x1c", cure: "Unpack it" },
    { name: "a zip archive, as docx, xlsx and epub are", bytes: "PK\x03\x04", cure: "Unpack it, or save it as text" },
    { name: "a tar archive", bytes: "ustar\0", at: 257, cure: "Unpack it" },
    { name: "PDF", bytes: "%PDF-", cure: "Make text of it, for example: pdftotext old.pdf new.txt" },
    { name: "an old Office document", bytes: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", cure: "Save it as text" },
    { name: "Parquet", bytes: "PAR1\x15", cure: "Let its name end in .parquet" },
    { name: "an SQLite database", bytes: "SQLite format 3\0", cure: "Export a table as CSV" },
    { name: "a PNG image", bytes: "\x89PNG", cure: "Leave it out" },
    { name: "a JPEG image", bytes: "\xff\xd8\xff", cure: "Leave it out" },
    { name: "a GIF image", bytes: "GIF8", cure: "Leave it out" },
    { name: "a program", bytes: "\x7fELF", cure: "Leave it out" },
  ];

/** Bytes that are looked at before the first is decoded. */
const HEAD_BYTES = 4096;

/**
 * The text of a file, piece by piece. A file packed with gzip is unpacked, whatever its name. A byte order mark marks
 * UTF-8 or UTF-16 and is not part of the text; without one the text is in `encoding`.
 *
 * Throws {@link DataError} for a file that cannot be read, whose bytes are invalid in that encoding (with the first
 * that is), or that is known to be of another kind, and {@link ConfigError} for an unknown encoding.
 */
export async function* textOf(path: string, options: TextFileOptions = {}): AsyncGenerator<FileText, void, void> {
  const { encoding = "utf-8", signal } = options;
  checkEncoding(encoding);
  if (path.toLowerCase().endsWith(".zst"))
    throw new DataError(`text: text may be packed with gzip, and ${path} is packed with zstd. Unpack it.`);
  const isPacked = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) });
  const unpacked: Readable = isPacked ? file.pipe(createGunzip()) : file;
  // An error of the file must reach the reader of the unpacked stream.
  if (unpacked !== file) file.once("error", (error) => unpacked.destroy(error));
  const chunks = unpacked[Symbol.asyncIterator]() as AsyncIterableIterator<Uint8Array>;
  const next = () =>
    chunks.next().catch((error: unknown) => {
      signal?.throwIfAborted();
      const why = unpacked === file ? "" : "; what is not packed must not be named .gz";
      throw new DataError(`text: ${path} cannot be read: ${messageOf(error)}. Check that the file is complete${why}.`, {
        cause: error,
      });
    });
  try {
    let head: Uint8Array = new Uint8Array();
    let isOver = false;
    while (head.length < HEAD_BYTES && !isOver) {
      const { value, done } = await next();
      if (done) isOver = true;
      else head = head.length === 0 ? value : Buffer.concat([head, value]);
    }
    const { decode, encoding: own } = decoderOf(path, head, encoding);
    if (head.length > 0) yield { text: decode(head), encoding: own, bytesRead: file.bytesRead };
    while (!isOver) {
      const { value, done } = await next();
      if (done) isOver = true;
      else yield { text: decode(value), encoding: own, bytesRead: file.bytesRead };
    }
    const rest = decode(null);
    if (rest !== "") yield { text: rest, encoding: own, bytesRead: file.bytesRead };
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}

/** Whether a file is gzip, by its name or by its first bytes. */
export async function isGzip(path: string): Promise<boolean> {
  if (path.toLowerCase().endsWith(".gz")) return true;
  const file = await open(path).catch(() => null);
  if (file === null) return false;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b;
  } finally {
    await file.close();
  }
}

/** Throws {@link ConfigError} unless this is the name of an encoding. */
export function checkEncoding(encoding: string): void {
  try {
    new TextDecoder(encoding);
  } catch (error) {
    throw new ConfigError(
      `text: data.encoding (--encoding) is the name of an encoding, as utf-8, windows-1252, iso-8859-2 or shift_jis, got ${encoding}`,
      { cause: error },
    );
  }
}

/** A decoder of the pieces of a file, in order; it is called with null at the end. */
function decoderOf(
  path: string,
  head: Uint8Array,
  encoding: string,
): { readonly encoding: string; readonly decode: (bytes: Uint8Array | null) => string } {
  const marked = markOf(path, head);
  const decoder = new TextDecoder(marked ?? encoding, { fatal: true });
  if (marked === null) {
    checkKind(path, head, decoder.encoding);
    checkNotUtf8(path, head, decoder.encoding);
  }
  let [numBytes, numLines] = [0, 0];
  /** The bytes of a character that is cut at the end of a piece. */
  let carried: Uint8Array = new Uint8Array();
  const decode = (bytes: Uint8Array | null) => {
    let text: string;
    try {
      text = bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (error) {
      const all = Buffer.concat([carried, bytes ?? new Uint8Array()]);
      throw decoder.encoding === "utf-8"
        ? notUtf8(path, all, numBytes - carried.length, numLines, error)
        : new DataError(
            `text: ${path} must be ${decoder.encoding} (${marked ? "its mark says so" : "as data.encoding says"}), and is not, in line ${count(numLines + 1)} or after it. Name another with --encoding (data.encoding).`,
            { cause: error },
          );
    }
    const zero = text.indexOf("\0");
    if (zero >= 0) {
      throw new DataError(
        `text: text has no bytes 0, and ${path} has one in line ${count(numLines + linesIn(text.slice(0, zero)) + 1)}. Leave it out if it is no text; if it is, take them away: tr -d '\\000' < ${copyOf(path)}`,
      );
    }
    numBytes += bytes?.length ?? 0;
    numLines += linesIn(text);
    if (bytes) carried = bytes.slice(bytes.length - unfinished(bytes));
    return text;
  };
  return { encoding: decoder.encoding, decode };
}

function notUtf8(path: string, bytes: Uint8Array, bytesBefore: number, linesBefore: number, cause: unknown): DataError {
  const at = firstInvalid(bytes);
  const line = linesBefore + linesIn(Buffer.from(bytes.subarray(0, at)).toString("latin1")) + 1;
  const isCut = at + unfinished(bytes) === bytes.length && unfinished(bytes) > 0;
  const found = isCut ? "the file ends within a character" : `0x${bytes[at]?.toString(16)}`;
  return new DataError(
    `text: text is UTF-8, and ${path} is not: first at byte ${count(bytesBefore + at + 1)}, in line ${count(line)} (${found}). Say which encoding it is, for example --encoding windows-1252 (data.encoding), or convert it: iconv -f windows-1252 -t utf-8 ${copyOf(path)}`,
    { cause },
  );
}

/** The names of a file and of its mended copy, for a command, with the file's ending. */
function copyOf(path: string): string {
  return `old${extname(path)} > new${extname(path)}`;
}

/** Line ends in a text. */
export function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** The encoding by a file's byte order mark; null without one. */
function markOf(path: string, [a, b, c, d]: Uint8Array): string | null {
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff)) {
    throw new DataError(
      `text: text is UTF-8 or UTF-16, and ${path} is UTF-32 by its mark. Convert it: iconv -f utf-32 -t utf-8 ${copyOf(path)}`,
    );
  }
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  return a === 0xef && b === 0xbb && c === 0xbf ? "utf-8" : null;
}

/** Throws {@link DataError} for bytes that are known not to be text. */
function checkKind(path: string, head: Uint8Array, encoding: string): void {
  const text = Buffer.from(head.subarray(0, HEAD_BYTES)).toString("latin1");
  const kind = KINDS.find(({ bytes, at = 0 }) => text.startsWith(bytes, at));
  if (kind) throw new DataError(`text: ${path} is ${kind.name}, and no text. ${kind.cure}.`);
  if (encoding.startsWith("utf-16")) return;
  // Latin letters have a byte 0 in UTF-16, always the first or always the second of two.
  const zeros = [0, 0];
  for (let i = 0; i < text.length; i++) if (text[i] === "\0") zeros[i % 2]! += 1;
  const [even = 0, odd = 0] = zeros;
  if (even + odd === 0 || even + odd < text.length / 4 || Math.min(even, odd) > 0.05 * Math.max(even, odd)) return;
  throw new DataError(
    `text: text is UTF-8, and ${path} looks like UTF-16 without a mark. Say so: --encoding utf-16${odd > even ? "le" : "be"} (data.encoding).`,
  );
}

/** Throws {@link DataError} for a file of UTF-8 that would be read as something else: hardly any other text is UTF-8 by chance. */
function checkNotUtf8(path: string, head: Uint8Array, encoding: string): void {
  if (encoding === "utf-8" || encoding.startsWith("utf-16") || !isUtf8(head)) return;
  const numCharacters =
    Buffer.from(head)
      .toString("utf8")
      .match(/[^\0-\x7F]/gu)?.length ?? 0;
  if (numCharacters < 2) return;
  throw new DataError(
    `text: data.encoding says ${encoding}, and ${path} is UTF-8. Leave data.encoding (--encoding) out, or put a byte order mark before the text of files that are UTF-8.`,
  );
}

/** Whether bytes are UTF-8, of which the last character may be cut. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** The index of the first byte that is invalid in UTF-8. */
function firstInvalid(bytes: Uint8Array): number {
  if (isUtf8(bytes)) return bytes.length - unfinished(bytes);
  let [valid, invalid] = [0, bytes.length];
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isUtf8(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  // A byte that cannot continue shows that the character before it is cut, and so invalid.
  return valid - unfinished(bytes.subarray(0, valid));
}

/** The number of bytes at the end that begin a character of UTF-8 without ending it. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    return back < (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) ? back : 0;
  }
  return 0;
}
