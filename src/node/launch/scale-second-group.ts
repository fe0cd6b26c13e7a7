/** What a second group gives at the limit: the comparison of two groups there with one of twice the batch. */

import { existsSync } from "node:fs";
import { chosenArms, SINGLE, TWICE } from "../../study/arms.js";
import { comparisonFigures } from "../../study/comparison-page.js";
import { lossLess } from "../../study/figures.js";
import { limitConfig } from "../../study/scale/configs.js";
import type { SecondGroup } from "../../study/scale/figures.js";
import { allWorkers, limitOf, type ScaledTo } from "../../study/scale/limit.js";
import type { ScaleQuestion } from "../../study/scale/question.js";
import { taughtSentences } from "../../study/taught.js";
import { armsWith, type Comparison, isComparison, measuredOf, openComparison } from "../runs/comparison.js";
import { readMeasured } from "../runs/measured.js";
import { type ScaleMeasured, type ScaleSearch, secondGroupFolder } from "../runs/scale.js";

const CODISTILLED = "codistilled";
const ENSEMBLE = "ensemble";

/** The numbers of workers that two groups and twice the batch are compared at: the limit, or the last but one where none was found. */
export function comparedAt(question: ScaleQuestion, { outcomes }: Pick<ScaleMeasured, "outcomes">) {
  const all = allWorkers(question, outcomes);
  const reached = all.filter(({ steps }) => steps !== null);
  const [first] = reached;
  const { workers } = limitOf(all);
  const at = reached.find((one) => one.workers === workers) ?? reached.at(-2) ?? first;
  if (!first || !at) return null;
  const twice = all.find((one) => one.workers === 2 * at.workers) ?? null;
  return { first, at, twice };
}

/**
 * The comparison at the limit: two groups that train alone, their ensemble, one group with twice the batch at the learning rate that was
 * found for it, and with `isChecked` the two groups codistilling.
 */
export async function secondGroup(
  { folder, base, commands }: ScaleSearch,
  question: ScaleQuestion,
  { first, at, twice }: { readonly first: ScaledTo; readonly at: ScaledTo; readonly twice: ScaledTo | null },
  isChecked: boolean,
): Promise<Comparison> {
  const share = Math.min(1, (at.steps?.value ?? Number.NaN) / (first.steps?.value ?? Number.NaN));
  const own = limitConfig(base, question, { workers: at.workers, rate: at.rate, share });
  const names = [SINGLE, TWICE, ENSEMBLE, ...(isChecked ? [CODISTILLED] : [])];
  const arms = chosenArms(names, [], own).map((arm) =>
    arm.name === TWICE && twice !== null
      ? {
          ...arm,
          what: `one group on all data, with twice the batch, at the learning rate that was found for it`,
          options: [...arm.options, `optimizer.learningRate=${twice.rate}`],
        }
      : arm,
  );
  const given = { config: own, folder };
  return {
    folder: secondGroupFolder({ folder }, at.workers),
    study: { kind: "compare" },
    base: own,
    given,
    arms: await armsWith(arms, given),
    seeds: question.seeds,
    reference: SINGLE,
    target: { kind: "reference" },
    commands,
  };
}

/** What the comparison at a number of workers has measured; null where it has not been made. */
export function secondGroupFigures(search: ScaleSearch, workers: number | null): SecondGroup | null {
  if (workers === null) return null;
  const folder = secondGroupFolder(search, workers);
  if (!isComparison(folder) || !existsSync(measuredOf({ folder }))) return null;
  const comparison = openComparison(folder);
  const { measured } = readMeasured(comparison);
  const figures = comparisonFigures(comparison, measured);
  const of = (arm: string) => figures.find((one) => one.arm === arm);
  const [single, twice, ensemble, pair] = [SINGLE, TWICE, ENSEMBLE, CODISTILLED].map(of);
  if (!single || !twice || !ensemble) return null;
  const ensembleLessTwice = lossLess(ensemble, twice);
  if (ensembleLessTwice === null) return null;
  const sentences = taughtSentences(comparison.arms, measured.outcomes);
  return {
    workers,
    numSteps: comparison.base.numSteps,
    numSeeds: ensemble.seeds.length,
    lossName: measured.lossName,
    ensembleLessTwice,
    codistilledLessTwice: lossLess(pair ?? null, twice),
    codistilledLessSingle: pair?.less ?? null,
    notes: sentences.filter(({ isSeldom }) => isSeldom).map(({ sentence }) => sentence),
  };
}
