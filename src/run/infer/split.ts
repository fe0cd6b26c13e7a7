/** Which rows train, which choose the best checkpoint and which are scored once at the end, as predicates. */

/** Predicates of a configuration, and what they need. */
export interface SplitChoice {
  readonly kind: "hash" | "time";
  readonly reason: string;
  /** A number from 0 to 99 by which the predicates of a hash split go; the same for rows that are the same. */
  readonly bucket: string | null;
  readonly predicates: Readonly<Record<SplitName, Predicate>>;
}

export type SplitName = "train" | "validation" | "test";

/** A predicate in two parts: after the bucket where there is one, and what holds besides. */
export interface Predicate {
  readonly core: string;
  readonly condition: string | null;
}

/** Columns that a bucket is made of at most: enough to tell rows apart, and still an expression. */
const BUCKET_COLUMNS = 40;

/**
 * 80 / 10 / 10 by a hash of the values of some columns, so that rows which are equal in all of them are in one split.
 * MD5, because what a row is must not change with the version of DuckDB.
 */
export function hashSplit(columns: readonly string[], condition: string | null): SplitChoice {
  const text = `concat_ws('|', ${columns.slice(0, BUCKET_COLUMNS).join(", ")})`;
  return {
    kind: "hash",
    reason: "80 / 10 / 10 by a hash of the row, so equal rows stay together",
    bucket: `md5_number_lower(${text}) % 100`,
    predicates: {
      train: { core: "< 80", condition },
      validation: { core: "between 80 and 89", condition },
      test: { core: ">= 90", condition },
    },
  };
}

/** By time: what is later than `first` validates, what is later than `second` tests, both of them literals of SQL. */
export function timeSplit(sql: string, first: string, second: string, condition: string | null): SplitChoice {
  return {
    kind: "time",
    reason: `by time: validation from ${plain(first)}, test from ${plain(second)}`,
    bucket: null,
    predicates: {
      train: { core: `${sql} < ${first}`, condition },
      validation: { core: `${sql} >= ${first} and ${sql} < ${second}`, condition },
      test: { core: `${sql} >= ${second}`, condition },
    },
  };
}

/** A predicate as SQL. */
export function predicateSql({ bucket }: Pick<SplitChoice, "bucket">, { core, condition }: Predicate): string {
  return `${bucket === null ? "" : `${bucket} `}${core}${condition === null ? "" : ` and ${condition}`}`;
}

/** A cut at midnight where the span has many days, else to the second. */
export function roundedTime(time: string, spanDays: number): string {
  return spanDays >= 20 ? time.slice(0, 10) : time.slice(0, 19);
}

function plain(literal: string): string {
  return literal.replaceAll("'", "");
}
