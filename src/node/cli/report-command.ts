/** `codistill report`: writes the report of a comparison, of a run, or of several runs side by side. */

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { ConfigError } from "../../errors.js";
import { commandOf } from "../../study/study.js";
import { makeFolder } from "../files/plain-files.js";
import { isComparison, measuredOf, studyOf } from "../runs/comparison.js";
import { existingRun } from "../runs/run-folder.js";
import { isScale } from "../runs/scale.js";

/** Add the arguments and flags of `codistill report`. */
export function withReportFlags(command: Command): Command {
  return command
    .description(
      "write the report of a comparison, of a run, or of several runs with what they differ in: HTML and Markdown",
    )
    .argument("<folders...>", "the folder of a comparison or of a run, or several of runs")
    .option("--out <folder>", "of several runs: where the report is written; the current folder by default")
    .option("--json", "the paths of the files as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  codistill report runs/rides-late-compare-2026-01-31T12-00-00\n  codistill report runs/rides-late-2026-01-31T12-00-00\n  codistill report runs/rides-a runs/rides-b --out side-by-side",
    );
}

/** Write it, and say where. */
export async function reportCommand(
  folders: readonly string[],
  { out, json }: { readonly out?: string; readonly json?: boolean },
  say: (text: string) => void,
): Promise<void> {
  const { html, markdown } = await written(folders, out);
  if (json) return say(JSON.stringify({ html, markdown }, null, 2));
  say(`report   ${html}`);
  say(`         ${markdown}`);
}

async function written(folders: readonly string[], out: string | undefined) {
  const [first = ""] = folders;
  if (folders.length > 1) {
    const comparison = folders.find((folder) => isComparison(folder) || isScale(folder));
    if (comparison !== undefined) {
      throw new ConfigError(
        `several folders are of runs, and ${comparison} is of ${isScale(comparison) ? "a search for the limit" : "a comparison"}, which has a report of its own. Name it alone, or the folders of runs in it.`,
      );
    }
    folders.map(existingRun);
    const folder = out ?? ".";
    makeFolder(folder);
    const { writeRunsReport } = await import("../launch/run-report.js");
    return writeRunsReport(folders, folder);
  }
  if (out !== undefined) {
    throw new ConfigError(
      `--out is of several runs: the report of ${first} is written into its own folder. Leave --out out.`,
    );
  }
  if (isScale(first)) {
    const { writeScaleReport } = await import("../launch/scale-report.js");
    return writeScaleReport(first);
  }
  if (!isComparison(first)) {
    const { path } = existingRun(first);
    const { writeRunReport } = await import("../launch/run-report.js");
    return writeRunReport(path);
  }
  if (!existsSync(measuredOf({ folder: first }))) {
    throw new ConfigError(
      `${first} has nothing to report yet: a comparison is measured when its runs are done, or its time is up. Go on with ${commandOf(studyOf(first))} --resume ${first}`,
    );
  }
  const { writeComparisonReport } = await import("../launch/comparison-report.js");
  return writeComparisonReport(first);
}
