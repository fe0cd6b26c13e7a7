/** The report of `codistill churn`: how far retrainings of each procedure are apart, beside its quality. */
import { count } from "../report/format.js";
import { type Block, type Cell, code, heading, list, type Page, text } from "../report/page/blocks.js";
import { IN_USE } from "./arms.js";
import { type ChurnFigures, churnFigures } from "./churn-figures.js";
import { lossBlocks, rangeCell } from "./comparison-blocks.js";
import { comparisonFigures } from "./comparison-page.js";
import { controlVerdicts } from "./controls.js";
import { armsBlocks, type ComparisonFacts, configurationBlocks, openBlocks } from "./facts-blocks.js";
import type { Interval } from "./intervals.js";
import type { Apart, Measured } from "./outcome.js";
import { changedShown, lossShown, lossVerdicts, rangeOf } from "./verdicts.js";

/** The figures of a study of churn. */
export function churnOf(facts: Parameters<typeof comparisonFigures>[0], measured: Measured): ChurnFigures[] {
  const { reference } = facts;
  return churnFigures(comparisonFigures(facts, measured), measured, { reference, inUse: IN_USE });
}

const isOfNumbers = ({ task }: Pick<Measured, "task">) => task === "regression";

/** The whole report. */
export function churnPage(facts: ComparisonFacts, measured: Measured): Page {
  const figures = churnOf(facts, measured);
  const { base, reference, machine, commands, arms, seeds, open } = facts;
  return {
    title: `${base.name}: churn of ${figures.map(({ arm }) => arm).join(", ")}`,
    made: facts.made,
    coloured: arms.map(({ name }) => name),
    blocks: [
      heading("What was asked"),
      text(
        `How much do predictions change when a whole procedure is repeated, with nothing new but its draws? Each procedure was trained ${count(seeds.length)} times, with seeds (${seeds.join(", ")}) that all procedures share. What ships was fixed before: group 0, with its params of the best validation, or the mean of the groups. All is of the test split.`,
      ),
      ...armsBlocks(arms),
      ...openBlocks(open),
      heading("What it shows"),
      list([retrainsSentence(seeds.length), ...churnSentences(figures, facts)]),
      heading("Churn between retrainings"),
      ...betweenBlocks(figures, measured, reference),
      ...inUseBlocks(figures, measured),
      heading("Quality beside it"),
      ...lossBlocks(figures, reference, measured),
      heading("What this does not show"),
      list(limits(seeds.length, open.length > 0)),
      heading("Configuration and data"),
      ...configurationBlocks(facts),
      heading("Machine and commands"),
      text(machine),
      code(commands.join("\n")),
      { kind: "more", summary: "Every pair of retrainings", blocks: [pairsTable(figures)] },
    ],
  };
}

/** What so many retrainings can say of chance. */
export function retrainsSentence(numRetrains: number): string {
  const pairs = (numRetrains * (numRetrains - 1)) / 2;
  if (numRetrains < 3) {
    return `${numRetrains === 2 ? "Two retrainings make one pair" : "One retraining makes no pair"}: nothing here says how much of it is chance, and there are no intervals. Take five.`;
  }
  return `${count(numRetrains)} retrainings make ${count(pairs)} pairs, which share retrainings and so are not ${count(pairs)} independent figures: intervals of 95 % leave out one retraining with all of its pairs at a time (the jackknife).`;
}

/** How each procedure changes beside the reference, and how its quality is to that. */
export function churnSentences(
  figures: readonly ChurnFigures[],
  { arms, reference }: Pick<ComparisonFacts, "arms" | "reference">,
): string[] {
  const controls = controlVerdicts(arms, figures);
  return figures.flatMap((one) => {
    const { arm, ratio, distance } = one;
    const loss = lossVerdicts(one, reference, controls);
    if (arm === reference) return loss;
    if (distance === null) return [`${arm}: its churn is not measured.`, ...loss];
    if (ratio === null) return loss;
    const shown = rangeOf(ratio, (value) => value.toFixed(2));
    const how =
      ratio.high < 1
        ? `${arm} changes less than ${reference} from one training to the next`
        : ratio.low > 1
          ? `${arm} changes more than ${reference} from one training to the next`
          : `${arm} and ${reference} are not told apart in how much they change`;
    return [`${how}: ${shown} of its mean difference.`, ...loss];
  });
}

function betweenBlocks(figures: readonly ChurnFigures[], measured: Measured, reference: string): Block[] {
  const known = figures.filter(({ distance }) => distance !== null);
  if (known.length === 0) return [text("No procedure has been trained twice yet.")];
  const numbers = isOfNumbers(measured);
  const hasTurns = known.some(({ good }) => good !== null);
  return [
    text(
      numbers
        ? "The mean absolute difference of the predictions of two retrainings, in the unit of the label, as a mean over all pairs."
        : "The mean absolute difference of probabilities (of classes and tokens half its sum), and the share of decisions that differ, as means over all pairs of retrainings. Good churn is the share that turns from wrong to right from the lower seed to the higher one, bad churn the reverse; retrainings of one procedure are exchangeable, so that the two differ by chance alone, and where neither is right both leave a change out.",
    ),
    {
      kind: "dots",
      title: "Mean difference between two retrainings",
      note: "Farther to the left, less changes. The thick line is the interval of 95 % by the jackknife over retrainings, small dots are single pairs.",
      alt: `${known.map((one) => `${one.arm}: ${rangeOf(one.distance, lossShown)}`).join("; ")}.`,
      x: numbers ? "mean absolute difference, in the unit of the label" : "mean absolute difference of probabilities",
      rows: known.map(({ arm, distance, pairs }) => ({
        name: arm,
        value: distance?.value ?? Number.NaN,
        low: distance?.low,
        high: distance?.high,
        values: pairs.map((pair) => pair.distance),
        shown: rangeOf(distance, lossShown),
      })),
    },
    {
      kind: "table",
      caption: "Between two retrainings of the same procedure",
      head: [
        "procedure",
        "retrainings",
        "mean difference",
        `over that of ${reference}`,
        ...(numbers ? [] : ["decisions changed"]),
        ...(hasTurns ? ["good churn", "bad churn"] : []),
      ],
      rows: known.map((one): Cell[] => [
        one.arm,
        { text: count(one.seeds.length), value: one.seeds.length },
        rangeCell(one.distance, lossShown),
        rangeCell(one.ratio, (value) => value.toFixed(2)),
        ...(numbers ? [] : [rangeCell(one.changed, changedShown)]),
        ...(hasTurns ? turnCells(one) : []),
      ]),
    },
  ];
}

const turnCells = ({ good, bad }: { readonly good: Interval | null; readonly bad: Interval | null }): Cell[] => [
  rangeCell(good, changedShown),
  rangeCell(bad, changedShown),
];

function inUseBlocks(figures: readonly ChurnFigures[], measured: Measured): Block[] {
  const known = figures.flatMap(({ arm, fromInUse }) => (fromInUse ? [{ arm, ...fromInUse }] : []));
  if (known.length === 0) return [];
  const numbers = isOfNumbers(measured);
  const hasTurns = known.some(({ good }) => good !== null);
  return [
    heading("From the model in use"),
    text(
      "What users meet is the change from the model in use to the one that replaces it. Here that is one model, trained alone with a seed of its own, and each retraining is held against it. Good churn is what the new model puts right, bad churn what it gets wrong that was right. Intervals are Student's, over the retrainings; of another model in use they say nothing.",
    ),
    {
      kind: "table",
      caption: "From the model in use to a retraining",
      head: [
        "procedure",
        "mean difference",
        ...(numbers ? [] : ["decisions changed"]),
        ...(hasTurns ? ["good churn", "bad churn"] : []),
      ],
      rows: known.map((one): Cell[] => [
        one.arm,
        rangeCell(one.distance, lossShown),
        ...(numbers ? [] : [rangeCell(one.changed, changedShown)]),
        ...(hasTurns ? turnCells(one) : []),
      ]),
    },
  ];
}

function limits(numRetrains: number, isCut: boolean): string[] {
  return [
    ...(isCut
      ? ["Not all of the runs that were planned are done: procedures have the retrainings that their rows name."]
      : []),
    retrainsSentence(numRetrains),
    "A retraining draws first params, order of the data and dropout anew. Data, split and the parts that groups train on are the same: in life data comes to it, and more changes.",
    "Retrainings of an anchored procedure share the model in use that they stay close to; had that been drawn anew too, they would differ more. What such a procedure is for is the change from the model in use.",
    "Low churn is worth nothing alone, as a model that has learned nothing never changes: read it beside the quality.",
    "No procedure was tuned for itself: all settings are those of the configuration, and the weight of an anchor its default.",
  ];
}

function pairsTable(figures: readonly ChurnFigures[]): Block {
  const cell = (value: number | undefined, show: (value: number) => string): Cell =>
    value === undefined || Number.isNaN(value) ? "" : { text: show(value), value };
  const row = ({ arm, seeds: [a, b], distance, changed, good, bad }: Apart): Cell[] => [
    `${arm}, seeds ${a} and ${b}`,
    cell(distance, lossShown),
    ...[changed, good, bad].map((share) => cell(share, changedShown)),
  ];
  return {
    kind: "table",
    caption: "Each pair, the lower seed first",
    head: ["pair", "mean difference", "decisions changed", "good churn", "bad churn"],
    rows: figures.flatMap(({ pairs }) => pairs.map(row)),
  };
}
