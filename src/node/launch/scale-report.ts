/** The report of a search for the limit as files, from what its folder holds. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../errors.js";
import { type ScaleFigures, scaleFigures } from "../../study/scale/figures.js";
import { scalePage } from "../../study/scale/page.js";
import { nextArm } from "../../study/scale/plan.js";
import type { ScaleOutcome } from "../../study/scale/question.js";
import { DEFAULT_LINK, type Link, measuredLink, type TimeModel } from "../../study/scale/time-model.js";
import { version } from "../../version.js";
import { reportsIn } from "../runs/comparison.js";
import {
  openScale,
  readScaleMeasured,
  type ScaleMeasured,
  type ScaleSearch,
  secondGroupFolder,
} from "../runs/scale.js";
import { questionNow } from "./scale.js";
import { secondGroupFigures } from "./scale-second-group.js";
import { writePage } from "./write-page.js";

/** What a report was written to, and its figures. */
export interface WrittenScale {
  readonly html: string;
  readonly markdown: string;
  readonly figures: ScaleFigures;
}

/**
 * Write the report of the search in a folder. Throws {@link ConfigError} where nothing was measured, and {@link CheckpointError} when
 * what it needs is damaged.
 */
export function writeScaleReport(folder: string): WrittenScale {
  const search = openScale(folder);
  const measured = readScaleMeasured(search);
  if (measured === null || measured.target === null) {
    throw new ConfigError(
      `${folder} has nothing to report yet: no run of it is done. Go on with codistill scale --resume ${folder}`,
    );
  }
  const { target, outcomes, comparedAt } = measured;
  const question = { ...questionNow(search, measured), target };
  const model = timeModel(search, measured);
  const figures = scaleFigures(question, outcomes, model, secondGroupFigures(search, comparedAt));
  const compared = comparedAt === null ? null : join(secondGroupFolder(search, comparedAt), "report.html");
  const page = scalePage(
    {
      ...search,
      question,
      isTargetOwn: search.question.target === null,
      outcomes,
      model,
      rows: measured.sizes?.rows ?? null,
      comparison: compared !== null && existsSync(compared) ? compared : null,
      isCut: nextArm(question, outcomes) !== null,
      machine: measured.machine,
      made: `Measured ${measured.made.slice(0, 16).replace("T", " ")} UTC by codistill ${version}`,
    },
    figures,
  );
  return { ...writePage(page, reportsIn(folder)), figures };
}

/** The model of time, by the seconds of a step of one worker; null where no run with one worker has been timed. */
export function timeModel(
  { link, spread, question, base }: ScaleSearch,
  { outcomes, numParams }: Pick<ScaleMeasured, "outcomes" | "numParams">,
): TimeModel | null {
  const seconds = outcomes.filter(({ workers }) => workers === question.workers[0]);
  const [first] = seconds.filter((one) => one.secondsPerStep !== null);
  if (first?.secondsPerStep == null || numParams === null) return null;
  const gradientBytes = 4 * numParams;
  const measured = measuredIn(gradientBytes, base.workers, outcomes);
  const declared = link && { ...link, isMeasured: false };
  const { gigabits, microseconds } = DEFAULT_LINK;
  const usual = { bytesPerSecond: (gigabits * 1e9) / 8, latencySeconds: microseconds / 1e6, isMeasured: false };
  return {
    // Of several workers that are the fewest, each has its part of the step.
    computeSeconds: first.secondsPerStep / first.workers,
    gradientBytes,
    link: declared ?? measured ?? usual,
    spread,
  };
}

/** The link between the threads of a group, where a run had as many. */
function measuredIn(gradientBytes: number, threads: number, outcomes: readonly ScaleOutcome[]): Link | null {
  const own = outcomes.find(({ workers, reduceSeconds }) => workers === threads && (reduceSeconds ?? 0) > 0);
  return own?.reduceSeconds ? measuredLink(gradientBytes, threads, own.reduceSeconds) : null;
}
