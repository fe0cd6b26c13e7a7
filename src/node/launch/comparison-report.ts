/** The report of a comparison as files, from what its folder holds. */
import { basename } from "node:path";
import { z } from "zod";
import type { Page } from "../../report/page/blocks.js";
import { htmlOf } from "../../report/page/html.js";
import { markdownOf } from "../../report/page/markdown.js";
import { printable } from "../../report/printable.js";
import { recordWithoutSecrets } from "../../report/secrets.js";
import { comparisonFigures, comparisonPage } from "../../study/comparison-page.js";
import type { ArmFigures } from "../../study/figures.js";
import type { Measured } from "../../study/outcome.js";
import { version } from "../../version.js";
import { writeOwn } from "../files/plain-files.js";
import { type Comparison, measuredOf, openComparison, reportsIn, trialFolder } from "../runs/comparison.js";
import { readEvents } from "../runs/read-log.js";
import { checkedRunFile } from "../runs/run-file.js";
import { runFolder } from "../runs/run-folder.js";
import { hasFinished } from "./finish.js";

const measuredSchema = z.looseObject({
  made: z.string(),
  machine: z.string(),
  task: z.enum(["binary", "multiclass", "regression", "language"]),
  lossName: z.string(),
  outcomes: z.array(
    z.looseObject({
      arm: z.string(),
      seed: z.int(),
      test: z.looseObject({ testLoss: z.number().nullish() }),
      curve: z.array(z.looseObject({ step: z.number(), loss: z.number().nullable(), seconds: z.number() })),
    }),
  ),
  apart: z.array(z.looseObject({ arm: z.string() })),
  refined: z.array(z.looseObject({ arm: z.string() })),
});

/** What a report was written to, and its figures. */
export interface Written {
  readonly html: string;
  readonly markdown: string;
  readonly figures: readonly ArmFigures[];
}

/** Write the report of the comparison in a folder. Throws {@link CheckpointError} when what it needs is missing or damaged. */
export function writeComparisonReport(folder: string): Written {
  const comparison = openComparison(folder);
  const { made, machine, ...rest } = checkedRunFile(measuredOf(comparison), measuredSchema);
  const measured = asMeasured(rest as unknown as Measured);
  const open = comparison.seeds.flatMap((seed) =>
    comparison.arms
      .filter(({ config }) => config !== null)
      .map(({ name }) => trialFolder(comparison, name, seed))
      .filter((path) => !hasFinished(path))
      .map((path) => basename(path)),
  );
  const facts = {
    ...comparison,
    open,
    rows: rowsOf(comparison),
    machine,
    made: `Measured ${made.slice(0, 16).replace("T", " ")} UTC by codistill ${version}`,
  };
  const page = comparisonPage(facts, measured);
  return { ...writePage(page, reportsIn(folder)), figures: comparisonFigures(facts, measured) };
}

/** A number that is not finite is null in a file. */
function asMeasured({ outcomes, apart, refined, ...about }: Measured): Measured {
  const known = (value: number | null | undefined) => value ?? Number.NaN;
  return {
    ...about,
    outcomes: outcomes.map((outcome) => ({
      ...outcome,
      test: { ...outcome.test, testLoss: known(outcome.test.testLoss) },
      meanTestLoss: known(outcome.meanTestLoss),
      curve: outcome.curve.map((point) => ({ ...point, loss: known(point.loss) })),
    })),
    apart: apart.map((one) => ({ ...one, distance: known(one.distance), changed: known(one.changed) })),
    refined: refined.map((one) => ({ ...one, refinementLoss: known(one.refinementLoss) })),
  };
}

/** What the first run that prepared its data says of it. */
function rowsOf(comparison: Comparison) {
  for (const seed of comparison.seeds) {
    for (const { name, config } of comparison.arms) {
      if (config === null) continue;
      for (const { rows } of readEvents(runFolder(trialFolder(comparison, name, seed)).log, ["data-ready"]))
        return rows;
    }
  }
  return null;
}

/** Write a page as HTML and Markdown, without secrets of addresses and without characters that control a terminal. */
export function writePage(page: Page, { html, markdown }: { readonly html: string; readonly markdown: string }) {
  const shown = withPrintable(recordWithoutSecrets(page));
  writeOwn(html, "replace", htmlOf(shown));
  writeOwn(markdown, "replace", markdownOf(shown));
  return { html, markdown };
}

/** A record whose texts are printable. */
function withPrintable<T>(value: T): T {
  if (typeof value === "string") return printable(value) as T;
  if (Array.isArray(value)) return value.map(withPrintable) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withPrintable(part)])) as T;
}
