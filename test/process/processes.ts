/** Processes in tests: start them, keep what they say, wait for what they do, and see whether they are gone. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** How a process ended, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Everything above as text, for the messages of assertions. */
  readonly shown: string;
}

/** A process that is running, or has ended. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has said so far. */
  output(): string;
}

export interface StartOptions {
  readonly cwd: string;
  /** More variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Make it the leader of a process group, as a shell does for the terminal's foreground. */
  readonly detached?: boolean;
}

/** Start a program without a shell and without a terminal. */
export function start(program: string, args: readonly string[], options: StartOptions): Running {
  const { cwd, env = {}, detached = false } = options;
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const child = spawn(program, args, { cwd, detached, env: { ...cleanEnvironment(), ...env }, stdio });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  const output = () => `$ ${program} ${args.join(" ")}\n--- stdout\n${said.stdout}\n--- stderr\n${said.stderr}`;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve({ code, signal, ...said, shown: `${output()}\n--- ended with ${signal ?? `code ${code}`}` });
    });
  });
  if (child.pid === undefined) throw new Error(`could not start ${program}`);
  return { child, pid: child.pid, ended, output };
}

/** End a process that `start` gave, unless it has ended by itself. */
export async function end({ child, ended }: Running): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  await ended;
}

/** Without what the test runner, npm or a terminal has put there. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const isTheirs = (name: string) =>
    /^(NODE_OPTIONS|NODE_TEST_CONTEXT|FORCE_COLOR|INIT_CWD|npm_(command|lifecycle|package|config_local_prefix).*)$/.test(
      name,
    );
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isTheirs(name)));
}

const TRIES = 12_000;
const MILLISECONDS_BETWEEN_TRIES = 10;

/** Look until there is something; fails with what the process said when there is nothing for too long. */
export async function eventually<T>(what: string, look: () => T | null, output: () => string): Promise<T> {
  for (let tries = 0; tries < TRIES; tries++) {
    const found = look();
    if (found !== null) return found;
    await pause(MILLISECONDS_BETWEEN_TRIES);
  }
  throw new Error(`${what} did not come about. ${output()}`);
}

/**
 * The command line of a process; empty when it is gone, or a zombie. A process whose parent was killed is no child of
 * the test's, and its id may come to belong to another process, so its command is what tells it.
 */
export function commandOf(pid: number): string {
  try {
    return existsSync("/proc/self/cmdline")
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      : execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return "";
  }
}
