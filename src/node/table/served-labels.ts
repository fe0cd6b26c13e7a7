/**
 * Reads the labels of a table as labels of a served model: the class of each, and values that the model does not know.
 */

import { classIndexSql, labelNumber } from "../../data/label-values.js";
import { binaryClasses } from "../../data/table.js";
import { DataError } from "../../errors.js";
import { argument } from "../../reading/names.js";
import { count, percent, shortened } from "../../report/format.js";
import type { Task } from "../../train/task.js";
import type { Database } from "../sources/duckdb.js";
import type { ServedModel } from "./served-model.js";
import { labelRules } from "./table-labels.js";
import { rawLabel } from "./table-query.js";

/** A model's task and classes. */
export type LabelledModel = Pick<ServedModel, "classes" | "isDouble"> & { readonly task: Pick<Task, "kind"> };

/** The parts of a model by which labels are read. */
export type ReadModel = Omit<LabelledModel, "isDouble"> & Pick<ServedModel, "isPlainBinary">;

/** A value of a label, as it is written, and its rows. */
export interface LabelValue {
  readonly value: string;
  readonly count: number;
}

export interface ServedLabels {
  /**
   * SQL of a double over a row: 0 or 1, the index of a class, or the number; NaN without a label, {@link OTHER_CLASS}
   * for an unknown class.
   */
  readonly sql: string;
  /** The most frequent values that are no class of the model. */
  readonly others: readonly LabelValue[];
}

/** The label of a class that the model does not know. */
export const OTHER_CLASS = -1;

/** A column in which a larger share of the labels is of unknown classes is not the label of the model. */
const MOST_OTHERS = 0.5;
const SHOWN_OTHERS = 5;

/**
 * Read an expression as the label of a model. Values are matched with classes by the rules of `data/label-values.ts`; a
 * boolean may also say whether a row is of the positive class.
 *
 * Throws {@link DataError} when no row has a label, more than half of the labels are not a class of the model, or a
 * label is not a number where the model predicts numbers.
 */
export async function servedLabels(db: Database, model: ReadModel, sql: string, name = sql): Promise<ServedLabels> {
  const [[, type] = []] = await db.rows(`describe select ${sql} from source_shape`);
  if (model.classes === null) {
    const read = `(select ${labelRules({ task: model.task.kind }).column(String(type))} from (select ${sql} as ${rawLabel}))`;
    await checkNumbers(db, sql, read);
    return { sql: `coalesce(cast(${read} as double), cast('nan' as double))`, others: [] };
  }
  const index = indexSql(model, sql, String(type));
  const [[numLabelled, numOthers] = []] = await db.rows(
    `select count(*), count(*) filter (${index} = ${OTHER_CLASS}) from source_rows where ${sql} is not null`,
  );
  const found = await db.rows(`select cast(${sql} as varchar), count(*) from source_rows
    where ${sql} is not null and ${index} = ${OTHER_CLASS} group by 1 order by 2 desc, 1 limit ${SHOWN_OTHERS}`);
  const others = found.map(([value, number]) => ({ value: String(value), count: Number(number) }));
  if (Number(numLabelled) > 0 && Number(numOthers) > MOST_OTHERS * Number(numLabelled)) {
    throw otherLabels(model, name, Number(numOthers), Number(numLabelled), others);
  }
  return { sql: `case when ${sql} is null then cast('nan' as double) else ${index} end`, others };
}

function indexSql({ task, classes, isPlainBinary }: ReadModel, sql: string, type: string): string {
  const names = classes ?? [];
  // DuckDB reads a column of "yes" and "no" alone as booleans, and a column with a third word as text.
  if (isPlainBinary || names.toSorted().join() === binaryClasses.join()) {
    const [no, yes] = names[1] === binaryClasses[0] ? [1, 0] : [0, 1];
    return `(select case label when 0 then ${no} when 1 then ${yes} else ${OTHER_CLASS} end
      from (select ${labelRules().column(type)} as label from (select ${sql} as ${rawLabel})))`;
  }
  const isOfWords = names.every((name) => labelNumber(name) !== 0 && labelNumber(name) !== 1);
  if (type === "BOOLEAN" && task.kind === "binary" && isOfWords) return `cast(${sql} as integer)`;
  return `(select coalesce(${classIndexSql(rawLabel, names)}, ${OTHER_CLASS}) from (select ${sql} as ${rawLabel}))`;
}

function otherLabels(
  { classes, isPlainBinary, task }: ReadModel,
  name: string,
  numOthers: number,
  numLabelled: number,
  others: readonly LabelValue[],
): DataError {
  const known = isPlainBinary ? ["0 or 1", "true or false"] : (classes ?? []).map((name) => JSON.stringify(name));
  const first = others[0]?.value ?? "";
  const cure =
    task.kind === "binary"
      ? `a comparison that is true where it is ${isPlainBinary ? "yes" : known.at(-1)}`
      : "an expression that gives them";
  return new DataError(
    `evaluate: at least half of the labels must be of the model's classes, ${listed(known)}, and ${count(numOthers)} of ${count(numLabelled)} (${percent(numOthers / numLabelled)}) are others: ${listed(others.map(valueText))}. ` +
      `Case and every character but spaces around a value count. Name the right column with --label, or ${cure}, as in --label ${argument(`${name} = '${shortened(first.replaceAll("'", "''"), 30)}'`)}.`,
  );
}

function valueText({ value, count: number }: LabelValue): string {
  return `${JSON.stringify(shortened(value, 60))} (${count(number)})`;
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, SHOWN_OTHERS).join(", ");
  return texts.length > SHOWN_OTHERS ? `${shown} and ${texts.length - SHOWN_OTHERS} more` : shown;
}

async function checkNumbers(db: Database, sql: string, read: string): Promise<void> {
  const [[numWrong, example] = []] = await db.rows(
    `select count(*), min(cast(${sql} as varchar)) from source_rows where isnan(${read})`,
  );
  if (Number(numWrong) === 0) return;
  throw new DataError(
    `evaluate: a label of this model is a number, and it is something else in ${count(Number(numWrong))} rows, as ${JSON.stringify(shortened(String(example), 60))}. Give an expression with --label.`,
  );
}
