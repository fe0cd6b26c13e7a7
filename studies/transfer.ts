/**
 * How much of an ensemble's gain one served model can keep: `npm run study:transfer`; `npm run study:transfer -- --help`.
 *
 * Each recipe trains with every seed, and the June predictions are taken apart as in `study:refinement`. Its setting is chosen first:
 * all of them train on data that ends a month earlier, with seeds of their own, and the one that is best on May is the recipe's.
 */
import { mean } from "../src/study/statistics.js";
import { type Trial, trialsOf } from "./arms.js";
import { CODISTILLED, SINGLE, STEPS } from "./flights-figures.js";
import { flightsStudy } from "./flights-study.js";
import { ensembleTaught, offlineStudy } from "./offline.js";
import { refinementFigures } from "./refinement-figures.js";
import { folderOf, runAll, type StudyOptions, say, studyCommand } from "./runner.js";
import {
  choosingSeeds,
  type Planned,
  planned,
  type Recipe,
  recipes,
  references,
  type Setting,
} from "./transfer-arms.js";
import { type Tried, writeTransfer } from "./transfer-report.js";
import { hasPredictions, isDone, readOutcome } from "./trial.js";

await studyCommand(
  "transfer",
  {
    what:
      "Train groups by recipes that may keep more of an ensemble's gain in one model, with every seed, and report what they keep. Runs " +
      "of study:flights are used: all runs lie in runs/ beside the report.",
    seeds: [1, 2, 3, 4, 5, 6, 7, 8],
  },
  study,
);

async function study({ seeds, out, reportOnly = false }: StudyOptions): Promise<void> {
  if (!reportOnly && !(await trainAll(seeds, out))) return;
  const tried = recipes.map((recipe) => triedOf(recipe, out));
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
  for (const file of await writeTransfer({ arms, tried, choosingSeeds, out })) say(`wrote ${file}`);
}

/** First what settings are chosen by, then seed by seed; false when that was stopped. */
async function trainAll(seeds: readonly number[], out: string): Promise<boolean> {
  for (const seed of choosingSeeds) {
    for (const recipe of recipes) {
      for (const setting of recipe.settings)
        if (!(await train(planned(recipe, setting, seed, true), out))) return false;
    }
  }
  const chosen = recipes.map((recipe) => triedOf(recipe, out));
  for (const one of chosen) say(`${one.recipe.name}: ${one.chosen?.name}`);
  for (const seed of seeds) {
    if (!(await runAll(trialsOf(references, [seed], [STEPS]), out, flightsStudy))) return false;
    for (const { recipe, chosen: setting } of chosen) {
      if (setting && !setting.isReference && !(await train(planned(recipe, setting, seed), out))) return false;
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

/** What the settings of a recipe came to a month earlier; none is chosen before all are done. */
function triedOf(recipe: Recipe, out: string): Tried {
  const runsOf = (setting: Setting) => choosingSeeds.map((seed) => planned(recipe, setting, seed, true).trial);
  const settings = recipe.settings
    .filter((setting) => runsOf(setting).every((trial) => isDone(folderOf(out, trial))))
    .map((setting) => ({ setting, ...figuresOf(runsOf(setting), out) }));
  const [best] = settings.length < recipe.settings.length ? [] : [...settings].sort((a, b) => a.loss - b.loss);
  return { recipe, settings, chosen: best?.setting ?? null };
}

function figuresOf(trials: readonly Trial[], out: string) {
  const groups = trials.flatMap((trial) => readOutcome(folderOf(out, trial)).groups);
  const meanOf = (of: "validationLoss" | "testLoss" | "testAuc") => mean(groups.map((group) => group[of]));
  return { validation: meanOf("validationLoss"), loss: meanOf("testLoss"), auc: meanOf("testAuc") };
}
