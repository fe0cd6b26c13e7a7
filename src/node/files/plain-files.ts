/**
 * Files in folders that others may write to, as run folders and stores: what lies under a name there may have been put there
 * by somebody else. Nothing is written through a link, and nothing but a regular file is opened: a named pipe would hang the
 * program, a device would do what it does.
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
/** Not on every platform. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
/** Read and written by the owner, read by the group. */
const FILE_MODE = 0o640;

/**
 * What is done with a file of ours: lines are added, it is written anew, it is made and must not be there, or it is read and
 * changed in place.
 */
export type OwnFileUse = "append" | "replace" | "create" | "update";

const flagsOf: Readonly<Record<OwnFileUse, number>> = {
  append: O_WRONLY | O_APPEND | O_CREAT,
  replace: O_WRONLY | O_CREAT,
  create: O_WRONLY | O_CREAT | O_EXCL,
  update: O_RDWR | O_CREAT,
};

/**
 * Open a file of ours to write to; gives its descriptor.
 *
 * Throws {@link StoreError} when a link, a pipe, a device, a folder or a file with a second name (a hard link) lies there, and
 * the error of the file system when that refuses (`EEXIST` where the file must be made).
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
 * Make a folder, and those above it, unless it is there; what leads to a folder is one. Throws the error of the file system.
 *
 * Not by Node's own recursion, which never ends below a folder in which nothing can be made, as `/proc`.
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

/** Make a folder of ours unless it is there. Throws {@link StoreError} when a link or a file lies there. */
export function makeOwnFolder(path: string): void {
  makeFolder(path);
  const stats = lstatSync(path);
  if (!stats.isDirectory()) throw wrongKind(path, "a folder", stats);
}

/**
 * Open a file to read, through links too; gives its descriptor.
 *
 * Throws {@link StoreError} at once when it is no regular file, and the error of the file system when that refuses.
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

/** Throws {@link StoreError} when something that is no regular file lies there; what is missing is for its reader to tell. */
export function assertRegular(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats) checkRegular(path, stats);
}

/** Without O_NONBLOCK the opening of a named pipe would wait for its other end, for ever. */
function opened(path: string, flags: number): number {
  try {
    return openSync(path, flags | O_NONBLOCK, FILE_MODE);
  } catch (error) {
    // ENXIO is that of a socket, and of a pipe that nobody reads; ELOOP that of a link which is not followed.
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

/** What lies there, in words. */
export function kindOf(stats: Stats): string {
  if (stats.isFile()) return "a file";
  if (stats.isDirectory()) return "a folder";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
