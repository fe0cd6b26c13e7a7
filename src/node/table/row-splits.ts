/** Assigns each row of a source to a split, by rank: the table `row_splits`, in the order of the source. */
import {
  foldPlacing,
  mostEqual,
  type Placing,
  placing,
  quotasOf,
  type RowSplit,
  type Stratum,
  UNITS_FOR_ALL,
} from "../../data/split.js";
import { enclosed, identifier } from "../../data/sql.js";
import { DataError } from "../../errors.js";
import { count } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";
import { chunksOf } from "./per-column.js";
import { codeOf, type Parts, splitColumn } from "./table-query.js";

/** The basis of a split of rows, as SQL over a row. */
export interface SplitBasis {
  /** The columns of the source, by which rows are told apart. */
  readonly columns: readonly string[];
  /** The features of a row. */
  readonly features: readonly string[];
  readonly label: string;
}

/** The column of `row_splits` that has the same number for rows whose features are equal. */
export const equalColumn = identifier("codistill equal");

/**
 * Make the table `row_splits`, with a row for each of `source_rows` in their order: {@link splitColumn}, 0 for
 * training, 1 for validation, 2 for test, null for none; and {@link equalColumn}.
 *
 * Rows are ranked by the MD5 of their values, so that neither the order of the rows nor the version of DuckDB changes a
 * rank. Equal rows are numbered and ranked one by one, unless they stay together.
 *
 * Throws {@link DataError} when there are too few rows, or values to group by, for three splits, or for the folds.
 */
export async function makeRowSplits(db: Database, split: RowSplit, basis: SplitBasis): Promise<void> {
  const { seed, where, groupBy, stratify, fold } = split;
  const equal = hashedFeatures(seed, basis.features);
  await db.run(`create or replace table split_rows as select row_number() over () as id,
    ${where === undefined ? "true" : `coalesce(cast(${enclosed(where)} as boolean), false)`} as wanted,
    ${hashed(seed, basis.columns.map(identifier))} as own, ${equal.sql} as equal,
    ${groupBy === undefined ? "null" : `case when ${enclosed(groupBy)} is not null then ${hashed(seed, [enclosed(groupBy)])} end`} as grouped,
    ${stratify ? `coalesce(cast(${enclosed(basis.label)} as varchar), '')` : "''"} as class
    from ${equal.from}`);
  await makeUnits(db, split);
  const strata = await strataOf(db);
  const units = strata.reduce((sum, one) => sum + one.units, 0);
  if (units < UNITS_FOR_ALL) throw tooFew(`three splits need at least ${UNITS_FOR_ALL}`, units, groupBy);
  if (fold && units < fold.of) throw tooFew(`${fold.of} folds need at least as many`, units, groupBy);
  // Where every class has too few rows for three splits, they share the quotas of one.
  const isSplit = strata.some((one) => one.units >= UNITS_FOR_ALL);
  const placed = isSplit ? strata : [joined(strata)];
  const quotas = quotasOf(placed, split.shares);
  await placeUnits(db, fold ? foldPlacing(placed, quotas, fold) : placing(quotas), isSplit);
  await db.run(`create or replace table row_splits as
    with held as (select key, code from units positional join unit_codes where code > 0)
    select cast(case when key is not null then coalesce(code, 0) end as integer) as ${splitColumn}, equal as ${equalColumn}
    from unit_rows left join held using (key) order by id`);
  for (const table of ["unit_rows", "units", "unit_codes"]) await db.run(`drop table ${table}`);
}

/** Make the table `row_splits` for a split by predicates, without ranks. */
export async function predicateSplits(db: Database, parts: Parts, { features }: SplitBasis): Promise<void> {
  const equal = hashedFeatures(0, features);
  await db.run(`create or replace table row_splits as
    select ${codeOf(parts)} as ${splitColumn}, ${equal.sql} as ${equalColumn} from ${equal.from}`);
}

function tooFew(rule: string, units: number, groupBy: string | undefined): DataError {
  const [what, cure] =
    groupBy === undefined
      ? ["rows", "Add data."]
      : [`different values of ${groupBy}`, "Add data, or group by something finer (--group-by, data.split.groupBy)."];
  return new DataError(`data: ${rule} ${what}, and there are ${count(units)}. ${cure}`);
}

/**
 * The MD5 of values as a number of 64 bits. Values are joined by the unit separator, and a null has a mark that no text
 * is.
 */
function hashed(seed: number, values: readonly string[]): string {
  return hashedTexts(seed, values.map(textOf));
}

/**
 * The hash of features, and the table over which its SQL is. For many features, the table has further columns with
 * joined texts, as DuckDB plans a statement in time that grows with the square of the expressions in it.
 */
function hashedFeatures(seed: number, features: readonly string[]): { readonly sql: string; readonly from: string } {
  const texts = features.map(textOf);
  if (texts.length <= TEXTS_BESIDE) return { sql: hashedTexts(seed, texts), from: "source_rows" };
  const joins = chunksOf(texts, TEXTS_BESIDE).map((some) => `concat_ws(chr(31), ${some.join(", ")})`);
  const nameOf = (i: number) => identifier(`codistill texts ${i}`);
  return {
    sql: hashedTexts(
      seed,
      joins.map((_, i) => nameOf(i)),
    ),
    from: joins.reduce((from, join, i) => `(select *, ${join} as ${nameOf(i)} from ${from})`, "source_rows"),
  };
}

const TEXTS_BESIDE = 256;

function textOf(value: string): string {
  return `coalesce(cast(${value} as varchar), chr(30))`;
}

function hashedTexts(seed: number, texts: readonly string[]): string {
  return `md5_number_lower(concat_ws(chr(31), ${[`'${seed}'`, ...texts].join(", ")}))`;
}

/**
 * The tables `unit_rows`, with the key of the unit of each row, and `units`, by stratum (the rarest class of its rows first)
 * and key.
 */
async function makeUnits(db: Database, { groupBy, keepEqual }: RowSplit): Promise<void> {
  const [[numRows] = []] = await db.rows("select count(*) from split_rows where wanted");
  const together = groupBy !== undefined ? "grouped" : keepEqual ? "equal" : "null";
  const most = groupBy === undefined ? mostEqual(Number(numRows)) : Number.MAX_SAFE_INTEGER;
  await db.run(`create or replace table unit_rows as
    with wanted_rows as (select id, own, class, cast(${together} as ubigint) as shared from split_rows where wanted),
    together as (select shared from wanted_rows group by shared having count(*) between 2 and ${most}),
    alone as (select id, own from wanted_rows anti join together using (shared)),
    numbered as (select id, row_number() over (partition by own order by id) as copy
      from alone semi join (select own from alone group by own having count(*) > 1) using (own)),
    classes as (select class, row_number() over (order by count(*), class) - 1 as stratum from wanted_rows group by class)
    select id, equal, stratum, case when not wanted then null when together.shared is not null then together.shared
      when copy > 1 then md5_number_lower(own || '/' || copy) else own end as key
    from split_rows left join together on ${together} = together.shared left join numbered using (id) left join classes using (class)`);
  await db.run("drop table split_rows");
  await db.run(`create or replace table units as
    select key, cast(count(*) as double) as size, cast(min(stratum) as double) as stratum from unit_rows
    where key is not null group by key order by stratum, key`);
}

/** The strata in their order. */
async function strataOf(db: Database): Promise<Stratum[]> {
  const found = await db.rows(
    "select sum(size), count(*), list_extract(min(size, 2), -1), max(stratum) from units group by stratum order by stratum",
  );
  const strata: Stratum[] = [];
  for (const [rows, units, second, at] of found) {
    while (strata.length < Number(at)) strata.push({ rows: 0, units: 0, second: 0 });
    strata.push({ rows: Number(rows), units: Number(units), second: Number(second) });
  }
  return strata;
}

function joined(strata: readonly Stratum[]): Stratum {
  const sum = (of: (one: Stratum) => number) => strata.reduce((total, one) => total + of(one), 0);
  return {
    rows: sum(({ rows }) => rows),
    units: sum(({ units }) => units),
    second: Math.max(...strata.map((one) => one.second)),
  };
}

/**
 * Make the table `unit_codes` with the split of each unit, in the order of `units`; it ends when all other units train.
 */
async function placeUnits(db: Database, { place, isFull }: Placing, isSplit: boolean): Promise<void> {
  await db.run("create or replace table unit_codes (code float)");
  const query = "select size, stratum, (key % 1048573) / 1048573.0 from units";
  for await (const [sizes = [], strata = [], coins = []] of db.columns(query, ["number", "number", "number"])) {
    if (isFull()) return;
    const codes = Float32Array.from(sizes as Float64Array, (size, i) =>
      place(isSplit ? Number(strata[i]) : 0, size, Number(coins[i])),
    );
    await db.append("unit_codes", [codes]);
  }
}
