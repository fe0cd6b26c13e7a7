/** How far two models are apart, as text. */
import type { TaskKind } from "../log/events.js";
import { count, loss, percent, quantity, seconds, table, wrapped } from "./format.js";
import type { IntervalView } from "./quality.js";

export interface ChurnView {
  readonly models: readonly [string, string];
  readonly task: TaskKind;
  readonly rows: number;
  readonly churn: IntervalView & { readonly value: number };
  readonly distance: number;
  readonly changed: readonly { readonly from: string; readonly to: string; readonly rows: number }[];
  readonly seconds: number;
}

/** Changes of decisions that are shown. */
const MOST_SHOWN = 10;

/** The churn with its interval, the distance of predictions, and the most frequent changes of decisions. */
export function churnLines(view: ChurnView, width = Number.POSITIVE_INFINITY): string[] {
  const { models, task, rows, churn, distance, changed } = view;
  const [from, to] = models;
  const show = task === "regression" ? quantity : percent;
  const range = `${show(churn.value)} (95 % interval ${show(churn.low)} to ${show(churn.high)})`;
  const head = `${from} and ${to} on ${count(rows)} rows, ${seconds(view.seconds)}`;
  if (task === "regression")
    return [...wrapped(head, width), ...wrapped(`mean difference of their predictions: ${range}`, width)];
  const shown = changed.slice(0, MOST_SHOWN);
  const left = changed.slice(MOST_SHOWN);
  const others = left.reduce((sum, one) => sum + one.rows, 0);
  return [
    ...wrapped(head, width),
    ...wrapped(`rows that they decide differently: ${range}`, width),
    `mean difference of their probabilities: ${loss(distance)}`,
    ...(changed.length === 0 ? [] : [""]),
    ...table([
      ...(changed.length === 0 ? [] : [["the first says", "the second", "rows"]]),
      ...shown.map((one) => [one.from, one.to, count(one.rows)]),
      ...(left.length === 0 ? [] : [[`${count(left.length)} other changes`, "", count(others)]]),
    ]),
  ];
}
