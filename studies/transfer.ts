/**
 * How much of an ensemble's gain one served model can keep: `npm run study:transfer`; `npm run study:transfer -- --help`.
 *
 * Each recipe trains with every seed, and the June predictions are taken apart as in `study:refinement`. Where a recipe has several
 * settings, all of them train with the first seed, and the one that is best on validation with the others.
 */
import { mean } from "../src/study/statistics.js";
import { type Trial, trialsOf } from "./arms.js";
import { CODISTILLED, SINGLE, STEPS } from "./flights-figures.js";
import { flightsStudy } from "./flights-study.js";
import { ensembleTaught, offlineStudy } from "./offline.js";
import { refinementFigures } from "./refinement-figures.js";
import { folderOf, runAll, type StudyOptions, say, studyCommand } from "./runner.js";
import { type Planned, planned, type Recipe, recipes, references } from "./transfer-arms.js";
import { type Tried, writeTransfer } from "./transfer-report.js";
import { hasPredictions, isDone, readOutcome } from "./trial.js";

await studyCommand(
  "transfer",
  {
    what:
      "Train groups by recipes that may keep more of an ensemble's gain in one model, with every seed, and report what they keep. Runs " +
      "of study:flights are used: all runs lie in runs/ beside the report.",
    seeds: [1, 2, 3],
  },
  study,
);

async function study({ seeds, out, reportOnly = false }: StudyOptions): Promise<void> {
  const [first = 1] = seeds;
  if (!reportOnly && !(await trainAll(seeds, out))) return;
  const tried = recipes.map((recipe) => triedOf(recipe, first, out));
  const plans = tried.flatMap(({ recipe, chosen }) =>
    chosen && !chosen.isReference
      ? seeds.map((seed) => ({ name: recipe.name, trial: planned(recipe, chosen, seed).trial }))
      : [],
  );
  const own = trialsOf(references, seeds, [STEPS]).map((trial) => ({ name: trial.arm.name, trial }));
  const done = [...own, ...plans]
    .map(({ name, trial }) => ({ trial: { ...trial, arm: { ...trial.arm, name } }, folder: folderOf(out, trial) }))
    .filter(({ folder }) => isDone(folder) && hasPredictions(folder));
  const [numDone, numAll] = [done.length, own.length + plans.length];
  if (numDone < numAll) say(`note: ${numAll - numDone} of ${numAll} runs are not done`);
  const inEnsembles = [SINGLE, CODISTILLED, "consolidated"];
  const arms = refinementFigures(done, (arm) => say(`recalibrating ${arm}`), inEnsembles);
  for (const file of await writeTransfer({ arms, tried, first, out })) say(`wrote ${file}`);
}

/** Seed by seed; false when that was stopped. */
async function trainAll(seeds: readonly number[], out: string): Promise<boolean> {
  const [first = 1] = seeds;
  for (const seed of seeds) {
    if (!(await runAll(trialsOf(references, [seed], [STEPS]), out, flightsStudy))) return false;
    for (const recipe of recipes) {
      const { chosen } = triedOf(recipe, first, out);
      const settings = seed === first || !chosen ? recipe.settings : [chosen];
      for (const setting of settings) if (!(await train(planned(recipe, setting, seed), out))) return false;
    }
  }
  return true;
}

/** Train a run, after its teachers where it has finished ones; false when that was stopped. */
async function train({ trial, teachers }: Planned, out: string): Promise<boolean> {
  if (!teachers) return runAll([trial], out, flightsStudy);
  if (!(await runAll([teachers], out, flightsStudy))) return false;
  const taught = offlineStudy(ensembleTaught, () => ({ trial: teachers, folder: folderOf(out, teachers) }));
  return runAll([trial], out, taught);
}

/** What the settings of a recipe came to on validation with a seed, as far as they are done. */
function triedOf(recipe: Recipe, seed: number, out: string): Tried {
  const settings = recipe.settings
    .map((setting) => ({ setting, trial: planned(recipe, setting, seed).trial }))
    .filter(({ trial }) => isDone(folderOf(out, trial)))
    .map(({ setting, trial }) => ({ setting, ...figuresOf(trial, out) }));
  const [best] = [...settings].sort((a, b) => a.validation - b.validation);
  return { recipe, settings, chosen: best?.setting ?? null };
}

function figuresOf(trial: Trial, out: string) {
  const { groups } = readOutcome(folderOf(out, trial));
  const meanOf = (of: "validationLoss" | "testLoss" | "testAuc") => mean(groups.map((group) => group[of]));
  return { validation: meanOf("validationLoss"), loss: meanOf("testLoss"), auc: meanOf("testAuc") };
}
