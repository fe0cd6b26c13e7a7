/** The labels of the rows by which two models are compared, where files have them: churn itself needs none. */
import { DataError, messageOf } from "../../errors.js";
import { count } from "../../report/format.js";
import { aucDifference, aucEstimate, type Difference, type Estimate } from "../../train/estimates.js";
import type { Floats } from "../../train/metrics.js";
import type { Database } from "../sources/duckdb.js";
import { ownLabelSql } from "./evaluate.js";
import { servedLabels } from "./served-labels.js";
import type { ServedModel } from "./served-model.js";
import type { SourceColumn } from "./source-rows.js";

/** How well two models tell yes from no on the same rows. */
export interface AucChange {
  /** The rows with a label, and those of them that are yes: the class that the first model names last. */
  readonly rows: number;
  readonly positives: number;
  readonly first: Estimate;
  readonly second: Estimate;
  /** The area of the second less that of the first, with its 95 % interval and the two-sided p value, by DeLong's test. */
  readonly difference: Difference;
}

/**
 * SQL of the label that a binary model was trained on, as {@link servedLabels} gives it; `sql` is null where files lack it, and with
 * `note` where their labels are others than the model's.
 */
export async function labelsBeside(
  db: Database,
  model: ServedModel,
  columns: readonly SourceColumn[],
): Promise<{ readonly sql: string | null; readonly note?: string }> {
  if (model.task.kind !== "binary") return { sql: null };
  let own: string;
  try {
    own = await ownLabelSql(db, model.label, columns);
  } catch (error) {
    if (error instanceof DataError) return { sql: null };
    throw error;
  }
  try {
    return { sql: (await servedLabels(db, model, own, model.label)).sql };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { sql: null, note: `areas under the ROC curve are not compared: ${messageOf(error)}` };
  }
}

/** The areas of two models; null, with the reason, where all labelled rows have one label. Rows without a known label do not count. */
export function aucChange(
  first: Floats,
  second: Floats,
  labels: Float64Array,
): { readonly auc: AucChange | null; readonly note?: string } {
  const known = Uint32Array.from(labels, (_, i) => i).filter((i) => labels[i] === 0 || labels[i] === 1);
  if (known.length === 0) return { auc: null };
  const of = (values: Floats) => Float64Array.from(known, (i) => values[i] as number);
  const [own, other, yes] = [of(first), of(second), of(labels)];
  const positives = yes.reduce((sum, label) => sum + label, 0);
  // One row of a class says nothing of how its rows vary.
  if (positives < 2 || yes.length - positives < 2) {
    const note = `areas under the ROC curve are not compared: they need two rows of either label or more, and of ${count(yes.length)} labelled rows ${count(positives)} are yes`;
    return { auc: null, note };
  }
  const difference = aucDifference(other, own, yes);
  const change = {
    ...{ rows: yes.length, positives, first: aucEstimate(own, yes), second: aucEstimate(other, yes), difference },
  };
  return { auc: change };
}
