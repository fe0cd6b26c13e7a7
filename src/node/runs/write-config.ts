/** Writes inferred configurations to files, and names their runs. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, relative, resolve } from "node:path";
import { ConfigError, messageOf } from "../../errors.js";

/** The default name of a configuration file. */
const CONFIGURATION = "codistill.config.ts";

/** The largest file that may be a configuration of codistill's own. */
const LARGEST_BYTES = 10_000_000;
const MARK = "// The same command writes this file anew, unless something in it is changed: ";

/**
 * Write a configuration beside the user's other files, by its text in a folder and by what it was asked for, as plain data.
 * The last line of the file says both by their digests. So a file that was written for the same and not changed since is
 * replaced: steps, say, are as many as the machine takes in a time that is measured, and seldom the same twice. Any
 * other file that is there is left alone, and a number is added to the name. Returns the path.
 *
 * Throws {@link ConfigError} when nothing can be written there.
 */
export function writeBeside(textIn: (folder: string) => string, asked: unknown, wanted = CONFIGURATION): string {
  const extension = extname(wanted);
  const stem = extension === "" ? wanted : wanted.slice(0, -extension.length);
  for (let number = 1; ; number++) {
    const path = number === 1 ? wanted : `${stem}-${number}${extension}`;
    const isThere = existsSync(path);
    if (isThere && !isUnchanged(path, asked)) continue;
    const text = textIn(dirname(resolve(path)));
    try {
      writeFileSync(path, `${text}${markOf(text, asked)}`, isThere ? {} : { flag: "wx" });
    } catch (error) {
      throw new ConfigError(`${path} cannot be written: ${messageOf(error)}`, { cause: error });
    }
    return path;
  }
}

/** Whether a file is what {@link writeBeside} wrote for the same. */
function isUnchanged(path: string, asked: unknown): boolean {
  const file = statSync(path);
  if (!file.isFile() || file.size > LARGEST_BYTES) return false;
  const written = readFileSync(path, "utf8");
  const text = written.slice(0, written.lastIndexOf(MARK));
  return written === `${text}${markOf(text, asked)}`;
}

/** The last line of a configuration. */
function markOf(text: string, asked: unknown): string {
  const digest = (of: string) => createHash("sha256").update(of).digest("hex").slice(0, 16);
  return `${MARK}${digest(JSON.stringify(asked))} ${digest(text)}\n`;
}

/** Where a configuration was written, in a line for people. */
export function writtenLine(path: string, wanted = CONFIGURATION): string {
  const other = path === wanted ? "" : `; ${wanted} says something else, and stays as it is`;
  return `config  ${path}, to go on from${other}`;
}

/** A path relative to the folder of the configuration; absolute paths and URLs stay as they are. */
export function relativeTo(folder: string, path: string): string {
  if (isAbsolute(path) || /^[a-z0-9]+:\/\//i.test(path)) return path;
  return relative(folder, resolve(path)).replaceAll("\\", "/");
}

/**
 * A short name of a run: from the file or its folder, and what is added, in lower-case letters, digits and dashes;
 * `other` when nothing is left.
 */
export function runName(data: readonly string[], added: string, other: string): string {
  const [first = ""] = data;
  const file = basename(first).replace(/\..*$/, "");
  const base = /[*?[]/.test(file) || file === "" ? basename(dirname(resolve(first))) : file;
  const name = [base, added]
    .filter((part) => part !== "")
    .join("-")
    .toLowerCase()
    // Removes accents and keeps their letters.
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/ß/g, "ss")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  return name === "" ? other : name;
}
