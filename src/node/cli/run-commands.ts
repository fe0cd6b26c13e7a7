/** The commands about existing runs and their data: runs, inspect, clean, shards. */
import { relative } from "node:path";
import type { Command } from "commander";
import { slotsUnder } from "../../data/shard.js";
import { bytes } from "../../report/format.js";
import { runsLines } from "../../report/runs.js";
import { FAILED } from "../launch/exit-codes.js";
import { carryOut, planClean, planLines } from "../runs/clean.js";
import { inspect } from "../runs/inspect.js";
import { listRuns } from "../runs/list-runs.js";
import { loadConfig } from "../runs/load-config.js";

/** The flag that overrides options of a configuration. */
export const SET = [
  "--set <path=value>",
  "override an option, as in --set numSteps=100 (repeatable)",
  (value: string, all: string[]) => [...all, value],
  [] as string[],
] as const;

interface CleanFlags {
  readonly checkpoints?: boolean;
  readonly cache?: boolean | string;
  readonly recordings?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Add the commands to a program; `cacheFolder` gives the folder of its training caches. */
export function addRunCommands(program: Command, cacheFolder: () => string, say: (text: string) => void): void {
  program
    .command("runs")
    .description("list runs with their state and result")
    .argument("[folder]", "where run folders are", "runs")
    .option("--json", "as JSON")
    .action((folder: string, { json }: { json?: boolean }) => {
      const runs = listRuns(folder);
      if (json) say(JSON.stringify(runs, null, 2));
      else say(runs.length > 0 ? runsLines(runs).join("\n") : `no runs in ${folder}; start one with codistill train`);
    });

  program
    .command("inspect")
    .description("show what is inside a run folder, a checkpoint, a snapshot or a model")
    .argument("<path>", "a run folder, a .safetensors file or a .onnx model")
    .option("--json", "as JSON")
    .action(async (path: string, { json }: { json?: boolean }) => {
      const { lines, data } = await inspect(path);
      say(json ? JSON.stringify(data, null, 2) : lines.join("\n"));
    });

  program
    .command("clean")
    .description("say what ended runs leave that nobody needs, and remove it with --yes")
    .argument("[folder]", "a run folder, or where run folders are", "runs")
    .option("--checkpoints", "also the checkpoints of finished runs; model, best params, result and log stay")
    .option(
      "--cache [folder]",
      "also the training caches that no run refers to; of this folder, else CODISTILL_CACHE, else .codistill/cache",
    )
    .option("--recordings", "also the snapshots that recorded runs keep for their replay")
    .option("--yes", "remove it")
    .option("--json", "as JSON: what is removed, or would be, and what is left alone")
    .addHelpText("after", "\nExamples:\n  codistill clean\n  codistill clean runs --checkpoints --cache --yes")
    .action(cleanCommand);

  program
    .command("shards")
    .description("show what each group trains on, and prove that shards are disjoint")
    .argument("<config>", "configuration, as for train")
    .option(...SET)
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill shards codistill.config.ts\n  codistill shards codistill.config.ts --json",
    )
    .action(shardsCommand);

  async function shardsCommand(
    path: string,
    flags: { readonly set: readonly string[]; json?: boolean },
  ): Promise<void> {
    const config = await loadConfig(path, flags.set);
    const { numGroups } = config;
    const slots = Array.from({ length: numGroups }, (_, group) => slotsUnder(config.data, group, numGroups));
    // Imported here, as every command loads this file.
    const { readerOf } = await import("../launch/kinds.js");
    const { report, lines } = await (await readerOf(config)).shards(config, slots, cacheFolder());
    say(flags.json ? JSON.stringify(report, null, 2) : lines().join("\n"));
    if (report.problem !== null) process.exitCode = FAILED;
  }

  async function cleanCommand(folder: string, { cache, yes, json, ...options }: CleanFlags): Promise<void> {
    const plan = await planClean(relative("", folder) || ".", {
      ...options,
      ...(cache !== undefined && { cacheFolder: cacheFolder() }),
    });
    if (json) return say(JSON.stringify({ ...plan, freedBytes: yes ? carryOut(plan) : 0 }, null, 2));
    say(planLines(plan).join("\n"));
    if (yes) say(`freed ${bytes(carryOut(plan))}`);
    else if (plan.removals.length > 0) say("nothing is removed yet; add --yes to remove it");
  }
}
