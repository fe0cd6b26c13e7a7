/**
 * Files in folders that others may write to, such as run folders and stores: what has a name there may have been put
 * there by somebody else. So nothing is written through a link, and nothing but a regular file is opened: a named pipe
 * would hang the program, and a device would act.
 */
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../../errors.js";

const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL } = constants;
/** Flags that not every platform has. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
/** Read and written by the owner, read by the group. */
const FILE_MODE = 0o640;

/**
 * How a file of ours is written: lines are appended, its content is replaced, it is created and must not exist, or it
 * is read and changed in place.
 */
export type OwnFileUse = "append" | "replace" | "create" | "update";

const flagsOf: Readonly<Record<OwnFileUse, number>> = {
  append: O_WRONLY | O_APPEND | O_CREAT,
  replace: O_WRONLY | O_CREAT,
  create: O_WRONLY | O_CREAT | O_EXCL,
  update: O_RDWR | O_CREAT,
};

/**
 * Open a file of ours to write; returns its descriptor.
 *
 * Throws {@link StoreError} when a link, a pipe, a device, a folder or a file with a second name (a hard link) lies there, and
 * the file system's error when that refuses (`EEXIST` where the file must be made).
 */
export function openOwn(path: string, use: OwnFileUse): number {
  const file = opened(path, flagsOf[use] | O_NOFOLLOW);
  try {
    const stats = fstatSync(file);
    checkRegular(path, stats);
    if (stats.nlink > 1) {
      throw new StoreError(
        `${path} must be a file of its own to be written to, it has ${stats.nlink} names (hard links). Remove it, or put a copy there.`,
      );
    }
    if (use === "replace") ftruncateSync(file);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Write text to a file of ours. Throws what {@link openOwn} throws. */
export function writeOwn(path: string, use: OwnFileUse, text: string): void {
  const file = openOwn(path, use);
  try {
    appendFileSync(file, text);
  } finally {
    closeSync(file);
  }
}

/**
 * Make a folder and its parents unless they exist; a link to a folder counts as one. Throws the error of the file
 * system.
 *
 * Does not use Node's own recursion, which never ends below a folder in which nothing can be made, such as `/proc`.
 */
export function makeFolder(path: string): void {
  const isThere = () => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere()) return;
  const above = dirname(path);
  if (above !== path && !existsSync(above)) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (!isThere()) throw error;
  }
}

/** Make a folder of ours unless it exists. Throws {@link StoreError} when the path is a link or a file. */
export function makeOwnFolder(path: string): void {
  makeFolder(path);
  const stats = lstatSync(path);
  if (!stats.isDirectory()) throw wrongKind(path, "a folder", stats);
}

/**
 * Open a file to read, also through links; returns its descriptor.
 *
 * Throws {@link StoreError} at once when it is not a regular file, and the error of the file system when that refuses.
 */
export function openRegular(path: string): number {
  const file = opened(path, O_RDONLY);
  try {
    checkRegular(path, fstatSync(file));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** The content of a file. Throws what {@link openRegular} throws. */
export function readRegular(path: string): Buffer {
  const file = openRegular(path);
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Throws {@link StoreError} when a path is something else than a regular file; a missing file is left for its reader to
 * report.
 */
export function assertRegular(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats) checkRegular(path, stats);
}

/** Without O_NONBLOCK the opening of a named pipe would wait for its other end, for ever. */
function opened(path: string, flags: number): number {
  try {
    return openSync(path, flags | O_NONBLOCK, FILE_MODE);
  } catch (error) {
    // The error is ENXIO for a socket and for a pipe without a reader, and ELOOP for a link that is not followed.
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats && !stats.isFile() && !(stats.isSymbolicLink() && (flags & O_NOFOLLOW) === 0)) {
      throw wrongKind(path, "a regular file", stats, error);
    }
    throw error;
  }
}

function checkRegular(path: string, stats: Stats): void {
  if (!stats.isFile()) throw wrongKind(path, "a regular file", stats);
}

function wrongKind(path: string, expected: string, stats: Stats, cause?: unknown): StoreError {
  return new StoreError(`${path} must be ${expected}, it is ${kindOf(stats)}. Remove it, or move it away.`, { cause });
}

/** The kind of a file, in words. */
export function kindOf(stats: Stats): string {
  if (stats.isFile()) return "a file";
  if (stats.isDirectory()) return "a folder";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
