/** Faults at exact points of a process's work with files: how a test asks for one. `fault-preload.ts` makes it. */
import { renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a process is about to do, or is in the middle of, when the fault comes. */
export interface Fault {
  /** The group whose process it is; "parent" is the one that a user starts. */
  readonly process: number | "groups" | "parent";
  readonly file: "snapshot" | "pointer" | "checkpoint" | "best" | "declaration" | "cache" | "program";
  /** Before its temporary file is opened, when half of its bytes are in it, or before it is moved to its name. */
  readonly at: "open" | "write" | "rename";
  /** The how manyth time it is that this file comes to this point; 1 by default. */
  readonly nth?: number;
  /**
   * "SIGKILL" ends the process there. "SIGINT" and "SIGTERM" send it that signal, and it goes on once it has received
   * it. "ENOSPC" is the error of a full disk. "hold" waits until the parent says to stop or is gone, "orphan" until it is gone; "stuck"
   * waits for ever.
   */
  readonly effect: "SIGKILL" | "SIGINT" | "SIGTERM" | "ENOSPC" | "hold" | "orphan" | "stuck";
}

/** The environment in which `codistill` runs with these faults. */
export function withFault(...faults: readonly Fault[]): { readonly env: Readonly<Record<string, string>> } {
  return withPreload("./fault-preload.js", faults);
}

function withPreload(file: string, queries: readonly object[]): { readonly env: Readonly<Record<string, string>> } {
  const preloads = queries.map((query) => {
    const preload = new URL(file, import.meta.url);
    for (const [name, value] of Object.entries(query)) preload.searchParams.set(name, String(value));
    return `--import=${preload.href}`;
  });
  return { env: { NODE_OPTIONS: preloads.join(" ") } };
}

/** A worker that something befalls on its thread, as soon as a test says what. `worker-preload.ts` makes it. */
export interface WorkerFault {
  readonly group: number;
  readonly worker: number;
  /** The file by which a test says it: see {@link befall}. */
  readonly when: string;
  /** Whether it waits for that before it does anything else. */
  readonly waits?: boolean;
}

/** A thread of a group's process that is ended from outside, once a test says so with {@link befall}. `thread-preload.ts` makes it. */
export interface ThreadFault {
  readonly group: number;
  /** The program of the thread, by the name of its file, and the how manyth of that program it is. */
  readonly program: "engine-worker" | "async-worker-main";
  readonly nth: number;
  /** The file by which a test says it. */
  readonly when: string;
}

/** "exit" ends the thread, "stuck" holds it for ever, and "other data" changes the training data of the run where it lies. */
export type WorkerEffect = "exit" | "stuck" | "other data";

/** The environment in which `codistill` runs with a worker to which something can be done. */
export function withWorkerFault(fault: WorkerFault): { readonly env: Readonly<Record<string, string>> } {
  return withPreload("./worker-preload.js", [fault]);
}

/** The environment in which `codistill` runs with threads that can be ended. */
export function withThreadFaults(...faults: readonly ThreadFault[]): {
  readonly env: Readonly<Record<string, string>>;
} {
  return withPreload("./thread-preload.js", faults);
}

/** Let something befall a worker or a thread, once. */
export function befall(when: WorkerFault["when"], effect: WorkerEffect): void {
  writeFileSync(`${when}.tmp`, effect);
  renameSync(`${when}.tmp`, when);
}

/** Whether a process with these arguments is the one that the fault is for. */
export function isFor(fault: Pick<Fault, "process">, argv: readonly string[]): boolean {
  const [, program = "", , groupIndex = ""] = argv;
  const isProgram = (name: string) => program === fileURLToPath(new URL(`../../src/node/${name}.js`, import.meta.url));
  if (fault.process === "parent") return isProgram("main");
  return isProgram("launch/group-main") && (fault.process === "groups" || String(fault.process) === groupIndex);
}
