/** Trains the comparison of a second group at the limit, and keeps at which number of workers it was made. */
import { type ScaleSearch, writeScaleMeasured } from "../runs/scale.js";
import { type CompareOptions, compare } from "./compare.js";
import { writeComparisonReport } from "./comparison-report.js";
import type { Searched } from "./scale.js";
import { comparedAt, secondGroup } from "./scale-second-group.js";

export interface SecondGroupOptions
  extends Pick<CompareOptions, "cacheFolder" | "stop" | "onRun" | "onRunEnd" | "onStage"> {
  /** Whether the codistilled pair is trained too. */
  readonly isChecked: boolean;
  readonly secondsLeft: () => number;
}

/** How the comparison ended, and the names of runs in it whose groups failed. */
export interface ComparedThere {
  readonly end: "done" | "stopped" | "no time" | "nothing";
  readonly failed: readonly string[];
}

/**
 * Compare two groups at the limit with one of twice the batch. Seeds that do not fit into the time are left out; where not even one does,
 * "no time". Nothing is compared where no run came to the target.
 */
export async function compareSecondGroup(
  search: ScaleSearch,
  { measured, question }: Searched,
  { isChecked, secondsLeft, ...options }: SecondGroupOptions,
): Promise<ComparedThere> {
  const at = comparedAt(question, measured);
  if (at === null) return { end: "nothing", failed: [] };
  const whole = await secondGroup(search, question, at, isChecked);
  const fitting = Math.floor(
    secondsLeft() / secondsOfSeed(at.at.workers, whole.arms.length, whole.base.numSteps, measured.outcomes),
  );
  if (fitting < 1) return { end: "no time", failed: [] };
  const comparison = { ...whole, seeds: whole.seeds.slice(0, fitting) };
  const compared = await compare(comparison, { ...options, onFit: () => {} });
  if (compared === null) return { end: "stopped", failed: [] };
  writeComparisonReport(comparison.folder);
  await writeScaleMeasured(search, { ...measured, comparedAt: at.at.workers });
  return { end: fitting < whole.seeds.length ? "no time" : "done", failed: compared.failed };
}

/** Two groups alone, twice the batch, and two groups with a teacher each, in runs of one group with so many workers. */
const GROUPS_ALONE = 4;
const GROUPS_CHECKED = 7;
/** Seconds around the steps of each run. */
const AROUND_SECONDS = 5;

function secondsOfSeed(
  workers: number,
  numArms: number,
  numSteps: number,
  outcomes: Searched["measured"]["outcomes"],
): number {
  const own = outcomes.find((one) => one.workers === workers && one.secondsPerStep !== null);
  const groups = numArms > 3 ? GROUPS_CHECKED : GROUPS_ALONE;
  return groups * numSteps * (own?.secondsPerStep ?? 0) + numArms * AROUND_SECONDS;
}
