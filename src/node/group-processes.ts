/** The groups of a run on this machine: one process each. */
import { type ChildProcess, fork } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { RunConfig } from "../run/schema.js";
import { logWriter } from "./log.js";
import { lastStepOf, readLog } from "./read-log.js";
import type { RunFolder } from "./run-folder.js";

/** Start a process for each group and wait until all have ended; `stop` asks them to save and end. */
export async function runGroups(config: RunConfig, folder: RunFolder, stop: AbortSignal): Promise<void> {
  const threads = config.threads ?? Math.max(1, Math.floor(availableParallelism() / config.numGroups));
  const groups = Array.from({ length: config.numGroups }, (_, group) => startGroup(folder, group, threads));
  const askToStop = () => {
    for (const { child } of groups) if (child.connected) child.send("stop");
  };
  const leaveNobody = () => {
    for (const { child } of groups) child.kill("SIGKILL");
  };
  stop.addEventListener("abort", askToStop, { once: true });
  process.once("exit", leaveNobody);
  await Promise.all(groups.map(({ ended }) => ended));
  process.removeListener("exit", leaveNobody);
  stop.removeEventListener("abort", askToStop);
}

function startGroup(folder: RunFolder, group: number, threads: number): { child: ChildProcess; ended: Promise<void> } {
  const { path, log, errors } = folder.group(group);
  mkdirSync(path, { recursive: true });
  const numEventsBefore = readLog(log).length;
  const errorFile = openSync(errors, "w");
  const entry = fileURLToPath(new URL("./group-main.js", import.meta.url));
  const child = fork(entry, [folder.path, String(group), String(threads)], {
    stdio: ["ignore", "ignore", errorFile, "ipc"],
  });
  closeSync(errorFile);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      const events = readLog(log).slice(numEventsBefore);
      if (!events.some(({ event }) => event === "group-end")) {
        const how = signal ? `was killed by ${signal}` : `exited with code ${code}`;
        const message = [`its process ${how}`, readFileSync(errors, "utf8").trim()].filter(Boolean).join(": ");
        // A group that died without a word gets its last event from here.
        logWriter(log)({ event: "group-end", group, step: lastStepOf(events), reason: "failed", message, seconds: 0 });
      }
      resolve();
    });
  });
  return { child, ended };
}
