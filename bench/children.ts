/** Measurements in processes of their own, so that none finds what another left, and figures as files. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { withHugePages } from "../src/node/launch/huge-pages.js";
import { type Machine, sourceCommit } from "./machine.js";

/** What a script of ours, started with these arguments, sends before it ends. Throws when it ends without. */
export async function measuredBy<Figures extends object>(script: string, args: readonly string[]): Promise<Figures> {
  const child = fork(script, args, { env: withHugePages(process.env) });
  const ended = once(child, "exit");
  const [figures] = await Promise.race([once(child, "message"), ended.then(([code]) => [code])]);
  await ended;
  if (typeof figures !== "object") throw new Error(`${args.join(" ")} ended with ${figures}`);
  return figures;
}

/** What work took: CPU time (user and system) and time by the clock, in milliseconds. */
export interface Cost {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** What some work takes, and what it gives. */
export async function costOf<T>(work: () => Promise<T>): Promise<Cost & { readonly result: T }> {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { result, wallMs: performance.now() - started, cpuMs: (user + system) / 1000 };
}

/** What a script of ours sends for each name at one thread and at two. */
export async function byThreads<Figures extends object>(script: string, names: readonly string[]): Promise<Figures[]> {
  const results: Figures[] = [];
  for (const name of names)
    for (const threads of ["1", "2"]) {
      results.push(await measuredBy<Figures>(script, [name, threads]));
      process.stderr.write(`${name}, ${threads} ${threads === "1" ? "thread" : "threads"}\n`);
    }
  return results;
}

/** Write figures to `bench/results/<bench>.json`. The machine is as it was before measuring. */
export async function writeFigures(bench: string, machine: Machine, results: readonly object[]): Promise<void> {
  const about = { bench, date: new Date().toISOString(), commit: sourceCommit(), machine, node: process.version };
  await mkdir("bench/results", { recursive: true });
  await writeFile(`bench/results/${bench}.json`, `${JSON.stringify({ ...about, results })}\n`);
}
