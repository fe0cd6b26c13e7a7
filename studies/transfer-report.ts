/** The report of the transfer study: JSON, Markdown, and a plot of the shares of the ensemble's gain that are kept. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderChart } from "../scripts/charts/render.js";
import { mean } from "../src/study/statistics.js";
import { ensembleOf, SINGLE } from "./flights-figures.js";
import { type Measure, measureWords, type RefinedArm } from "./refinement-figures.js";
import { measuredTables, percent } from "./refinement-report.js";
import { aboutStudy, fixed, headOf, mdTable, range, writeBoth } from "./report.js";
import { type Recipe, references, type Setting } from "./transfer-arms.js";

/** A recipe, what each of its settings came to a month earlier, and the one of the least loss on May. */
export interface Tried {
  readonly recipe: Recipe;
  readonly settings: readonly {
    readonly setting: Setting;
    /** On the week beside training, which takes no part in the choice. */
    readonly validation: number;
    /** On May. */
    readonly loss: number;
    readonly auc: number;
  }[];
  readonly chosen: Setting | null;
}

export interface TransferReport {
  readonly arms: readonly RefinedArm[];
  readonly tried: readonly Tried[];
  /** The seeds by which settings are chosen. */
  readonly choosingSeeds: readonly number[];
  readonly out: string;
}

const measures = ["loss", "refinement", "auc"] as const satisfies readonly Measure[];

/** Write all of it; gives the paths. */
export async function writeTransfer(report: TransferReport): Promise<string[]> {
  const { arms, tried, choosingSeeds, out } = report;
  const about = aboutStudy("transfer");
  const figures = {
    tried: tried.map(({ recipe, settings, chosen }) => ({
      recipe: recipe.name,
      settings: settings.map(({ setting, ...figures }) => ({ ...setting, ...figures })),
      chosen: chosen?.name ?? null,
    })),
    arms,
  };
  const files = writeBoth(out, about, figures, [
    "# How much of an ensemble's gain one model keeps",
    "",
    ...headOf(about),
    "",
    "Recipes on the network and data of the flights recipe, each in 3,660 steps; log loss in nats and AUC on June 2001, refinement as in `study:refinement` (the log loss",
    "after a temperature and a bias fitted to June itself). Mean and standard deviation are over seeds, a seed's value is the mean of its two groups.",
    "",
    ...references.map(({ name, what }) => `- \`${name}\`: ${what}`),
    ...tried.map(({ recipe }) => `- \`${recipe.name}\`: ${recipe.what}`),
    "",
    "## Settings",
    "",
    "Chosen by runs that know nothing of June: they train to 24 April, take the params that are best on the last week of April, and are scored on May, which is as far from their training as June is from",
    `that of the recipe. Of several settings the one is taken that has the lowest log loss on May (mean of seeds ${choosingSeeds.join(", ")}, which no arm is compared with). Where neither dropout nor decay is`,
    "best, the recipe is what it is compared with, and has no rows below.",
    "",
    ...mdTable(
      ["recipe", "setting", "log loss in May", "AUC in May", "validation loss", ""],
      tried.flatMap(({ recipe, settings, chosen }) =>
        settings.map(({ setting, validation, loss, auc }) => [
          recipe.name,
          setting.name,
          ...[loss, auc, validation].map(fixed),
          setting === chosen && settings.length > 1 ? "chosen" : "",
        ]),
      ),
    ),
    "",
    "## June",
    "",
    ...measuredTables(arms, measures, measureWords),
    "",
    "## Share of the ensemble's gain",
    "",
    `The gain over \`${SINGLE}\` by that of the ${ensembleOf(SINGLE)}, each a mean over seeds; the interval is the jackknife's, 95 %, over seeds, where there are several.`,
    "",
    ...mdTable(
      ["arm", ...measures.map((measure) => measureWords[measure])],
      arms
        .filter(({ arm }) => arm !== SINGLE && arm !== ensembleOf(SINGLE))
        .map((one) => [
          one.arm,
          ...measures.map((measure) =>
            one.kept ? range(one.kept[measure], percent) : percent(mean(sharesOf(arms, one, measure))),
          ),
        ]),
    ),
    "",
    "![Share of the ensemble's gain](transfer.svg)",
  ]);
  const plot = join(out, "transfer.svg");
  writeFileSync(plot, await keptChart(arms));
  return [...files, plot];
}

/** The share of the ensemble's gain that an arm keeps with each of its seeds. */
function sharesOf(arms: readonly RefinedArm[], { seeds, measured }: RefinedArm, measure: Measure): number[] {
  const [single, best] = [SINGLE, ensembleOf(SINGLE)].map((name) => arms.find(({ arm }) => arm === name));
  const at = (arm: RefinedArm | undefined, seed: number) =>
    arm?.measured[arm.seeds.indexOf(seed)]?.[measure] ?? Number.NaN;
  return seeds.map((seed, i) => {
    const own = measured[i]?.[measure] ?? Number.NaN;
    return (at(single, seed) - own) / (at(single, seed) - at(best, seed));
  });
}

function keptChart(arms: readonly RefinedArm[]): Promise<string> {
  const isDrawn = ({ arm }: RefinedArm) => arm !== SINGLE && arm !== ensembleOf(SINGLE);
  return renderChart({
    title: "What is kept of the gain of the ensemble of two",
    x: { title: "of what", labels: measures.map((measure) => measureWords[measure]) },
    y: { title: "share of the ensemble's gain (%)" },
    width: 760,
    height: 420,
    panels: [
      {
        title: "",
        subtitle: "mean over seeds, and from the lowest seed to the highest",
        series: arms.filter(isDrawn).map((arm) => ({
          name: arm.arm,
          points: measures.map((measure, i) => {
            const shares = sharesOf(arms, arm, measure).map((share) => 100 * share);
            return { x: i + 1, y: mean(shares), low: Math.min(...shares), high: Math.max(...shares) };
          }),
        })),
      },
    ],
  });
}
