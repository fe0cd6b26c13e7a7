/** Which process it is: its id alone comes again, in another container, after a restart, or once it has ended. */
import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync, statfsSync } from "node:fs";
import { hostname } from "node:os";
import { z } from "zod";
import { systemCodeOf } from "../files/system-errors.js";

const mark = z.string().min(1).max(200).nullable().default(null);

export const processIdentitySchema = z.object({
  pid: z.int().positive(),
  host: z
    .string()
    .max(300)
    .regex(/^\P{C}*$/u),
  /** When it started: on Linux in clock ticks since the boot, elsewhere as `ps` says it. */
  startTime: mark,
  /** Of this run of the kernel; null where the kernel does not say. */
  bootId: mark,
  /** In which its id counts; null where there are none. */
  pidNamespace: mark,
});

export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    startTime: startTimeOf(process.pid),
    bootId: unlessRefused(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    pidNamespace: unlessRefused(() => readlinkSync("/proc/self/ns/pid")),
  };
}

/** Whether two processes run, or ran, on one kernel between two of its restarts. */
export function isSameKernel(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.bootId === b.bootId && (a.bootId !== null || a.host === b.host);
}

/** Whether a process is there; null when that cannot be seen from here, as from another machine or container. */
export function isRunning(other: ProcessIdentity, own: ProcessIdentity): boolean | null {
  if (!isSameKernel(other, own) || other.pidNamespace !== own.pidNamespace) return null;
  if (!isAlive(other.pid)) return false;
  const startTime = startTimeOf(other.pid);
  return other.startTime === null || startTime === null || startTime === other.startTime;
}

/**
 * Whether a process is known to have ended, by a record of it in a file. Of another machine or container that cannot be seen, nor
 * of an earlier start of this machine where others may write to the file too.
 */
export function hasEnded(other: ProcessIdentity, own: ProcessIdentity, path: string): boolean {
  const isThere = isRunning(other, own);
  if (isThere !== null) return !isThere;
  if (other.host !== own.host || isSameKernel(other, own)) return false;
  // Of a version that named the host and the process alone, and did not write what this process does.
  return other.bootId === null ? other.pid === own.pid || !isAlive(other.pid) : isLocal(path);
}

/** Whether the process that an event or a note in a file names may be there yet; one of an earlier version tells its id alone. */
export function mayBeThere(record: { readonly pid?: unknown }, path: string): boolean {
  const parsed = processIdentitySchema.safeParse(record);
  if (parsed.success) return !hasEnded(parsed.data, ownIdentity(), path);
  return typeof record.pid === "number" && isAlive(record.pid);
}

/** Whether this machine has a process of this id, whichever it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === "EPERM";
  }
}

/** Of file systems that one machine alone writes to: ext, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS. */
const LOCAL = [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010];

function isLocal(path: string): boolean {
  return process.platform === "linux" && LOCAL.includes(statfsSync(path).type);
}

function startTimeOf(pid: number): string | null {
  if (process.platform === "win32") return null;
  if (process.platform !== "linux") {
    return unlessRefused(() => execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim());
  }
  // The name of the program, in parentheses, may hold anything; the 20th field behind it is the start time.
  return unlessRefused(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  });
}

function unlessRefused(read: () => string): string | null {
  try {
    return read() || null;
  } catch {
    return null;
  }
}
