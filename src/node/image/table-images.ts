/**
 * Images that a table lists: CSV, TSV, JSON lines or Parquet with a column of paths, or Parquet with the content of the
 * files, as bytes or as records of `bytes` and `path`.
 */
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { identifier, literal, patternOf } from "../../data/sql.js";
import { DataError, messageOf } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { count, counted, firstNames, shortened } from "../../report/format.js";
import { isAddress } from "../files/addresses.js";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import { formatOfName, identifyFiles } from "../sources/source-files.js";
import { MAX_FILE_BYTES } from "./decode.js";
import { fileDigest, imageFile, inOrder } from "./folders.js";
import type { FoundImage, ImageSource } from "./found.js";
import { BadImage } from "./pixels.js";

/** The columns of a table of images. */
export interface ImageColumns {
  /** Paths, or the content of files; "image" by default. */
  readonly image?: string | undefined;
  /** Classes; "label" by default. */
  readonly label?: string | undefined;
}

/** Whether a path is, by its name, a table. */
export const isTable = (path: string) => formatOfName(path) !== undefined;

/** How the images of a table are written, by SQL of a text for each: a path, or the content in base 64. */
interface Written {
  readonly kind: "paths" | "bytes";
  readonly sql: string;
}

/**
 * Open tables of images. Relative paths start at the table's folder; classes are the texts of the labels. Rows without a
 * label are left out, and a note counts them. With `wanted` the classes are these, in this order.
 *
 * Throws {@link DataError} for a table that cannot be read, without the columns, or whose images are neither paths nor bytes.
 */
export async function openTables(
  paths: readonly string[],
  { image = "image", label = "label" }: ImageColumns,
  wanted?: readonly string[],
): Promise<ImageSource> {
  const files: { readonly path: string; readonly from: string; readonly written: Written }[] = [];
  const counts = new Map<string, number>();
  const notes: string[] = [];
  const named = identifier(label);
  for (const path of paths) {
    await withTable(path, async (db) => {
      const from = tableSql(path);
      const columns = await db.rows(`describe select * from ${from}`);
      const types = new Map(columns.map(([name, type]) => [String(name), String(type)]));
      for (const one of [image, label]) if (!types.has(one)) throw noColumn(path, one, [...types.keys()]);
      checkLabelType(path, label, types.get(label) ?? "");
      files.push({ path, from, written: await writtenAs(db, { path, from }, image, types.get(image) ?? "") });
      const found = await db.rows(`select cast(${named} as varchar), count(*) from ${from} group by 1`);
      for (const [name, n] of found) {
        if (name === null || name === "")
          notes.push(
            `${counted(Number(n), "row")} of ${path} without a label ${Number(n) === 1 ? "is" : "are"} left out`,
          );
        else counts.set(String(name), (counts.get(String(name)) ?? 0) + Number(n));
      }
    });
  }
  const classes = wanted ?? inOrder([...counts.keys()]);
  const none = classes.find((name) => !counts.has(name));
  if (none !== undefined)
    throw new DataError(
      `images: a class is a label of ${paths.join(", ")}, and none is ${JSON.stringify(none)}; there are ${firstNames([...counts.keys()], 20)}`,
    );
  const numImages = classes.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0);
  const places = new Map(classes.map((name, k) => [name, k]));
  async function* images(): AsyncGenerator<FoundImage> {
    let numSeen = 0;
    for (const { path, from, written } of files) {
      const db = await openDuckdb(spill, { reads: [path] });
      try {
        const texts = [written.sql, `cast(${named} as varchar)`].map((sql) => `coalesce(${sql}, '')`);
        const query = `select ${texts.join(", ")} from ${from}`;
        let row = 0;
        for await (const [contents = [], labels = []] of db.columns(query, ["text", "text"])) {
          for (const [i, text] of contents.entries()) {
            row++;
            const place = places.get(String(labels[i]));
            // Rows without a label, and of classes that are not wanted.
            if (place === undefined) continue;
            numSeen++;
            yield foundImage(path, row, String(text), place, written.kind);
          }
        }
      } catch (error) {
        // What comes late, as a damaged part of the file, is said as what comes early.
        throw unreadable(path, error);
      } finally {
        await db.close();
      }
    }
    if (numSeen === numImages) return;
    throw new DataError(
      `images: ${paths.join(", ")} had ${counted(numImages, "image")} when ${paths.length === 1 ? "it was" : "they were"} counted, and ${count(numSeen)} when ${paths.length === 1 ? "it was" : "they were"} read. The table is damaged, or was changed meanwhile; get it anew, and begin again.`,
    );
  }
  const areFiles = files.some(({ written }) => written.kind === "paths");
  return {
    what: areFiles ? "a table with paths" : "a table with the content of files",
    numImages,
    classes,
    counts: classes.map((name) => counts.get(name) ?? 0),
    size: null,
    async identity(signal) {
      const digests = (await identifyFiles(paths, signal)).map(({ sha256 }) => sha256);
      if (!areFiles) return [...digests, image, label];
      for await (const { name } of images()) {
        signal?.throwIfAborted();
        digests.push(isAddress(name) ? "unreadable" : fileDigest(name));
      }
      return [...digests, image, label];
    },
    images,
    notes,
  };
}

const spill = join(tmpdir(), "codistill-spill");

async function withTable(path: string, work: (db: Database) => Promise<void>): Promise<void> {
  const db = await openDuckdb(spill, { reads: [path] });
  try {
    await work(db);
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await db.close();
  }
}

function unreadable(path: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  return new DataError(`images: the table ${path} cannot be read: ${messageOf(error).split("\n")[0]}`, {
    cause: error,
  });
}

/** Throws {@link DataError} for labels that are no names or numbers, as records and lists are. */
function checkLabelType(path: string, label: string, type: string): void {
  if (!/^(STRUCT|MAP|UNION|BLOB|GEOMETRY)\b|\]$/.test(type)) return;
  throw new DataError(
    `images: the column ${label} of ${path} must be names or numbers of classes, and its type is ${shortened(type, 100)}. Name another one as data.label.`,
  );
}

/** A table as SQL; values of text files stay as they are written. */
function tableSql(path: string): string {
  const file = literal(patternOf(path));
  switch (formatOfName(path)) {
    case "parquet":
      return `read_parquet(${file})`;
    case "json":
      return `read_json(${file})`;
    case "tsv":
      return `read_csv(${file}, all_varchar = true, header = true, delim = '\t')`;
    default:
      return `read_csv(${file}, all_varchar = true, header = true)`;
  }
}

async function writtenAs(
  db: Database,
  { path, from }: { readonly path: string; readonly from: string },
  image: string,
  type: string,
): Promise<Written> {
  const column = identifier(image);
  if (type === "VARCHAR") return { kind: "paths", sql: column };
  if (type === "BLOB") return { kind: "bytes", sql: contentSql(column) };
  const bytes = `${column}."bytes"`;
  const isRecord = /^STRUCT\(.*\)$/s.test(type) && (await typeOf(db, bytes, from)) === "BLOB";
  if (isRecord) return { kind: "bytes", sql: contentSql(bytes) };
  throw new DataError(
    `images: the column ${image} of ${path} must be paths, the bytes of files, or records with "bytes", and its type is ${shortened(type, 100)}. Name another one as data.image.`,
  );
}

/** The type of an expression; undefined where it has none, as of a field that records do not have. */
async function typeOf(db: Database, sql: string, from: string): Promise<string | undefined> {
  try {
    const [[, type] = []] = await db.rows(`describe select ${sql} as value from ${from}`);
    return type === undefined ? undefined : String(type);
  } catch {
    return undefined;
  }
}

/** What begins the text of content that is too large to be an image; no base 64 has a space. */
const TOO_LARGE = "bytes ";

/** The content of a file in base 64, or its size alone where no image has so many bytes. */
function contentSql(column: string): string {
  return `case when octet_length(${column}) > ${MAX_FILE_BYTES} then '${TOO_LARGE}' || octet_length(${column}) else to_base64(${column}) end`;
}

function foundImage(table: string, row: number, text: string, label: number, kind: Written["kind"]): FoundImage {
  if (kind === "bytes") {
    const name = `${table}, row ${count(row)}`;
    return { name, label, encoded: () => contentOf(text), pixels: null };
  }
  const isElsewhere = isAddress(text);
  const name =
    text === "" ? `${table}, row ${count(row)}` : isAbsolute(text) || isElsewhere ? text : join(dirname(table), text);
  const encoded = () => {
    if (text === "") throw new BadImage("has no path");
    if (isElsewhere) throw new BadImage("is an address, and files of this machine are read");
    return imageFile(name);
  };
  return { name, label, encoded, pixels: null };
}

function contentOf(text: string): Uint8Array {
  if (!text.startsWith(TOO_LARGE)) return Buffer.from(text, "base64");
  throw new BadImage(
    `has ${count(Number(text.slice(TOO_LARGE.length)))} bytes, and the file of an image at most ${count(MAX_FILE_BYTES)}`,
  );
}

function noColumn(path: string, column: string, names: readonly string[]): DataError {
  const near = nearest(column, names);
  return new DataError(
    `images: ${path} should have a column ${column}, and has ${firstNames(names, 20)}. Name those with the images and their classes as data.image and data.label.${near === undefined ? "" : ` Did you mean ${near}?`}`,
  );
}
