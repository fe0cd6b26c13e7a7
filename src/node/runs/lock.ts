/**
 * One program at a time trains in a run folder: the one that `lock.json` names.
 *
 * The kernel decides whether that program is alive: the program holds a lock on the file (`flock`), which ends with its
 * process and is visible in every container of the same kernel. When nobody holds the lock, the record of a process of
 * this kernel is void. The record of a process of another machine stands, because this machine cannot tell whether that
 * process is alive.
 */
import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, ftruncateSync, lstatSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { decodeJson } from "../../checkpoint/json.js";
import { ConfigError } from "../../errors.js";
import { openOwn, openRegular, writeOwn } from "../files/plain-files.js";
import { lockFile } from "./flock.js";
import {
  hasEnded,
  isRunning,
  isSameKernel,
  ownIdentity,
  type ProcessIdentity,
  processIdentitySchema,
} from "./process-identity.js";

/** A lock that this process has taken. */
export interface RunLock {
  /** Whether this process still holds it: the file may have been removed while the process was suspended. */
  isHeld(): boolean;
  release(): void;
}

/** The version of `lock.json`. */
const LOCK_VERSION = 1;
const MAX_RECORD_BYTES = 4096;

/**
 * Lock a run folder. When many programs do so at the same time, exactly one gets the lock, also when the last holder is
 * gone.
 *
 * Throws {@link ConfigError} when another program holds it, or may hold it as far as this machine can tell, and what
 * {@link openOwn} throws.
 */
export function lockRun(folder: string): RunLock {
  const path = join(folder, "lock.json");
  const own = ownIdentity();
  const record = JSON.stringify({ version: LOCK_VERSION, ...own, token: randomUUID() });
  for (;;) {
    const file = openOwn(path, "update");
    let isOurs = false;
    try {
      isOurs = take(path, file, own, record);
    } finally {
      if (!isOurs) closeSync(file);
    }
    if (isOurs) return lockOf(path, file, record);
  }
}

/** Take the lock in an open file; false when another file is at its path by now. */
function take(path: string, file: number, own: ProcessIdentity, record: string): boolean {
  const kernel = lockFile(file);
  const before = readText(file);
  const holder = holderIn(before);
  if (kernel === "taken") throw heldBy(holder, path);
  // A living process of this kernel would hold the kernel's lock.
  const isGone = holder && ((kernel === "locked" && isSameKernel(holder, own)) || hasEnded(holder, own, path));
  if (holder && !isGone) throw heldBy(holder, path, whyUnknown(holder, own));
  if (kernel === "unsupported") return replaceOnce(path, before, record);
  // The last holder may have removed the file after this process opened and before it locked it.
  if (!isAt(path, file)) return false;
  ftruncateSync(file);
  writeSync(file, record, 0);
  return true;
}

function lockOf(path: string, file: number, record: string): RunLock {
  const isHeld = () => textAt(path) === record;
  return {
    isHeld,
    release() {
      if (isHeld()) rmSync(path, { force: true });
      closeSync(file);
    },
  };
}

/**
 * Replace a void record where the kernel has no locks. When many processes do so at the same time, the one wins that
 * creates the file `.next`; it alone can replace the record then, and checks that the record is still the one that was
 * found void.
 */
function replaceOnce(path: string, before: string, record: string): boolean {
  const next = `${path}.next`;
  try {
    writeOwn(next, "create", record);
  } catch (error) {
    throw new ConfigError(
      `another program is taking ${path} over, or was killed while it did. Try again; if ${next} stays, remove it.`,
      { cause: error },
    );
  }
  if (textAt(path) === before) {
    renameSync(next, path);
    return true;
  }
  rmSync(next, { force: true });
  return false;
}

function isAt(path: string, file: number): boolean {
  const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const open = fstatSync(file, { bigint: true });
  return there !== undefined && there.ino === open.ino && there.dev === open.dev;
}

function readText(file: number): string {
  const bytes = Buffer.alloc(MAX_RECORD_BYTES);
  return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, 0));
}

function textAt(path: string): string | null {
  try {
    const file = openRegular(path);
    try {
      return readText(file);
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

/** The process that a record names; null for a record that was cut short while it was written. */
function holderIn(text: string): ProcessIdentity | null {
  const parsed = processIdentitySchema.safeParse(decodeJson(text));
  return parsed.success ? parsed.data : null;
}

function whyUnknown(holder: ProcessIdentity, own: ProcessIdentity): string {
  const isOfOlderVersion = holder.bootId === null && holder.host === own.host;
  if (isRunning(holder, own) || isOfOlderVersion) return "";
  if (isSameKernel(holder, own)) return "in another container, so that it cannot be seen from here whether it still is";
  const where =
    holder.host === own.host ? "before a restart of this machine, or on another one of its name" : "on another machine";
  return `${where}, so that it cannot be seen from here whether it still is`;
}

function heldBy(holder: ProcessIdentity | null, path: string, why = ""): ConfigError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : "another program";
  return new ConfigError(
    `one program at a time trains in a run folder, and ${who} is at work in ${dirname(path)}${why && ` (${why})`}. ` +
      `Stop it first; if it is gone, remove ${path}.`,
  );
}
