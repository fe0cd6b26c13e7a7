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

/** Write figures to `bench/results/<bench>.json`. The machine is as it was before measuring. */
export async function writeFigures(bench: string, machine: Machine, results: readonly object[]): Promise<void> {
  const about = { bench, date: new Date().toISOString(), commit: sourceCommit(), machine, node: process.version };
  await mkdir("bench/results", { recursive: true });
  await writeFile(`bench/results/${bench}.json`, `${JSON.stringify({ ...about, results })}\n`);
}
