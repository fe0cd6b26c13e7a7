/**
 * The identity of a process. Its id alone can recur: in another container, after a restart, or once the process has
 * ended.
 */
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
  /** The id of the kernel's boot; null where the kernel has none. */
  bootId: mark,
  /** The namespace of the process id; null where there are no namespaces. */
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

/** Whether two processes run, or ran, in the same boot of the same kernel. */
export function isSameKernel(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.bootId === b.bootId && (a.bootId !== null || a.host === b.host);
}

/** Whether a process is running; null when this process cannot see that, as for another machine or container. */
export function isRunning(other: ProcessIdentity, own: ProcessIdentity): boolean | null {
  if (!isSameKernel(other, own) || other.pidNamespace !== own.pidNamespace) return null;
  if (!isAlive(other.pid)) return false;
  const startTime = startTimeOf(other.pid);
  return other.startTime === null || startTime === null || startTime === other.startTime;
}

/**
 * Whether a process that a record in a file names is known to have ended. That is not known of a process of another
 * machine or container, nor of one before a restart of this machine when other machines may write to the file too.
 */
export function hasEnded(other: ProcessIdentity, own: ProcessIdentity, path: string): boolean {
  const isThere = isRunning(other, own);
  if (isThere !== null) return !isThere;
  if (other.host !== own.host || isSameKernel(other, own)) return false;
  // A record of an earlier version named the host and the process id alone; a record with this process's id is not of
  // this process.
  return other.bootId === null ? other.pid === own.pid || !isAlive(other.pid) : isLocal(path);
}

/**
 * Whether the process that an event or a note in a file names may still be running; a record of an earlier version has
 * its id alone.
 */
export function mayBeThere(record: { readonly pid?: unknown }, path: string): boolean {
  const parsed = processIdentitySchema.safeParse(record);
  if (parsed.success) return !hasEnded(parsed.data, ownIdentity(), path);
  return typeof record.pid === "number" && isAlive(record.pid);
}

/** Whether this machine has any process with this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === "EPERM";
  }
}

/** The types of file systems to which one machine alone writes: ext, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS. */
const LOCAL = [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010];

function isLocal(path: string): boolean {
  return process.platform === "linux" && LOCAL.includes(statfsSync(path).type);
}

function startTimeOf(pid: number): string | null {
  if (process.platform === "win32") return null;
  if (process.platform !== "linux") {
    return unlessRefused(() => execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim());
  }
  // The name of the program, in parentheses, may hold any characters; the 20th field after it is the start time.
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
