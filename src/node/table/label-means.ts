/** Fits the features that are means of the label over the rows of a name, in the table `examples`. */
import { MOST_MEAN_CLASSES, MOST_MEANS, NUM_FOLDS, priorRows } from "../../data/label-means.js";
import { double, literal } from "../../data/sql.js";
import type { TableSpec } from "../../data/table.js";
import type { ServedFeature } from "../../serving/serving.js";
import type { Database } from "../sources/duckdb.js";
import type { SizedColumn } from "./shifts.js";
import { type Parts, splitCodes } from "./table-query.js";

/** Steps into which the range of labels is divided: whole steps add up exactly, in any order, and so do their squares. */
const STEPS = 2 ** 45;
/** The share of different rows from which on equal rows are copies of one another; with fewer they are equal by chance. */
const COPIES_FROM = 0.9;
const inTraining = `split = ${splitCodes.train}`;

/** The numbers of which means are taken: labels as they are learned, or 1 for the rows of a class and 0 for others. */
interface Averaged {
  /** What the feature's name ends with. */
  readonly suffix: string;
  readonly sql: string;
  readonly isShare: boolean;
}

/** What is averaged for a label; nothing for one of more than {@link MOST_MEAN_CLASSES} classes. */
function averagedOf(
  { task = "binary" }: Pick<TableSpec, "task">,
  { logUnit, classes }: { readonly logUnit: number | undefined; readonly classes: readonly string[] },
): readonly Averaged[] {
  const learned = logUnit === undefined ? "label" : `ln(1 + label / ${double(logUnit)})`;
  switch (task) {
    case "binary":
      return [{ suffix: "", sql: "label", isShare: true }];
    case "regression":
      return [{ suffix: "", sql: learned, isShare: false }];
    case "multiclass":
      return (classes.length > MOST_MEAN_CLASSES ? [] : classes).map((value, k) => ({
        suffix: `_${k}`,
        sql: `case when label = ${literal(value)} then 1 else 0 end`,
        isShare: true,
      }));
  }
}

/** A feature that was fitted: a column of `examples` beside those of numeric features, and how it is served. */
export interface FittedMean {
  readonly served: ServedFeature & { readonly vocabulary: readonly string[] };
  readonly column: SizedColumn;
}

/**
 * Add the columns of the features to `examples`, named n and a number from `firstColumn` on, and give them in their
 * order. A training row has the mean of its name's rows in the other folds, all other rows that of all training rows.
 */
export async function fitLabelMeans(
  db: Database,
  spec: Pick<TableSpec, "task" | "labelMeans">,
  parts: Pick<Parts, "labelMeans" | "numeric">,
  label: Parameters<typeof averagedOf>[1],
): Promise<readonly FittedMean[]> {
  const names = Object.entries(spec.labelMeans ?? {});
  if (names.length === 0) return [];
  const fold = await foldOf(db);
  const fitted: FittedMean[] = [];
  for (const averaged of averagedOf(spec, label)) {
    const range = await rangeOf(db, averaged);
    for (const [i, [name, sql]] of names.entries()) {
      const column = `n${parts.numeric.length + fitted.length}`;
      const { role, expression } = parts.labelMeans[i] as Parts["labelMeans"][number];
      const { largest, ...answers } = await fitOne(db, averaged, range, { name: `m${i}`, fold, column });
      fitted.push({
        served: { name: `${name}${averaged.suffix}`, sql, ...answers },
        column: { what: `${role} (${expression})`, sql: column, largest },
      });
    }
  }
  return fitted;
}

/**
 * The fold of a training row as SQL, by the hash of the row, so that copies of a row are in one fold; where rows are
 * seldom different from one another, equal ones are not copies, and each is in a fold by itself.
 */
async function foldOf(db: Database): Promise<string> {
  const [[numDifferent, numRows] = []] = await db.rows(
    `select count(distinct fold_hash), count(*) from examples where ${inTraining}`,
  );
  const areCopies = Number(numDifferent) >= COPIES_FROM * Number(numRows);
  const hash = areCopies ? "fold_hash" : "md5_number_lower(concat(fold_hash, '/', examples.rowid))";
  return `cast(${hash} % ${NUM_FOLDS} as integer)`;
}

/** The range of the labels of training rows, and their mean. */
interface Range {
  /** A label's distance from the least one, as SQL of a whole number of steps. */
  readonly steps: string;
  readonly least: number;
  /** The size of a step. */
  readonly step: number;
  readonly mean: number;
}

async function rangeOf(db: Database, { sql, isShare }: Averaged): Promise<Range> {
  const [[low, high] = []] = await db.rows(`select min(${sql}), max(${sql}) from examples where ${inTraining}`);
  const [least, step] = isShare ? [0, 1] : [Number(low), (Number(high) - Number(low)) / STEPS];
  const steps = isShare
    ? `cast(${sql} as hugeint)`
    : `cast(round((${sql} - ${double(least)}) / ${double(step)}) as hugeint)`;
  const [[sum, count] = []] = await db.rows(`select sum(${steps}), count(*) from examples where ${inTraining}`);
  return { steps, least, step, mean: least + (step * Number(sum)) / Number(count) };
}

/** Fit one feature, and write its column: the values of names, of rows without one of them, and the largest size. */
async function fitOne(
  db: Database,
  { isShare }: Averaged,
  { steps, least, step, mean }: Range,
  { name, fold, column }: { readonly name: string; readonly fold: string; readonly column: string },
) {
  await db.run(`create or replace table fold_sums as
    select ${name} as name, ${fold} as fold, count(*) as count, sum(${steps}) as total, sum(${steps} * ${steps}) as squares
    from examples where ${inTraining} and ${name} is not null group by all`);
  await db.run(`create or replace table name_sums as
    select name, cast(sum(count) as bigint) as count, sum(total) as total, sum(squares) as squares from fold_sums
    group by name order by 2 desc, name limit ${MOST_MEANS}`);
  const sums = await db.rows("select count, total, squares from name_sums order by count desc, name");
  const prior = priorRows(
    sums.map(([count, sum, squares]) => ({
      count: Number(count),
      sum: BigInt(sum as bigint),
      squares: BigInt(squares as bigint),
    })),
  );
  const scaled = (value: string) => (isShare ? `ln(${value} / (1 - ${value}))` : value);
  const shrunken = (count: string, total: string) =>
    Number.isFinite(prior)
      ? `case when ${count} = 0 then ${double(mean)} else ${double(least)} + (${double(step)} * cast(${total} as double) + ${double(prior)} * ${double(mean - least)}) / (${count} + ${double(prior)}) end`
      : double(mean);
  await db.run(`create or replace table name_means as select name, fold, ${scaled("mean")} as mean from (
    select name, -1 as fold, ${shrunken("count", "total")} as mean from name_sums union all
    select name, fold, ${shrunken("(name_sums.count - fold_sums.count)", "(name_sums.total - fold_sums.total)")} as mean
    from name_sums join fold_sums using (name))`);
  const [[otherwise = 0] = []] = await db.rows(`select ${scaled(double(mean))}`);
  await db.run(`alter table examples add column ${column} double default ${double(Number(otherwise))}`);
  await db.run(`update examples set ${column} = name_means.mean from name_means
    where ${name} = name_means.name and name_means.fold = case when ${inTraining} then ${fold} else -1 end`);
  // Names that tell nothing need no place in a model: one of them stands for all.
  const found = await db.rows(`select name, mean from name_means where fold = -1
    order by name ${Number.isFinite(prior) ? "" : "limit 1"}`);
  const [[largest] = []] = await db.rows(`select max(abs(${column})) from examples`);
  for (const table of ["fold_sums", "name_sums", "name_means"]) await db.run(`drop table ${table}`);
  return {
    vocabulary: found.map(([one]) => String(one)),
    answers: { values: found.map(([, value]) => Number(value)), otherwise: Number(otherwise) },
    largest: Number(largest),
  };
}
