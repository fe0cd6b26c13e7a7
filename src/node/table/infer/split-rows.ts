/** Splits a table, and counts the rows of each class in each split and the rows that repeat others. */
import { classIndexSql, labelTextSql } from "../../../data/label-values.js";
import { mostEqual, UNITS_FOR_ALL } from "../../../data/split.js";
import { enclosed, literal } from "../../../data/sql.js";
import { DataError } from "../../../errors.js";
import type { LabelDescription } from "../../../infer/column.js";
import {
  type ColumnDescription,
  type ColumnFigures,
  type Feature,
  type Hint,
  numPresent,
} from "../../../infer/column.js";
import {
  rankSplit,
  roundedTime,
  type SplitChoice,
  type SplitName,
  splitNames,
  timeSplit,
  withEqualRows,
} from "../../../infer/split.js";
import { columnSql, numberSql } from "../../../infer/sql.js";
import { argument } from "../../../reading/names.js";
import { count, firstNames, percent } from "../../../report/format.js";
import type { Database } from "../../sources/duckdb.js";
import { equalColumn, makeRowSplits, predicateSplits } from "../row-splits.js";
import { checkExpressions } from "../table-checks.js";
import { featureParts, partsOf, splitCodes, splitColumn } from "../table-query.js";

type Rows = Readonly<Record<SplitName, number>>;

export interface DescribedSplit {
  readonly split: SplitChoice;
  readonly rows: Rows;
  /** The rows of each class; empty for numbers. */
  readonly classRows: readonly (Rows & { readonly value: string })[];
  /** The label, without classes that no training row has. */
  readonly label: LabelDescription;
  readonly hints: readonly Hint[];
}

/** The basis of a table's split. */
export interface SplitFor {
  readonly columns: readonly ColumnDescription[];
  readonly features: readonly Feature[];
  readonly label: LabelDescription;
  /** The column of time, in which validation and test are later than training; null for a random split. */
  readonly time: ColumnFigures | null;
  /** A column or SQL: rows with the same value go to the same split. */
  readonly groupBy?: string | undefined;
}

/** Rows up to which a quantile of time is exact. */
const EXACT_ROWS = 5_000_000;

/**
 * By time where a column for it is named, else by chance. Rows of classes that no training row has are left out.
 *
 * Throws {@link DataError} when a split would have no rows, or training only one class.
 */
export async function splitRows(db: Database, given: SplitFor): Promise<DescribedSplit> {
  const { columns, label, time, groupBy } = given;
  const isOfClasses = label.classes.length > 0;
  const split = time ? await cutByTime(db, time, label.condition) : rankSplit(isOfClasses, label.condition, groupBy);
  const described = await countSplits(db, split, given);
  const learned = learnable(label, described.classRows, split);
  if (learned !== label) return splitRows(db, { ...given, label: learned });
  const { rows } = described;
  const numRows = columns[0]?.figures.numRows ?? 0;
  const equal = await equalRows(db);
  const most = mostEqual(rows.train + rows.validation + rows.test);
  return {
    split: equal.numRepeated === 0 ? split : withEqualRows(split, most, equal.numSeen > 0),
    label,
    ...described,
    hints: [
      ...timeHints(columns, time, numRows),
      ...fewHints(rows),
      ...classHints(described.classRows, split),
      ...equalHints(equal, split, rows, time),
    ],
  };
}

async function cutByTime(db: Database, figures: ColumnFigures, condition: string | null): Promise<SplitChoice> {
  const { name, kind, numRows, times } = figures;
  const sql = columnSql(name);
  const quantiles = numRows <= EXACT_ROWS ? "quantile_disc" : "approx_quantile";
  const isNumber = kind === "number";
  const ordered = isNumber ? `cast(${sql} as double)` : `epoch(cast(${sql} as timestamp))`;
  const [[cuts] = []] = await db.rows(
    `select ${quantiles}(${ordered}, [0.8, 0.9]) from source_rows where ${sql} is not null and (${condition ?? "true"})`,
  );
  const [first = 0, second = 0] = Array.isArray(cuts) ? cuts.map(Number) : [];
  const literalOf = (cut: number) =>
    isNumber
      ? numberSql(cut, 15)
      : literal(roundedTime(new Date(Math.ceil(cut) * 1000).toISOString().replace("T", " "), times?.spanDays ?? 0));
  return timeSplit(sql, literalOf(first), literalOf(second), condition);
}

async function countSplits(
  db: Database,
  { kind, split }: SplitChoice,
  { columns, features, label, time }: SplitFor,
): Promise<Pick<DescribedSplit, "rows" | "classRows">> {
  const of = (wanted: Feature["kind"]) =>
    Object.fromEntries(features.filter((one) => one.kind === wanted).map(({ name, sql }) => [name, sql]));
  const parts = partsOf({
    source: "",
    label: label.sql,
    categorical: of("categorical"),
    numeric: of("numeric"),
    labelMeans: of("labelMeans"),
    split,
  });
  const names = columns.map(({ figures }) => figures.name);
  // Features of the time column do not count when rows are compared.
  const ofTime = new Set(
    columns.filter(({ figures }) => figures === time).flatMap((one) => one.features.map(({ sql }) => sql)),
  );
  await checkExpressions(db, parts.ofRowSplit, names);
  const basis = {
    columns: names,
    features: featureParts(parts)
      .filter(({ expression }) => !ofTime.has(expression))
      .map(({ sql }) => sql),
    label: parts.label.sql,
  };
  if ("kind" in split) await makeRowSplits(db, split, basis);
  else await predicateSplits(db, parts, basis);
  const code = (name: SplitName) => `count(*) filter (${splitColumn} = ${splitCodes[name]})`;
  const values = label.classes.map(({ value }) => value);
  const value = values.length === 0 ? "null" : classIndexSql(enclosed(label.sql), values);
  const found = await db.rows(`select value, ${splitNames.map(code).join(", ")}
    from (select ${value} as value from source_rows) positional join row_splits where ${splitColumn} is not null group by 1`);
  const rowsAt = (counts: readonly unknown[] = []): Rows => ({
    train: Number(counts[1] ?? 0),
    validation: Number(counts[2] ?? 0),
    test: Number(counts[3] ?? 0),
  });
  const classRows = values.map((name, k) => ({
    value: name,
    ...rowsAt(found.find(([at]) => at !== null && Number(at) === k)),
  }));
  const sum = (name: SplitName) => found.reduce((total, one) => total + rowsAt(one)[name], 0);
  const rows = { train: sum("train"), validation: sum("validation"), test: sum("test") };
  const empty = splitNames.find((name) => rows[name] === 0);
  if (empty === undefined) return { rows, classRows };
  const cure =
    kind === "time"
      ? "The time has too few different values to cut at 80 % and 90 % of the rows; leave --time out, or name a finer column."
      : "There are too few rows; add data.";
  throw new DataError(
    `data: every split needs rows, and ${empty} has none (train ${count(rows.train)}, validation ${count(rows.validation)}, test ${count(rows.test)}). ${cure}`,
  );
}

/** A label less the classes that no training row has. Throws {@link DataError} where fewer than two remain. */
function learnable(
  label: LabelDescription,
  classRows: DescribedSplit["classRows"],
  { kind }: SplitChoice,
): LabelDescription {
  const missing = classRows.filter(({ train }) => train === 0);
  if (missing.length === 0) return label;
  const names = missing.map(({ value }) => JSON.stringify(value));
  if (label.classes.length - missing.length < 2) {
    throw new DataError(
      `data: training needs rows of two classes, and has none of ${firstNames(names)}. ${kind === "rows" ? "Add data" : "Split otherwise (--time, --group-by), or add data"}.`,
    );
  }
  const numRows = missing.reduce((sum, { validation, test }) => sum + validation + test, 0);
  const isLearned = `${labelTextSql(enclosed(label.sql))} not in (${missing.map(({ value }) => literal(value)).join(", ")})`;
  const text = `no training row is of ${firstNames(names)}: ${count(numRows)} rows of validation and test are left out`;
  return {
    ...label,
    classes: label.classes.filter(({ value }) => missing.every((one) => one.value !== value)),
    condition: label.condition === null ? isLearned : `${label.condition} and ${isLearned}`,
    hints: [...label.hints, { kind: "left-out", text }],
  };
}

function timeHints(columns: readonly ColumnDescription[], time: ColumnFigures | null, numRows: number): Hint[] {
  if (time !== null) {
    const missing = numRows - (time.times?.count ?? numPresent(time));
    if (missing === 0) return [];
    return [{ kind: "left-out", text: `${count(missing)} rows have no ${time.name} and are left out of all splits` }];
  }
  const first = columns.find(({ role, figures }) => role === "time" && figures.times !== null);
  if (first === undefined) return [];
  const { name } = first.figures;
  return [
    {
      kind: "time",
      text: `the rows have a time, ${name}: to train on the past and be scored on what came later, which is what a model in use meets, add --time ${argument(name)}`,
    },
  ];
}

function fewHints({ train, validation, test }: Rows): Hint[] {
  if (Math.min(validation, test) >= 200) return [];
  const text = `${count(train)} rows to train, ${count(validation)} to validate and ${count(test)} to test are few: a difference in the second digit of a score may be chance`;
  return [{ kind: "few-rows", text }];
}

/** Classes that validation or test lacks. */
function classHints(classRows: DescribedSplit["classRows"], { kind }: SplitChoice): Hint[] {
  return (["validation", "test"] as const).flatMap((name) => {
    const missing = classRows.filter((one) => one[name] === 0);
    if (missing.length === 0) return [];
    const names = firstNames(missing.map(({ value }) => JSON.stringify(value)));
    const why = kind === "rows" ? `a class of fewer than ${UNITS_FOR_ALL} rows trains` : "the split parts them so";
    return [
      { kind: "few-rows" as const, text: `${name} has no row of ${names} (${why}): its figures say nothing of them` },
    ];
  });
}

interface EqualRows {
  /** Rows that are equal to an earlier one in all features. */
  readonly numRepeated: number;
  /** Rows of validation and test that are equal to a training row. */
  readonly numSeen: number;
  /** Different combinations of features. */
  readonly numDifferent: number;
}

async function equalRows(db: Database): Promise<EqualRows> {
  const of = (...names: readonly SplitName[]) =>
    `count(*) filter (${splitColumn} in (${names.map((name) => splitCodes[name]).join(", ")}))`;
  const [found = []] = await db.rows(`select sum(n - 1), coalesce(sum(later) filter (trained > 0), 0), count(*)
    from (select count(*) as n, ${of("train")} as trained, ${of("validation", "test")} as later
      from row_splits where ${splitColumn} is not null group by ${equalColumn})`);
  const [numRepeated = 0, numSeen = 0, numDifferent = 0] = found.map(Number);
  return { numRepeated, numSeen, numDifferent };
}

function equalHints(
  { numRepeated, numSeen, numDifferent }: EqualRows,
  { kind }: SplitChoice,
  rows: Rows,
  time: ColumnFigures | null,
): Hint[] {
  const features = time === null ? "all features" : `all features but those of ${time.name}`;
  if (numRepeated === 0) return [];
  if (numSeen === 0) {
    const text = `${count(numRepeated)} rows repeat an earlier one in ${features}; such rows are in one split, so none is trained on and scored too`;
    return [{ kind: "duplicates", text }];
  }
  const numLater = rows.validation + rows.test;
  const seen = `${count(numSeen)} rows of validation and test (${percent(numSeen / numLater)}) equal a training row in ${features}`;
  if (kind === "rows") {
    const text = `${seen}: what many rows have in common is split row by row; where one case has several rows, name its column with --group-by`;
    return [{ kind: "duplicates", text }];
  }
  // Where features are so few that most rows are equal anyway, equal rows are not remarkable.
  const isStrange = numDifferent > (rows.train + numLater) / 2 && numSeen > numLater / 100;
  return isStrange ? [{ kind: "duplicates", text: `${seen}: scores on them are partly memory` }] : [];
}
