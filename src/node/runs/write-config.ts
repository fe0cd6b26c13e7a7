/** Writes inferred configurations to files, and names their runs. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, relative, resolve } from "node:path";
import { ConfigError, messageOf } from "../../errors.js";

/** The default name of a configuration file. */
const CONFIGURATION = "codistill.config.ts";

/**
 * Write a configuration beside the user's other files, by its text in a folder. A file that is there and says something else
 * is left alone, and a number is added to the name. Returns the path.
 *
 * Throws {@link ConfigError} when nothing can be written there.
 */
export function writeBeside(textIn: (folder: string) => string, wanted = CONFIGURATION): string {
  const extension = extname(wanted);
  const stem = extension === "" ? wanted : wanted.slice(0, -extension.length);
  for (let number = 1; ; number++) {
    const path = number === 1 ? wanted : `${stem}-${number}${extension}`;
    const text = textIn(dirname(resolve(path)));
    if (existsSync(path)) {
      const isAsLong = statSync(path).size === Buffer.byteLength(text);
      if (isAsLong && readFileSync(path, "utf8") === text) return path;
      continue;
    }
    try {
      writeFileSync(path, text, { flag: "wx" });
    } catch (error) {
      throw new ConfigError(`${path} cannot be written: ${messageOf(error)}`, { cause: error });
    }
    return path;
  }
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
