/** The report of the refinement study: JSON, Markdown, and a plot of the log loss under ever more recalibration. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderChart } from "../scripts/charts/render.js";
import type { Arm } from "./arms.js";
import { CODISTILLED, ensembleOf, SINGLE, spread, TWICE } from "./flights-figures.js";
import { losses, type Measure, measures, type Overfit, type RefinedArm } from "./refinement-figures.js";
import { type About, aboutStudy, fixed, headOf, mdTable, range, shown, signed, writeBoth } from "./report.js";

/** What a measure is called in tables. */
const words: Readonly<Record<Measure, string>> = {
  loss: "as it is",
  tempered: "temperature",
  scaled: "temperature, bias",
  refinement: "the same, fitted on June",
  isotonic: "isotonic, on June",
  auc: "AUC",
};

/** What the report is written of. */
export interface RefinementReport {
  readonly arms: readonly RefinedArm[];
  readonly overfit: Overfit;
  readonly described: readonly Arm[];
  readonly steps: number;
  readonly out: string;
}

/** Write all of it; gives the paths. */
export async function writeRefinement(report: RefinementReport): Promise<string[]> {
  const { arms, overfit, steps, out } = report;
  const about = aboutStudy("refinement");
  const files = writeBoth(out, about, { steps, overfit, arms }, markdown(report, about));
  const plot = join(out, "refinement.svg");
  writeFileSync(plot, await refinementChart(arms));
  return [...files, plot];
}

/** What arms came to, as mean and standard deviation over seeds, and how much less than training alone. */
export function measuredTables(
  arms: readonly RefinedArm[],
  of: readonly Measure[],
  names: Readonly<Record<Measure, string>>,
): string[] {
  const titles = of.map((measure) => names[measure]);
  return [
    ...mdTable(
      ["arm", "seeds", ...titles],
      arms.map(({ arm, seeds, measured }) => [
        arm,
        String(seeds.length),
        ...of.map((measure) => shown(measured.map((one) => one[measure]))),
      ]),
    ),
    "",
    `## Less ${SINGLE}`,
    "",
    "Paired by seed, with Student's 95 % interval.",
    "",
    ...mdTable(
      ["arm", ...titles],
      arms.flatMap(({ arm, less }) => (less ? [[arm, ...of.map((measure) => range(less[measure], signed))]] : [])),
    ),
  ];
}

/** A share without digits after the point. */
export const percent = (value: number) => `${Math.round(100 * value) || 0} %`;

function markdown({ arms, overfit, described, steps }: RefinementReport, about: About): string[] {
  const compared = arms.flatMap(({ arm, less, refined, kept }) =>
    less && refined ? [{ arm, less, refined, kept }] : [],
  );
  return [
    "# Calibration and refinement on the flights",
    "",
    ...headOf(about),
    "",
    `Arms of \`npm run study:flights\`, ${steps.toLocaleString("en-US")} steps; log loss in nats on June 2001. A log loss parts into what the best recalibration takes`,
    "away (calibration) and what it leaves (refinement: how well rows are told apart). The predictions of every model are recalibrated in five ways:",
    "",
    `- *${words.loss}*: not at all.`,
    `- *${words.tempered}*: one temperature, fitted to the last week of May (validation).`,
    `- *${words.scaled}*: logit q = logit p / T + b, both fitted to validation.`,
    `- *${words.refinement}*: T and b fitted to June's own labels: the least loss that any T and b can have. This is the refinement part.`,
    `- *${words.isotonic}*: isotonic regression on June's own labels: the least loss of any recalibration that keeps the order. It overfits slightly:`,
    `  its ${overfit.numLevels} levels (of the first model) follow the chance of the labels, which makes its loss ${fixed(overfit.loss)} too low, as a fit to labels drawn`,
    "  by itself shows. That is about the same for all arms, so read differences.",
    "",
    "Ensembles are means of probabilities, recalibrated after the mean. Mean and standard deviation are over seeds, a seed's value is the mean of its groups.",
    "",
    ...described.map(({ name, what }) => `- \`${name}\`: ${what}`),
    "",
    ...measuredTables(arms, measures, words),
    "",
    `## What the gain over ${SINGLE} is made of`,
    "",
    "The gain in log loss as it is, parted: refinement is the gain that is left where both are recalibrated on June, calibration is the rest. The share has a",
    "jackknife interval over seeds.",
    "",
    ...mdTable(
      ["arm", "gain", "calibration", "refinement", "share of refinement"],
      compared.map(({ arm, less, refined }) => [
        arm,
        signed(-less.loss.value),
        range(refined.calibration, signed),
        range(refined.refinement, signed),
        range(refined.share, percent),
      ]),
    ),
    "",
    "## Share of the ensemble's gain that one model keeps",
    "",
    `The gain over \`${SINGLE}\` by that of the ${ensembleOf(SINGLE)}, each a mean over seeds; the interval is the jackknife's, 95 %, over seeds.`,
    "",
    ...mdTable(
      ["arm", ...measures.map((measure) => words[measure])],
      compared.flatMap(({ arm, kept }) =>
        kept ? [[arm, ...measures.map((measure) => range(kept[measure], percent))]] : [],
      ),
    ),
    "",
    "## What was fitted",
    "",
    ...mdTable(
      ["arm", "T of validation", "T and b of validation", "T and b of June"],
      arms.map(({ arm, measured }) => [
        arm,
        shown(measured.map(({ temperature }) => temperature)),
        ...(["ofValidation", "ofTest"] as const).map(
          (of) =>
            `${fixed(spread(measured.map((one) => one[of].temperature)).mean)}, ${signed(spread(measured.map((one) => one[of].bias)).mean)}`,
        ),
      ]),
    ),
    "",
    "![Log loss under ever more recalibration](refinement.svg)",
  ];
}

/** There are more arms than colours that can be told apart. Of students those whose two losses weigh as in codistilling. */
const drawn: readonly string[] = [
  SINGLE,
  TWICE,
  CODISTILLED,
  ensembleOf(SINGLE),
  ensembleOf(CODISTILLED),
  "student-0.5",
  "student-all-0.5",
];

function refinementChart(arms: readonly RefinedArm[]): Promise<string> {
  return renderChart({
    title: "Log loss on June, recalibrated",
    x: { title: "recalibration, fitted to validation or to June itself", labels: losses.map((loss) => words[loss]) },
    y: { title: "log loss (nats)" },
    width: 760,
    height: 420,
    panels: [
      {
        title: "",
        subtitle: "mean over seeds, and one standard deviation to either side",
        series: arms
          .filter(({ arm }) => drawn.includes(arm))
          .map(({ arm, measured }) => ({
            name: arm,
            points: losses.map((loss, i) => {
              const { mean: y, std } = spread(measured.map((one) => one[loss]));
              const width = measured.length < 2 ? 0 : std;
              return { x: i + 1, y, low: y - width, high: y + width };
            }),
          })),
      },
    ],
  });
}
