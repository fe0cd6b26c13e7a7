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
  /** The areas under the ROC curves on the rows that have labels; null where there are none. */
  readonly auc: AucView | null;
  readonly seconds: number;
}

export interface AucView {
  readonly rows: number;
  readonly first: { readonly value: number };
  readonly second: { readonly value: number };
  readonly difference: IntervalView & { readonly value: number; readonly pValue: number };
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
    ...(view.auc === null ? [] : wrapped(aucSentence(view.auc), width)),
    ...(changed.length === 0 ? [] : [""]),
    ...table([
      ...(changed.length === 0 ? [] : [["the first says", "the second", "rows"]]),
      ...shown.map((one) => [one.from, one.to, count(one.rows)]),
      ...(left.length === 0 ? [] : [[`${count(left.length)} other changes`, "", count(others)]]),
    ]),
  ];
}

/** What DeLong's test says of two areas, in words. */
function aucSentence({ rows, first, second, difference }: AucView): string {
  const { value, low, high, pValue } = difference;
  const signed = (one: number) => `${one < 0 ? "-" : "+"}${Math.abs(one).toFixed(4)}`;
  const verdict = low > 0 ? "the second is better" : high < 0 ? "the second is worse" : "the two are not told apart";
  const shown = `${signed(value)} (95 % interval ${signed(low)} to ${signed(high)}), ${chanceOf(pValue)}`;
  return `AUC: ${first.value.toFixed(4)} of the first, ${second.value.toFixed(4)} of the second; ${verdict}: ${shown}, by DeLong's test on ${count(rows)} rows with labels`;
}

const LEAST_SHOWN = 0.0001;

/** A p value as it is mostly written: of small ones only that they are small. */
function chanceOf(pValue: number): string {
  return pValue < LEAST_SHOWN ? `p < ${LEAST_SHOWN}` : `p = ${Number(pValue.toPrecision(2))}`;
}
