/**
 * A group's own folder belongs to the process of it that was started last. Each start makes a file of its own there, and
 * removes those of the starts before it: a process whose file is gone changes nothing in the folder any more.
 */
import { closeSync, openSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { messageOf, StoreError } from "../../errors.js";
import { makeOwnFolder } from "../files/plain-files.js";
import { systemCodeOf } from "../files/system-errors.js";
import { TEMPORARY } from "../stores/directory-store.js";

const FOLDER = "starts";
const DIGITS = 9;
const START = new RegExp(`^\\d{${DIGITS}}$`);

/** The start of a group's process, as its own folder counts it. */
export interface Ownership {
  readonly start: number;
  /** Whether no later start has been made, and the folder is still there. */
  isNewest(): boolean;
}

/**
 * Make the newest start in a group's own folder.
 *
 * Also removes temporary files that an older process, suspended in the middle of a write, would still put in place.
 * Such a process writes its temporary file, checks {@link Ownership.isNewest}, and then renames the file. If it checked
 * before this start was made, its rename finds no file; so everything that is read after this call stays until this
 * process replaces it.
 *
 * Throws {@link StoreError} when the folder cannot be written to.
 */
export function takeOver(path: string): Ownership {
  const starts = join(path, FOLDER);
  try {
    makeOwnFolder(starts);
    const start = makeNext(starts);
    for (const older of startsIn(starts)) if (older < start) removeIfThere(fileOf(starts, older));
    removeTemporaries(path);
    return { start, isNewest: () => isThere(fileOf(starts, start)) };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError(
      `${path} must be a folder that this user can write to (${messageOf(error)}). Free its space, or let this user write there.`,
      { cause: error },
    );
  }
}

function makeNext(starts: string): number {
  for (let start = Math.max(0, ...startsIn(starts)) + 1; ; start++) {
    try {
      // An empty file: it cannot be cut short, and a full disk has room for it.
      closeSync(openSync(fileOf(starts, start), "wx", 0o640));
      return start;
    } catch (error) {
      if (systemCodeOf(error) !== "EEXIST") throw error;
    }
  }
}

const startsIn = (starts: string): number[] =>
  readdirSync(starts)
    .filter((name) => START.test(name))
    .map(Number);

const fileOf = (starts: string, start: number) => join(starts, String(start).padStart(DIGITS, "0"));

/**
 * Whether a file exists. It is opened, because NFS asks the server then, while it may answer `stat` from its cache.
 * Other errors are left for the write to meet.
 */
function isThere(path: string): boolean {
  try {
    closeSync(openSync(path, "r"));
    return true;
  } catch (error) {
    return !["ENOENT", "ENOTDIR", "ESTALE"].includes(systemCodeOf(error) ?? "");
  }
}

function removeTemporaries(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeTemporaries(path);
    else if (TEMPORARY.test(entry.name)) removeIfThere(path);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
  }
}
