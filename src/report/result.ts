import type { MetricName, RunKind, RunResult, TestMetrics } from "../log/events.js";
import { bytes, count, fittedTable, loss, percent, quantity, times, wrapped } from "./format.js";

/** How a metric is called and shown. */
export const metricViews: {
  readonly [M in MetricName]: { readonly title: string; readonly show: (value: number) => string };
} = {
  perplexity: { title: "perplexity", show: quantity },
  bitsPerByte: { title: "bits per byte", show: loss },
  logLoss: { title: "log loss", show: loss },
  auc: { title: "AUC", show: loss },
  accuracy: { title: "accuracy", show: loss },
  top5Accuracy: { title: "top 5", show: loss },
  calibrationError: { title: "ECE", show: loss },
  rmse: { title: "RMSE", show: quantity },
  mae: { title: "MAE", show: quantity },
  r2: { title: "R2", show: loss },
};

interface Between {
  readonly disagreement: string;
  readonly show: (value: number) => string;
  readonly churn: string | null;
}

/**
 * In words, what the disagreement between groups is of and what churn is, and how disagreement is shown. Churn is null
 * where it equals the disagreement.
 */
const between: { readonly [K in RunKind]: Between } = {
  binary: { disagreement: "probabilities", show: loss, churn: "share of rows that they decide differently" },
  multiclass: {
    disagreement: "probabilities, half its sum over classes",
    show: loss,
    churn: "share of rows that they decide differently",
  },
  regression: { disagreement: "predictions", show: quantity, churn: null },
  language: {
    disagreement: "probabilities, half its sum over tokens",
    show: loss,
    churn: "share of places where their most probable tokens differ",
  },
};

const metricNames = Object.keys(metricViews) as MetricName[];

/** The outcome of a run as a table: each group, the ensemble, how far the groups disagree. */
export function resultLines(result: RunResult, width = Number.POSITIVE_INFINITY): string[] {
  const { ensemble, teachers, disagreement, churn, yardsticks = [], remarks = [] } = result;
  const { task = "binary", lossName = "log loss" } = result;
  const { titles, cells: tested } = testColumns(result.groups, lossName);
  const head = [
    "",
    ...titles.map((title) => `test ${title}`),
    "validation",
    "at step",
    "steps/s",
    "published",
    "fetched",
    "",
  ];
  const groups = result.groups.map((group) => [
    `group ${group.group}`,
    ...tested(group),
    loss(group.validationLoss),
    count(group.step),
    times(group.stepsPerSecond),
    bytes(group.bytesPublished),
    bytes(group.bytesFetched),
    [group.group === result.shippedGroup ? "shipped" : "", group.ended === "finished" ? "" : group.ended]
      .filter(Boolean)
      .join(", "),
  ]);
  const together = ensemble ? [["ensemble", ...tested(ensemble)]] : [];
  const taught = teachers
    ? [
        ["teachers", ...tested(teachers)],
        ...(teachers.together ? [["model and teachers", ...tested(teachers.together)]] : []),
      ]
    : [];
  const beside = yardsticks.map((yardstick) => [yardstick.name, ...tested(yardstick)]);
  const lines = fittedTable(
    [head, ...groups, ...together, ...taught, ...beside].map((row) => head.map((_, column) => row[column] ?? "")),
    width,
  );
  for (const { group, staleness } of result.groups) if (staleness) lines.push(stalenessLine(group, staleness));
  const words = between[task];
  if (disagreement !== null) {
    const what = `mean absolute difference of ${words.disagreement}`;
    lines.push(...wrapped(`disagreement between the groups (${what}): ${words.show(disagreement)}`, width));
  }
  if (typeof churn === "number" && words.churn) lines.push(`churn between the groups (${words.churn}): ${loss(churn)}`);
  if (teachers) lines.push(...wrapped(teachersLine(teachers, task, result.weight), width));
  return [...lines, ...noteLines(result.weight, remarks, width)];
}

/** How far the shipped model is from the fixed teachers. Decisions are counted, whatever rows weigh. */
export function teachersLine(
  { distance, churn }: NonNullable<RunResult["teachers"]>,
  task: RunKind,
  weight: string | undefined,
): string {
  const { disagreement, show, churn: decided } = between[task];
  const apart = `mean absolute difference of ${disagreement} ${show(distance)}`;
  if (decided === null) return `the shipped model against its teachers: ${apart}`;
  return task === "language"
    ? `the shipped model takes another token for the most probable than its teachers at ${percent(churn)} of the test tokens (${apart})`
    : `the shipped model decides ${percent(churn)} of the test rows differently from its teachers (${apart}${weight === undefined ? "" : "; here each row counts once"})`;
}

/** By what rows count, where they have weights, and what to know of a result. */
export function noteLines(
  weight: string | undefined,
  remarks: readonly string[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  return [
    ...(weight === undefined ? [] : [`in all losses and metrics each row counts by its weight, ${weight}`]),
    ...remarks.map((remark) => `note: ${remark}`),
  ].flatMap((line) => wrapped(line, width));
}

/** The columns of test metrics that some of these have: their titles, and the cells of one of them. */
export function testColumns(all: readonly TestMetrics[], lossName: string) {
  const shown = metricNames.filter((name) => all.some((measured) => measured[inResult(name)] !== undefined));
  return {
    titles: [lossName, ...shown.map((name) => metricViews[name].title)],
    cells: (measured: TestMetrics): string[] => [
      loss(measured.testLoss),
      // A value that is not finite is null in a file; yardsticks lack some of the metrics.
      ...shown.map((name) => {
        const value = measured[inResult(name)];
        return value === undefined ? "" : metricViews[name].show(value ?? Number.NaN);
      }),
    ],
  };
}

/** How late the gradients of a group were, of asynchronous SGD. */
function stalenessLine(group: number, counts: readonly number[]): string {
  const total = counts.reduce((sum, one) => sum + one, 0);
  const mean = counts.reduce((sum, one, staleness) => sum + one * staleness, 0) / Math.max(1, total);
  const most = Math.max(
    0,
    counts.findLastIndex((one) => one > 0),
  );
  return `staleness of group ${group}: ${mean.toFixed(2)} updates on average, at most ${most}, ${percent((counts[0] ?? 0) / Math.max(1, total))} none`;
}

/** The name of a metric in a result. */
function inResult<M extends MetricName>(name: M): `test${Capitalize<M>}` {
  return `test${name.slice(0, 1).toUpperCase()}${name.slice(1)}` as `test${Capitalize<M>}`;
}
