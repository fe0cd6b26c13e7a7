/** What an evaluation says beside its metrics, as tables of text: reliability, thresholds by cost, importance of columns. */
import type { TaskKind } from "../log/events.js";
import { labelled } from "./description.js";
import { count, firstNames, loss, percent, quantity, short, shortened, table } from "./format.js";
import { printableName } from "./printable.js";

export interface IntervalView {
  readonly low: number;
  readonly high: number;
}

interface EstimateView extends IntervalView {
  readonly value: number;
}

export interface ReliabilityView {
  readonly rows: number;
  readonly least: number;
  readonly meanPrediction: number;
  readonly most: number;
  readonly observed: EstimateView;
}

export interface CoverageView {
  readonly level: number;
  readonly held: EstimateView;
  readonly meanWidth: number;
}

interface DecidedView {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
  readonly cost: EstimateView;
}

interface DecidedByView extends DecidedView {
  readonly threshold: number;
}

export interface ThresholdsView {
  readonly costs: { readonly falsePositive: number; readonly falseNegative: number };
  readonly least: DecidedByView;
  readonly crossFitted: (DecidedView & { readonly thresholds: readonly [number, number] }) | null;
  readonly calibrated: DecidedByView;
  readonly usual: DecidedByView;
  readonly difference: EstimateView | null;
}

export interface ImportanceView {
  readonly rows: number;
  readonly repeats: number;
  readonly loss: number;
  readonly columns: readonly { readonly column: string; readonly rise: EstimateView }[];
  readonly groups: readonly { readonly columns: readonly string[]; readonly rise: EstimateView }[];
}

/** The width of a terminal, for lines that are broken. */
const WIDTH = 80;
/** With names of these lengths, lines are at most as wide as a terminal of 80 columns. */
const [LONGEST_NAME, LONGEST_LABEL] = [30, 18];

/** Predicted probabilities in bins, beside how often they came true. `positive` is the name of the positive label. */
export function reliabilityLines(
  bins: readonly ReliabilityView[],
  task: TaskKind,
  positive: string,
  examples: "rows" | "images" = "rows",
): string[] {
  const what = `P(${task === "binary" ? shortened(positive, LONGEST_LABEL) : "decision"})`;
  const verdict = ({ meanPrediction, observed: { low, high } }: ReliabilityView) =>
    meanPrediction < low ? "too low" : meanPrediction > high ? "too high" : "";
  return table([
    [what, examples, "mean", task === "binary" ? "observed" : "right", "95 % interval", "prediction"],
    ...bins.map((bin) => [
      `${loss(bin.least)} to ${loss(bin.most)}`,
      count(bin.rows),
      loss(bin.meanPrediction),
      loss(bin.observed.value),
      range(bin.observed, loss),
      verdict(bin),
    ]),
  ]);
}

/** How often intervals of numbers hold the label, by the level that they promise. */
export function coverageLines(coverage: readonly CoverageView[]): string[] {
  return table([
    ["interval", "held", "95 % interval", "mean width"],
    ...coverage.map(({ level, held, meanWidth }) => [
      percent(level),
      loss(held.value),
      range(held, loss),
      quantity(meanWidth),
    ]),
  ]);
}

/** Thresholds with their costs and counts of decisions, what they are, and which one to take. */
export function thresholdLines(view: ThresholdsView): string[] {
  const { costs, least, crossFitted, calibrated, usual } = view;
  const { falsePositive, falseNegative } = costs;
  // A threshold that the rows chose has as few digits as it can; the calibrated one may have no end.
  const shown = (threshold: number) => (threshold === calibrated.threshold ? short(threshold) : String(threshold));
  const row = (name: string, threshold: string, { cost, ...counts }: DecidedView) => [
    name,
    threshold,
    short(cost.value),
    range(cost, (value) => short(value, 3)),
    count(counts.truePositives),
    count(counts.falsePositives),
    count(counts.trueNegatives),
    count(counts.falseNegatives),
  ];
  return [
    `a wrong yes costs ${short(falsePositive)}, a wrong no ${short(falseNegative)}; the mean cost of a row:`,
    "",
    ...table([
      ["choice", "threshold", "cost", "95 % interval", "TP", "FP", "TN", "FN"],
      row("usual", shown(usual.threshold), usual),
      row("calibrated", shown(calibrated.threshold), calibrated),
      row("least here", shown(least.threshold), least),
      ...(crossFitted ? [row("cross-fitted", crossFitted.thresholds.map(shown).join(", "), crossFitted)] : []),
    ]),
    "calibrated: cost-fp / (cost-fp + cost-fn), best where probabilities are right",
    "least here: chosen by these rows, on which it looks better than it is",
    ...(crossFitted ? ["cross-fitted: each half decided by the threshold that the other half chooses"] : []),
    ...adviceLines(view, shown),
  ];
}

function adviceLines({ difference, least, calibrated }: ThresholdsView, shown: (threshold: number) => string) {
  if (difference === null || Number.isNaN(difference.low)) return [];
  const { value, low, high } = difference;
  if (high < 0) {
    const gain = range({ low: -high, high: -low }, short);
    return [
      `advice: --threshold ${shown(least.threshold)}; on other rows, thresholds chosen so cost less than`,
      `${shown(calibrated.threshold)}, by ${short(-value)} a row (95 %: ${gain})`,
    ];
  }
  return [
    `advice: --threshold ${shown(calibrated.threshold)}; on other rows, thresholds that rows choose are not`,
    "cheaper beyond chance",
  ];
}

/** The columns by how much the loss rises when their values change places. */
export function importanceLines(view: ImportanceView, lossName: string): string[] {
  const { rows, repeats, columns, groups } = view;
  const row = (name: string, rise: EstimateView) => [
    shortened(name, LONGEST_NAME),
    loss(rise.value),
    range(rise, loss),
    percent(rise.value / view.loss),
  ];
  return [
    `${lossName} ${loss(view.loss)}: ${count(rows)} rows, each column permuted ${count(repeats)} times`,
    "",
    ...table([
      ["column", "rise of loss", "95 % interval", "of the loss"],
      ...columns.map(({ column, rise }) => row(column, rise)),
      ...groups.map(({ rise }, i) => row(`alike ${i + 1}`, rise)),
    ]),
    "Each column is permuted alone: what several columns tell alike shows in none of",
    "them, or in part. A rise is of this model, and not of what causes the label.",
    ...groups.flatMap(({ columns: own }, i) => {
      const names = own.map((name) => shortened(printableName(name), LONGEST_NAME));
      return labelled(
        `alike ${i + 1} `,
        `${firstNames(names, 10)}: they tell much of the same, and are permuted together`,
        WIDTH,
      );
    }),
  ];
}

/** An interval as text; nothing where chance cannot be told, as of a single row. */
export function range({ low, high }: IntervalView, show: (value: number) => string): string {
  return Number.isNaN(low) ? "" : `${show(low)} to ${show(high)}`;
}
