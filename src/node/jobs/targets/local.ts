/** This machine: one command for all groups, each group a process, its workers threads. */
import { join } from "node:path";
import { type Launch, type Plan, runCommand } from "../plan.js";

export function local(plan: Plan): Launch {
  const { threads, workers } = plan;
  const command = runCommand(plan, { threads, workers });
  const runFolder = join(plan.runs, plan.name);
  return {
    files: [],
    lines: [{ does: "train all groups", words: command }],
    jobs: [{ group: null, command, runFolder, stop: "SIGTERM" }],
    notes: [],
  };
}
