/** The report of a comparison as files, from what its folder holds. */
import { basename } from "node:path";
import type { ComparisonFacts } from "../../study/facts-blocks.js";
import type { Measured } from "../../study/outcome.js";
import { studyPage } from "../../study/pages.js";
import { version } from "../../version.js";
import { type Comparison, openComparison, reportsIn, runsBySeed } from "../runs/comparison.js";
import { readMeasured } from "../runs/measured.js";
import { readEvents } from "../runs/read-log.js";
import { runFolder } from "../runs/run-folder.js";
import { hasFinished } from "./finish.js";
import { writePage } from "./write-page.js";

/** What a report was written to, and what it is made of. */
export interface Written {
  readonly html: string;
  readonly markdown: string;
  readonly facts: ComparisonFacts;
  readonly measured: Measured;
}

/** Write the report of the comparison in a folder. Throws {@link CheckpointError} when what it needs is missing or damaged. */
export function writeComparisonReport(folder: string): Written {
  const comparison = openComparison(folder);
  const { made, machine, measured } = readMeasured(comparison);
  const open = runsBySeed(comparison)
    .flatMap(({ runs }) => runs.map((run) => run.folder))
    .filter((path) => !hasFinished(path))
    .map((path) => basename(path));
  const facts = {
    ...comparison,
    open,
    rows: rowsOf(comparison),
    machine,
    made: `Measured ${made.slice(0, 16).replace("T", " ")} UTC by codistill ${version}`,
  };
  const page = studyPage(facts, measured);
  return { ...writePage(page, reportsIn(folder)), facts, measured };
}

/** Rows, documents or images of each split, as the first run that prepared its data says; null before that. */
export function rowsOf(comparison: Comparison) {
  for (const { folder } of runsBySeed(comparison).flatMap(({ runs }) => runs)) {
    for (const { rows } of readEvents(runFolder(folder).log, ["data-ready"])) return rows;
  }
  return null;
}
