/** Calibration and refinement on the flights: `npm run study:refinement`; `npm run study:refinement -- --help`. */
import { Command } from "commander";
import { messageOf } from "../src/errors.js";
import { flightsArms, type Trial, trialsOf } from "./arms.js";
import { SINGLE, STEPS } from "./flights-figures.js";
import { flightsStudy } from "./flights-study.js";
import { crossTaught, ensembleTaught, offlineStudy } from "./offline.js";
import { overfitOf, refinementFigures } from "./refinement-figures.js";
import { writeRefinement } from "./refinement-report.js";
import { folderOf, runAll, say, wholeNumbers } from "./runner.js";
import { hasPredictions, isDone } from "./trial.js";

interface Options {
  readonly seeds: readonly number[];
  readonly out: string;
  readonly reportOnly?: boolean;
}

new Command("npm run study:refinement --")
  .description(
    "Train every arm of the flights study, and students of the finished ensemble, with every seed, and report how much of what each " +
      "gains is calibration and how much refinement. What is done is never done again.",
  )
  .option("--seeds <list>", "as in 1,2,3", wholeNumbers, [1, 2, 3, 4, 5, 6, 7, 8])
  .option("--out <folder>", "where the report and the runs go; those of study:flights are used", "bench/results")
  .option("--report-only", "report what there is")
  .showHelpAfterError("(npm run study:refinement -- --help tells more)")
  .addHelpText(
    "after",
    "\nExamples:\n  npm run study:refinement -- --seeds 1,2\n  npm run study:refinement -- --report-only",
  )
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function study({ seeds, out, reportOnly = false }: Options): Promise<void> {
  const trials = trialsOf(flightsArms, seeds, [STEPS]);
  const students = [ensembleTaught, crossTaught].map((own) => ({ own, trials: trialsOf(own.arms, seeds, [STEPS]) }));
  const all = [...trials, ...students.flatMap((one) => one.trials)];
  if (!reportOnly) {
    if (!(await runAll(trials, out, flightsStudy))) return;
    for (const one of students) if (!(await runAll(one.trials, out, offlineStudy(one.own, teachersOf)))) return;
  }
  const done = all
    .map((trial) => ({ trial, folder: folderOf(out, trial) }))
    .filter(({ folder }) => isDone(folder) && hasPredictions(folder));
  const [first] = done;
  if (!first) throw new Error(`no run is done in ${out}/runs; leave --report-only out to make some`);
  if (done.length < all.length) say(`note: ${all.length - done.length} of ${all.length} runs are not done`);
  const arms = refinementFigures(done, (arm) => say(`recalibrating ${arm}`));
  const described = [...flightsArms, ...students.flatMap(({ own }) => own.arms)];
  const report = { arms, overfit: overfitOf(first), described, steps: STEPS, out };
  for (const file of await writeRefinement(report)) say(`wrote ${file}`);

  /** The groups of `single` with the same seed, which have trained by then. */
  function teachersOf({ seed, steps }: Trial): { readonly trial: Trial; readonly folder: string } {
    const arm = flightsArms.find(({ name }) => name === SINGLE);
    if (!arm) throw new Error(`internal: ${SINGLE} is an arm of the flights study`);
    const trial = { arm, seed, steps };
    return { trial, folder: folderOf(out, trial) };
  }
}
