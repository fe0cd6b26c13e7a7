/** The report of the settings study: JSON and Markdown. */

import { studentInterval } from "../src/study/intervals.js";
import { mean } from "../src/study/statistics.js";
import type { Arm } from "./arms.js";
import { type ArmFigures, CODISTILLED, type DoneTrial, ensembleOf, flightsFigures, SINGLE } from "./flights-figures.js";
import { aboutStudy, fixed, headOf, mdTable, range, shown, signed, writeBoth } from "./report.js";
import type { Validated } from "./settings-arms.js";

export interface SettingsOutcome {
  /** Of all that was tried, the recipe first. */
  readonly tried: readonly Validated[];
  readonly seeds: readonly number[];
  /** The one of lowest validation loss. */
  readonly choice: Arm;
  /** The runs that hold the choice against the recipe. */
  readonly done: readonly DoneTrial[];
  readonly out: string;
}

/** Write both; gives the paths. */
export function writeSettings({ tried, seeds, choice, done, out }: SettingsOutcome): string[] {
  const about = aboutStudy("settings");
  const { arms } = flightsFigures(done);
  const confirmed = arms.filter(({ arm }) =>
    [SINGLE, CODISTILLED, choice.name, ensembleOf(SINGLE), ensembleOf(CODISTILLED)].includes(arm),
  );
  const listed = tried.map(({ arm, ...own }) => ({ arm: arm.name, options: arm.options, ...own }));
  const lines = [
    "# Settings of codistillation on the flights",
    "",
    ...headOf(about),
    "",
    `One setting is varied at a time, with seeds ${seeds.join(" and ")}; the value of each that lowers the loss on the last week`,
    "of May is taken into the last row. The difference is paired by seed, with Student's 95 % interval. June took no part in the",
    "choice: its column says what validation does not see.",
    "",
    ...triedTable(tried),
    "",
    `The lowest has ${choice.name}. Held against the recipe (\`codistilled\`) on June with seeds that had no part in the choice:`,
    "",
    ...confirmedTable(confirmed),
    "",
    verdict(confirmed, choice),
  ];
  return writeBoth(out, about, { seeds, tried: listed, choice: choice.name, confirmed }, lines);
}

function triedTable(tried: readonly Validated[]): string[] {
  const [recipe, ...others] = tried as [Validated, ...Validated[]];
  const less = ({ losses }: Validated) =>
    losses.length < 2
      ? ""
      : range(studentInterval(losses.map((loss, i) => loss - (recipe.losses[i] ?? Number.NaN))), signed);
  return mdTable(
    ["settings", "validation", "less the recipe's", "June"],
    [
      [recipe.arm.what, fixed(mean(recipe.losses)), "", fixed(mean(recipe.testLosses))],
      ...others.map((one) => [one.arm.what, fixed(mean(one.losses)), less(one), fixed(mean(one.testLosses))]),
    ],
  );
}

function confirmedTable(confirmed: readonly ArmFigures[]): string[] {
  return mdTable(
    ["arm", "seeds", "log loss", "validation", `less ${SINGLE}`, "AUC", "ECE", "churn", `over ${SINGLE}`],
    confirmed.map((one) => [
      one.arm,
      String(one.seeds.length),
      shown(one.loss),
      one.validationLoss ? shown(one.validationLoss) : "",
      range(one.lossLess[SINGLE], signed),
      shown(one.auc),
      shown(one.calibrationError),
      range(one.churn),
      range(one.churnRatio, (value) => value.toFixed(3)),
    ]),
  );
}

/** How much of the way from a single model to the ensemble the recipe and the choice have gone. */
function verdict(confirmed: readonly ArmFigures[], choice: Arm): string {
  const of = (name: string) => mean(confirmed.find(({ arm }) => arm === name)?.loss ?? []);
  const [single, ensemble] = [of(SINGLE), of(ensembleOf(SINGLE))];
  const share = (name: string) => `${((100 * (single - of(name))) / (single - ensemble)).toFixed(0)} %`;
  return (
    `Of the way from a single model (${fixed(single)}) to the ensemble of two (${fixed(ensemble)}) one codistilled model goes ` +
    `${share(CODISTILLED)} with the recipe's settings and ${share(choice.name)} with the chosen ones.`
  );
}
