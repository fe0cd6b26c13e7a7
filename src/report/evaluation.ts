/** An evaluation as tables of text. */
import type { MetricName, TaskKind } from "../log/events.js";
import {
  bytes,
  count,
  counted,
  fittedTable,
  loss,
  percent,
  quantity,
  seconds,
  shortened,
  table,
  wrapped,
} from "./format.js";
import {
  type CoverageView,
  coverageLines,
  type ImportanceView,
  type IntervalView,
  importanceLines,
  type ReliabilityView,
  range,
  reliabilityLines,
  type ThresholdsView,
  thresholdLines,
} from "./quality.js";
import { metricViews } from "./result.js";

type MetricsView = { readonly loss: number } & Readonly<Partial<Record<MetricName, number>>>;

interface SliceView {
  readonly rows: number;
  readonly metrics: MetricsView;
  readonly estimates: Readonly<Partial<Record<string, IntervalView>>>;
  readonly meanPrediction: number | null;
  readonly meanLabel: number | null;
}

/** The parts of an evaluation that are shown. */
export interface EvaluationView extends SliceView {
  readonly task: TaskKind;
  readonly lossName: string;
  readonly label: string;
  /** The weight of a row in all figures; null or left out where all rows count alike. */
  readonly weight?: string | null;
  /** What the examples are called; "rows" by default. */
  readonly examples?: "rows" | "images";
  readonly numUnlabelled: number;
  readonly numOfOtherClasses: number;
  /** The most frequent of such labels. */
  readonly otherClasses: readonly { readonly value: string; readonly count: number }[];
  readonly classes: readonly {
    readonly name: string;
    readonly rows: number;
    readonly decided: number;
    readonly precision: number;
    readonly recall: number;
    readonly meanProbability: number;
  }[];
  readonly reliability: readonly ReliabilityView[];
  readonly coverage?: readonly CoverageView[];
  readonly thresholds?: ThresholdsView;
  readonly importance?: ImportanceView;
  readonly slices: readonly (SliceView & { readonly name: string })[];
  readonly numOtherRows: number;
}

const LONGEST_NAME = 40;

/** Metrics with 95 % confidence intervals, the classes, reliability, what else was asked for, and the slices by `by`. */
export function evaluationLines(view: EvaluationView, by?: string, width = Number.POSITIVE_INFINITY): string[] {
  const { task, classes, reliability, coverage = [], thresholds, importance, slices, numOtherRows } = view;
  const { numUnlabelled, numOfOtherClasses, otherClasses } = view;
  const { examples = "rows" } = view;
  const [one, several] =
    examples === "images" ? ["image is of a class", "images are of classes"] : ["row has a label", "rows have labels"];
  const others = otherClasses.map(
    ({ value, count: number }) => `${JSON.stringify(shortened(value, LONGEST_NAME))} (${count(number)})`,
  );
  const notes = [
    ...(numUnlabelled > 0 ? [`${count(numUnlabelled)} rows without a label count nowhere`] : []),
    ...(numOfOtherClasses > 0
      ? [
          `${counted(numOfOtherClasses, one, several)} that the model does not know, and ${numOfOtherClasses === 1 ? "counts" : "count"} nowhere: ${others.join(", ")}`,
        ]
      : []),
  ];
  return [
    examples === "images"
      ? `${count(view.rows)} images, ${view.label}`
      : `${count(view.rows)} rows, label ${view.label}`,
    ...(view.weight ? [`each row counts by its weight, ${view.weight}`] : []),
    ...notes.flatMap((note) => wrapped(note, width)),
    "",
    ...table([["metric", "value", "95 % interval"], ...metricRows(view)]),
    ...(classes.length === 0 ? [] : ["", ...classLines(view, width)]),
    ...(reliability.length === 0
      ? []
      : ["", ...reliabilityLines(reliability, task, classes.at(-1)?.name ?? "", examples)]),
    ...(coverage.length === 0 ? [] : ["", ...coverageLines(coverage)]),
    ...(thresholds ? ["", ...thresholdLines(thresholds)] : []),
    ...(importance ? ["", ...importanceLines(importance, view.lossName)] : []),
    ...(importance && view.weight ? ["(all rows count alike in the importance of columns)"] : []),
    ...(slices.length === 0 ? [] : ["", ...sliceLines(view, by ?? "slice", width)]),
    ...(numOtherRows > 0 ? [`and ${count(numOtherRows)} rows of further values`] : []),
  ];
}

function metricRows({ lossName, metrics, estimates, meanPrediction, meanLabel, task }: EvaluationView): string[][] {
  const shown = task === "regression" ? quantity : loss;
  const rangeOf = (name: string, show: (value: number) => string) => {
    const estimate = estimates[name];
    return estimate ? range(estimate, show) : "";
  };
  return [
    [lossName, loss(metrics.loss), rangeOf("loss", loss)],
    ...namesIn(metrics).map((name) => {
      const { title, show } = metricViews[name];
      return [title, metricText(name, metrics), rangeOf(name, show)];
    }),
    ...(meanPrediction === null ? [] : [["mean prediction", shown(meanPrediction), ""]]),
    ...(meanLabel === null ? [] : [["mean label", shown(meanLabel), ""]]),
  ];
}

function classLines({ classes, rows, examples = "rows" }: EvaluationView, width: number): string[] {
  const head = ["class", examples, "share", "mean probability", "decided", "precision", "recall"];
  const share = (value: number) => (Number.isNaN(value) ? "" : percent(value));
  const cells = [
    head,
    ...classes.map((one) => [
      shortened(one.name, LONGEST_NAME),
      count(one.rows),
      share(one.rows / rows),
      share(one.meanProbability),
      count(one.decided),
      share(one.precision),
      share(one.recall),
    ]),
  ];
  return fittedTable(cells, width);
}

function sliceLines({ slices, lossName, task }: EvaluationView, by: string, width: number): string[] {
  const names = [...new Set(slices.flatMap(({ metrics }) => namesIn(metrics)))];
  const hasMeans = task !== "multiclass";
  const shown = task === "regression" ? quantity : loss;
  const head = [
    shortened(by, LONGEST_NAME),
    "rows",
    lossName,
    "95 % interval",
    ...names.map((name) => metricViews[name].title),
    ...(hasMeans ? ["mean prediction", "mean label"] : []),
  ];
  const cells = [
    head,
    ...slices.map(({ name, rows, metrics, estimates, meanPrediction, meanLabel }) => [
      shortened(name, LONGEST_NAME),
      count(rows),
      loss(metrics.loss),
      estimates.loss ? range(estimates.loss, loss) : "",
      ...names.map((metric) => metricText(metric, metrics)),
      ...(hasMeans ? [shown(meanPrediction ?? Number.NaN), shown(meanLabel ?? Number.NaN)] : []),
    ]),
  ];
  return fittedTable(cells, width);
}

/** A metric as text; a dash where it does not exist, such as the AUC of labels that are all the same. */
function metricText(name: MetricName, metrics: MetricsView): string {
  const value = metrics[name] ?? Number.NaN;
  return Number.isNaN(value) ? "-" : metricViews[name].show(value);
}

function namesIn(metrics: MetricsView): MetricName[] {
  return (Object.keys(metricViews) as MetricName[]).filter((name) => metrics[name] !== undefined);
}

/** The parts of an evaluation on text that are shown. */
export interface TextEvaluationView {
  readonly documents: number;
  /** Tokens, with those that end documents, where the tokenizer has them. */
  readonly tokens: number;
  /** Bytes of the text in UTF-8. */
  readonly bytes: number;
  /** Mean of -log p of each token but the first, in nats. */
  readonly loss: number;
  /** e to the loss. */
  readonly perplexity: number;
  /** loss x tokens / (ln 2 x bytes); absent where the text cannot be decoded from its tokens. */
  readonly bitsPerByte?: number;
  /** Share of tokens that the model took for the most probable. */
  readonly accuracy: number;
  /** Notes on the text for the user, in sentences. */
  readonly notes: readonly string[];
  readonly seconds: number;
}

/** The size of the text, and the metrics of the model on it. */
export function textEvaluationLines(view: TextEvaluationView): string[] {
  const { documents, tokens, bytes: size, seconds: time } = view;
  const metrics = (["perplexity", "bitsPerByte", "accuracy"] as const).filter((name) => view[name] !== undefined);
  return [
    `${counted(documents, "document")}, ${bytes(size)}, ${count(tokens)} tokens, ${seconds(time)}`,
    ...view.notes,
    "",
    ...table([
      ["nats per token", ...metrics.map((name) => metricViews[name].title)],
      [loss(view.loss), ...metrics.map((name) => metricViews[name].show(view[name] as number))],
    ]),
  ];
}
