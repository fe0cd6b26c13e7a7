/** The split of a table: its predicates, how many rows each has, and which rows come twice. */
import { literal } from "../../../data/sql.js";
import { DataError } from "../../../errors.js";
import { count, percent } from "../../../report/format.js";
import { type ColumnDescription, type ColumnFigures, type Hint, numPresent } from "../../../run/infer/column.js";
import type { LabelDescription } from "../../../run/infer/label.js";
import { argument } from "../../../run/infer/roles.js";
import {
  hashSplit,
  predicateSql,
  roundedTime,
  type SplitChoice,
  type SplitName,
  timeSplit,
} from "../../../run/infer/split.js";
import { columnSql, numberSql } from "../../../run/infer/sql.js";
import type { Database } from "../../duckdb.js";

export interface RowSplit {
  readonly split: SplitChoice;
  readonly rows: Readonly<Record<SplitName, number>>;
  readonly hints: readonly Hint[];
}

/** Rows up to which a quantile of time is exact. */
const EXACT_ROWS = 5_000_000;
/** Rows up to which equal ones are counted. */
const COUNTED_ROWS = 100_000_000;

/**
 * By time where a column for it is named, else by hash. The hash is of all columns that are no identifiers, so that a row
 * which came twice with a new number is in one split only.
 *
 * Throws {@link DataError} when a split would have no rows.
 */
export async function splitRows(
  db: Database,
  columns: readonly ColumnDescription[],
  label: LabelDescription,
  time: ColumnFigures | null,
): Promise<RowSplit> {
  const named = columns.filter((one) => one.figures.kind !== "other");
  const telling = named.filter(({ isIdentifier }) => !isIdentifier);
  const content = (telling.length > 0 ? telling : named).map(({ figures }) => columnSql(figures.name));
  const split = time === null ? hashSplit(content, label.condition) : await cutByTime(db, time, label.condition);
  const rows = await countSplits(db, split);
  const numRows = columns[0]?.figures.numRows ?? 0;
  const hints = numRows > COUNTED_ROWS ? [] : await duplicateHints(db, split, content, time, rows);
  return { split, rows, hints: [...timeHints(columns, time, numRows), ...fewHints(rows), ...hints] };
}

async function cutByTime(db: Database, figures: ColumnFigures, condition: string | null): Promise<SplitChoice> {
  const { name, kind, numRows, times } = figures;
  const column = columnSql(name);
  const sql = kind === "text" ? `try_cast(${column} as timestamp)` : column;
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

async function countSplits(db: Database, split: SplitChoice): Promise<Readonly<Record<SplitName, number>>> {
  const of = (name: SplitName) => numOf(split, name);
  const [row = []] = await db.rows(`select ${of("train")}, ${of("validation")}, ${of("test")} from source_rows`);
  const [train = 0, validation = 0, test = 0] = row.map(Number);
  const rows = { train, validation, test };
  const empty = (["train", "validation", "test"] as const).find((name) => rows[name] === 0);
  if (empty !== undefined) {
    const cure =
      split.kind === "time"
        ? `The time has too few different values to cut at 80 % and 90 % of the rows; leave --time out, or name a finer column.`
        : "There are too few rows; add data.";
    throw new DataError(
      `data: every split needs rows, and ${empty} has none (train ${count(train)}, validation ${count(validation)}, test ${count(test)}). ${cure}`,
    );
  }
  return rows;
}

/** How many rows are of a split, as an aggregate. */
function numOf(split: SplitChoice, name: SplitName): string {
  return `count(*) filter (${predicateSql(split, split.predicates[name])})`;
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

function fewHints({ train, validation, test }: Readonly<Record<SplitName, number>>): Hint[] {
  if (Math.min(validation, test) >= 200) return [];
  const text = `${count(train)} rows to train, ${count(validation)} to validate and ${count(test)} to test are few: a difference in the second digit of a score may be chance`;
  return [{ kind: "few-rows", text }];
}

/** Rows that come twice, and, where a split by time parts them, how many of validation and test were trained on. */
async function duplicateHints(
  db: Database,
  split: SplitChoice,
  content: readonly string[],
  time: ColumnFigures | null,
  rows: Readonly<Record<SplitName, number>>,
): Promise<Hint[]> {
  const [[repeated] = []] = await db.rows(
    `select coalesce(sum(n - 1), 0) from (select count(*) as n from source_rows group by hash(${content.join(", ")}) having count(*) > 1)`,
  );
  const hints: Hint[] = [];
  if (Number(repeated) > 0) {
    const where = split.kind === "hash" ? "; equal rows are in one split, so none is trained on and scored too" : "";
    const text = `${count(Number(repeated))} rows repeat an earlier one in all columns but identifiers${where}`;
    hints.push({ kind: "duplicates", text });
  }
  const others = content.filter((column) => time === null || column !== columnSql(time.name));
  if (split.kind === "hash" || others.length === 0) return hints;
  const of = (name: SplitName) => numOf(split, name);
  const [[seen, different] = []] = await db.rows(`select coalesce(sum(later) filter (trained > 0), 0), count(*)
    from (select ${of("train")} as trained, ${of("validation")} + ${of("test")} as later
      from source_rows group by hash(${others.join(", ")}))`);
  const numLater = rows.validation + rows.test;
  // Where rows say so little that most are alike anyway, being equal is nothing strange.
  const isStrange = Number(different) > (rows.train + numLater) / 2;
  if (isStrange && Number(seen) > numLater / 100) {
    const text = `${count(Number(seen))} rows of validation and test (${percent(Number(seen) / numLater)}) equal a training row in all but ${time?.name} and identifiers: scores on them are partly memory`;
    hints.push({ kind: "duplicates", text });
  }
  return hints;
}
