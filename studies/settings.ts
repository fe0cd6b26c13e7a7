/** Which settings serve codistillation best on the flights: `npm run study:settings`; `npm run study:settings -- --help`. */
import { Command } from "commander";
import { messageOf } from "../src/errors.js";
import { mean } from "../src/study/statistics.js";
import { type Arm, flightsArms, type Trial, trialsOf } from "./arms.js";
import { STEPS } from "./flights-figures.js";
import { flightsStudy } from "./flights-study.js";
import { folderOf, runAll, say, wholeNumbers } from "./runner.js";
import { bestOf, combined, recipeArm, settingArms, type Validated } from "./settings-arms.js";
import { writeSettings } from "./settings-report.js";
import { isDone, readOutcome } from "./trial.js";

interface Options {
  readonly seeds: readonly number[];
  readonly confirm: readonly number[];
  readonly out: string;
  readonly reportOnly?: boolean;
}

new Command("npm run study:settings --")
  .description(
    "Vary one setting at a time, put the best together, choose among all of them by the validation loss, and only then " +
      "hold the choice against the recipe on June, with other seeds. What is done is never done again.",
  )
  .option("--seeds <list>", "seeds to choose by", wholeNumbers, [11, 12])
  .option("--confirm <list>", "seeds to confirm the choice with", wholeNumbers, [1, 2, 3, 4, 5, 6, 7, 8])
  .option("--out <folder>", "where the report and the runs go; those of study:flights are used", "bench/results")
  .option("--report-only", "report what there is")
  .showHelpAfterError("(npm run study:settings -- --help tells more)")
  .action(study)
  .parseAsync()
  .catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });

async function study({ seeds, confirm, out, reportOnly = false }: Options): Promise<void> {
  const isRun = async (trials: readonly Trial[]) =>
    reportOnly ? trials.every((trial) => isDone(folderOf(out, trial))) : runAll(trials, out, flightsStudy);
  const validated = <A extends Arm>(arm: A): Validated<A> => {
    const outcomes = seeds.map((seed) => readOutcome(folderOf(out, { arm, seed, steps: STEPS })));
    const lossesOf = (of: "validationLoss" | "testLoss") =>
      outcomes.map(({ groups }) => mean(groups.map((group) => group[of])));
    return { arm, losses: lossesOf("validationLoss"), testLosses: lossesOf("testLoss") };
  };

  if (!(await isRun(trialsOf([recipeArm, ...settingArms], seeds, [STEPS])))) return notDone(reportOnly);
  const recipe = validated(recipeArm);
  const arms = settingArms.map(validated);
  const together = combined(recipe, arms);
  if (!(await isRun(trialsOf([together], seeds, [STEPS])))) return notDone(reportOnly);
  const tried = [recipe, ...arms, validated(together)];
  const { arm: choice } = bestOf<Arm>(tried);
  const compared = [...flightsArms.filter(({ name }) => ["single", "codistilled"].includes(name)), choice];
  if (!(await isRun(trialsOf(compared, confirm, [STEPS])))) return notDone(reportOnly);
  const done = trialsOf(compared, confirm, [STEPS]).map((trial) => ({ trial, folder: folderOf(out, trial) }));
  for (const file of writeSettings({ tried, seeds, choice, done, out })) say(`wrote ${file}`);
}

function notDone(reportOnly: boolean): void {
  if (reportOnly) throw new Error("not all runs are done; leave --report-only out");
}
