/** Faults at exact points of a process's work with files: how a test asks for one. `fault-preload.ts` makes it. */
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

/** The environment in which `codistill` runs with this fault. */
export function withFault(fault: Fault): { readonly env: Readonly<Record<string, string>> } {
  const preload = new URL("./fault-preload.js", import.meta.url);
  for (const [name, value] of Object.entries(fault)) preload.searchParams.set(name, String(value));
  return { env: { NODE_OPTIONS: `--import=${preload.href}` } };
}

/** Whether a process with these arguments is the one that the fault is for. */
export function isFor(fault: Pick<Fault, "process">, argv: readonly string[]): boolean {
  const [, program = "", , groupIndex = ""] = argv;
  const isProgram = (name: string) => program === fileURLToPath(new URL(`../../src/node/${name}.js`, import.meta.url));
  if (fault.process === "parent") return isProgram("main");
  return isProgram("launch/group-main") && (fault.process === "groups" || String(fault.process) === groupIndex);
}
