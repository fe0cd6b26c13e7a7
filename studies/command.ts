/** Commands of codistill, as a user would start them. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunResult } from "../src/log/events.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { watchPeaks } from "../test/process/peak-memory.js";
import { start } from "../test/process/processes.js";

const MAIN = fileURLToPath(new URL("../src/node/main.js", import.meta.url));

/** What a run came to. */
export interface Outcome {
  /** Of the whole command, its data prepared and scored. */
  readonly seconds: number;
  /** Of all processes of the run together, each at its peak. */
  readonly peakBytes: number;
  readonly result: RunResult;
}

/** What a command of codistill says on standard output. Rejects when it fails. */
export async function outputByCommand(args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, shown } = await start(process.execPath, [MAIN, ...args], { cwd }).ended;
  if (code !== 0) throw new Error(`the command failed: ${shown}`);
  return stdout;
}

/**
 * Run a command of codistill that says what it does on this terminal; the exit code. It saves when it is stopped, and is waited for: a
 * terminal sends Ctrl-C to both, and a second one would end it at once.
 */
export async function shownCommand(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: "inherit" });
  const wait = () => {};
  const end = () => child.kill("SIGTERM");
  process.on("SIGINT", wait).on("SIGTERM", end);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
  } finally {
    process.off("SIGINT", wait).off("SIGTERM", end);
  }
}

/** The one folder of its kind among those of runs; null where there is none. */
export function folderIn(runs: string, isOne: (folder: string) => boolean): string | null {
  const all = existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name)) : [];
  return all.find(isOne) ?? null;
}

/** Run `codistill train` with arguments in a folder; `runs` is the folder that its run is new in. Rejects when it fails. */
export async function trainByCommand(args: readonly string[], cwd: string, runs: string): Promise<Outcome> {
  const foldersIn = () => (existsSync(runs) ? readdirSync(runs) : []);
  const before = new Set(foldersIn());
  const started = performance.now();
  const run = start(process.execPath, [MAIN, "train", ...args], { cwd });
  const watch = watchPeaks(run.pid);
  const { code, shown } = await run.ended;
  watch.stop();
  if (code !== 0) throw new Error(`the run failed: ${shown}`);
  const seconds = (performance.now() - started) / 1000;
  const [own = ""] = foldersIn().filter((name) => !before.has(name));
  return {
    seconds,
    peakBytes: [...watch.peaks.values()].reduce((sum, peak) => sum + peak, 0),
    result: JSON.parse(readFileSync(runFolder(join(runs, own)).result, "utf8")),
  };
}
