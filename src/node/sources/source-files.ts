/** The files of a source: found by path or glob, of one format, and identified by their content. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { DataError, messageOf } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { isFileUrl, pathOfFileUrl } from "../files/addresses.js";
import { kindOf } from "../files/plain-files.js";

/** How DuckDB is to read the files. */
export type SourceFormat = "parquet" | "csv" | "tsv" | "json";

/** One local file; the time of its last change tells whether it moved while it was read. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly sha256: string;
}

/** The files of a source, in reading order. */
export interface SourceFiles {
  readonly format: SourceFormat;
  readonly files: readonly SourceFile[];
}

const formats: Readonly<Record<string, SourceFormat>> = {
  parquet: "parquet",
  csv: "csv",
  txt: "csv",
  tsv: "tsv",
  json: "json",
  jsonl: "json",
  ndjson: "json",
};

/** Files that were found, and not yet read. */
export interface FoundFiles {
  readonly format: SourceFormat;
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Find the files. Patterns are read in the order given, the matches of one pattern by name.
 * Throws {@link DataError} when nothing matches, a file comes twice, or is of another format.
 */
export async function findFiles(source: string | readonly string[]): Promise<FoundFiles> {
  const patterns = typeof source === "string" ? [source] : source;
  const files = (await Promise.all(patterns.map((pattern) => expandSource(pattern)))).flat();
  const [first] = files;
  if (first === undefined) throw new DataError("data: `source` names no file. Give at least one path or glob.");
  const twice = files.find((path, i) => files.indexOf(path) !== i);
  if (twice !== undefined) {
    throw new DataError(`data: a file is read once, and the source names ${twice} twice. Make its patterns disjoint.`);
  }
  const format = formatOf(first);
  const other = files.find((path) => formatOf(path) !== format);
  if (other !== undefined) {
    throw new DataError(
      `data: all files of a source have one format, got ${format} (${first}) and ${formatOf(other)} (${other}). Convert one of them.`,
    );
  }
  const sizes = await Promise.all(files.map((path) => stat(path).then(({ size }) => size)));
  return { format, files, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** Find the files and hash them. Throws {@link DataError} as {@link findFiles}, and when one cannot be read. */
export async function sourceFiles(source: string | readonly string[], signal?: AbortSignal): Promise<SourceFiles> {
  const { format, files } = await findFiles(source);
  return { format, files: await identifyFiles(files, signal) };
}

/** Hash files. Throws {@link DataError} when one cannot be read. */
export async function identifyFiles(paths: readonly string[], signal?: AbortSignal): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const path of paths) files.push(await identify(path, signal));
  return files;
}

/** Throws {@link DataError} when a file has changed since it was hashed. */
export async function assertUnchanged(files: readonly SourceFile[]): Promise<void> {
  for (const file of files) {
    const now = await stat(file.path).catch(() => null);
    if (now === null || now.size !== file.bytes || now.mtimeMs !== file.modifiedMs) {
      throw new DataError(
        `data: a source stays as it is while it is read, and ${file.path} was changed or removed meanwhile. Run again when it is complete.`,
      );
    }
  }
}

function formatOf(path: string): SourceFormat {
  const format = formatOfName(path);
  if (format === undefined) {
    throw new DataError(
      `data: the format is told by the file's extension (${Object.keys(formats).join(", ")}; .gz or .zst may follow), got ${path}. Rename the file.`,
    );
  }
  return format;
}

/** The format by the ending of a name; undefined for other endings. */
export function formatOfName(path: string): SourceFormat | undefined {
  const extension = basename(path)
    .toLowerCase()
    .replace(/\.(gz|zst)$/, "")
    .split(".")
    .pop();
  return formats[extension ?? ""];
}

/** The names in a folder; null when it cannot be listed. */
async function namesIn(path: string): Promise<string[] | null> {
  return readdir(path).then(
    (names) => names.sort(),
    () => null,
  );
}

async function identify(path: string, signal?: AbortSignal): Promise<SourceFile> {
  try {
    const { size, mtimeMs } = await stat(path);
    const hash = createHash("sha256");
    for await (const part of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(part);
    return { path, bytes: size, modifiedMs: mtimeMs, sha256: hash.digest("hex") };
  } catch (error) {
    signal?.throwIfAborted();
    throw new DataError(`data: cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

const wildcard = /[*?[]/;

/** What files are read as: tables have certain endings, text may have any. */
export type SourceKind = "table" | "text";

/** The files of a path or a glob, by name. Throws {@link DataError} when there are none. */
export async function expandSource(pattern: string, kind: SourceKind = "table"): Promise<string[]> {
  const path = resolve(isFileUrl(pattern) ? pathOfFileUrl(pattern) : pattern);
  if (await isFile(path)) return [path];
  const matches = wildcard.test(path) ? await matchesOf(path) : [];
  if (matches.length === 0) {
    const stats = await stat(path).catch(() => null);
    if (stats && !stats.isDirectory()) {
      throw new DataError(
        `data: a source is files, and ${JSON.stringify(pattern)} is ${kindOf(stats)}. Write what comes out of it to a file, and name that.`,
      );
    }
    const files = await namesIn(path);
    if (files !== null) {
      throw new DataError(
        `data: a source is files, and ${JSON.stringify(pattern)} is a folder. ${await filesOf(pattern, files, kind)}${await hintOfImages(pattern, files)}`,
      );
    }
    const near = nearest(basename(path), (await namesIn(dirname(path))) ?? []);
    throw new DataError(
      `data: no file matches ${JSON.stringify(pattern)} (looked for ${path}). Check the path; a relative one starts at the working directory.${near === undefined ? "" : ` Did you mean ${near}?`}`,
    );
  }
  return matches;
}

/** The endings of files that are taken for images in a folder. */
export const IMAGE_ENDING = /\.(jpe?g|jfif|png|gif|webp)$/i;
/** Folders of a folder that are looked into for images. */
const MOST_LOOKED_INTO = 50;

/** How images are trained on, where a folder, or one in it, has some; "" for other folders. */
async function hintOfImages(folder: string, names: readonly string[]): Promise<string> {
  const below = await Promise.all(names.slice(0, MOST_LOOKED_INTO).map((name) => namesIn(resolve(folder, name))));
  if (![names, ...below].some((some) => some?.some((name) => IMAGE_ENDING.test(name)))) return "";
  return ` It has images: train on them by codistill train --images ${folder}, or by a configuration with data.kind "images".`;
}

/** How the files in a folder are named. */
async function filesOf(folder: string, names: readonly string[], kind: SourceKind): Promise<string> {
  const named = (...parts: readonly string[]) => JSON.stringify(join(folder, ...parts));
  // A .txt may be either.
  const isTable = (name: string) =>
    formatOfName(name) !== undefined && (kind === "table" || !/\.txt(\.|$)/i.test(name));
  const table = names.find(isTable);
  const tables = table === undefined ? null : named(`*.${table.split(".").slice(1).join(".")}`);
  if (kind === "text") {
    if (names.length === 0) return "It is empty.";
    const areFiles = await Promise.all(names.map((name) => isFile(resolve(folder, name))));
    const texts = named(areFiles.includes(true) ? "*" : "**/*");
    const others = tables === null ? "" : `, or ${tables} with --label for its tables`;
    return `Name its files, for example ${texts}${others}; every ending is text.`;
  }
  if (tables !== null) return `Name its files, for example ${tables}.`;
  return `None of its files has a format that can be read (${Object.keys(formats).join(", ")}; .gz or .zst may follow). Name those of the folders in it, as in ${named("**/*.csv")}.`;
}

async function matchesOf(path: string): Promise<string[]> {
  const rest = path.split(sep);
  let root = `${rest.shift()}${sep}`;
  // Parts that exist as they are written are no patterns, so that a folder may have a bracket in its name.
  while (rest[0] !== undefined && (await exists(join(root, rest[0])))) root = join(root, rest.shift() ?? "");
  const names = await readdir(root, { recursive: rest.length > 1 || rest[0] === "**" }).catch(() => []);
  const wanted = globPattern(rest.join("/"));
  const found = names.filter((name) => wanted.test(name.split(sep).join("/"))).map((name) => join(root, name));
  const areFiles = await Promise.all(found.map(isFile));
  return found.filter((_, i) => areFiles[i]).sort();
}

/** `**` crosses folders; `*` and `?` stay within one name; `[...]` is one of its characters. */
export function globPattern(glob: string): RegExp {
  const pattern = glob.replace(/\*\*\/|\*\*|\*|\?|\[[^\]]+\]|[\\^$.|+(){}[\]]/g, (token) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.length > 1) return token.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
    return `\\${token}`;
  });
  return new RegExp(`^${pattern}$`, "u");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
}
