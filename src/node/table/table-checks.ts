/** Checks of a spec and its data before anything is written; errors give the rule and the cure. */
import { DataError, messageOf } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { firstNames } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";
import { aggregatesOf, askSome } from "./per-column.js";
import { checkWeights } from "./row-weights.js";
import type { SizedColumn } from "./shifts.js";
import type { LabelRules } from "./table-labels.js";
import { inTwoSplits, listed, type Part, type Parts, rows, splitCodes, unassigned } from "./table-query.js";

/**
 * Throws {@link DataError} for a source without rows. Its columns have no types, so that messages of later checks would
 * mislead.
 */
export async function checkNotEmpty(db: Database): Promise<void> {
  const [first] = await db.rows("select 1 from source_rows limit 1");
  if (first === undefined) throw new DataError("data: the source has no rows. Check that its files are complete.");
}

/**
 * Bind expressions against the source's columns, on no rows.
 * Throws {@link DataError} with the feature, the expression, DuckDB's message and the columns there are.
 */
export async function checkExpressions(
  db: Database,
  parts: readonly Part[],
  columns: readonly string[],
): Promise<void> {
  await askSome(parts, async (some) => {
    try {
      // In a condition, DuckDB refuses expressions over other rows: aggregates and window functions.
      await db.run(`select 1 from source_shape where ${some.map(({ sql }) => `(${sql}) is null`).join(" or ")}`);
    } catch (error) {
      throw expressionError("does not compile", some[0] as Part, error, columns);
    }
  });
}

/**
 * The error for a failed statement over all rows: it names the expression that fails, or says that the files cannot be
 * read.
 */
export async function explained(
  error: unknown,
  db: Database,
  parts: Parts,
  columns: readonly string[],
): Promise<DataError> {
  try {
    await db.run("select max(hash(source_rows)) from source_rows");
  } catch (unreadable) {
    return new DataError(`data: the source cannot be read to its end. DuckDB: ${brief(unreadable)}`, {
      cause: unreadable,
    });
  }
  for (const part of listed(parts)) {
    try {
      await db.run(`select count(${part.sql}) from source_rows`);
    } catch (failure) {
      return expressionError("fails on a row", part, failure, columns);
    }
  }
  return new DataError(`table: the features could not be computed. DuckDB: ${brief(error)}`, { cause: error });
}

/**
 * Look at the finished `examples` table. Throws {@link DataError} for rows in two splits, splits without rows, labels that
 * are null or break their rules, weights that are none, and infinite numeric values. Gives the numeric columns with the sizes of their values.
 */
export async function checkExamples(db: Database, parts: Parts, labels: LabelRules): Promise<readonly SizedColumn[]> {
  const counted = await db.rows("select split, count(*), count(*) filter (label is null) from examples group by split");
  const counts = counted.map((row) => row.map(Number));
  const total = (column: number) => counts.reduce((sum, row) => sum + (row[column] ?? 0), 0);
  const ofSplit = (code: number) => counts.find((row) => row[0] === code) ?? [];

  const [, numInTwo = 0] = ofSplit(inTwoSplits);
  if (numInTwo > 0) {
    throw new DataError(
      `table: a row belongs to one split at most, and ${rows(numInTwo)} match two of the predicates of \`split\`. Make them exclude one another.`,
    );
  }
  await checkSplits(db, parts, (code) => ofSplit(code)[1] ?? 0);
  await labels.check(db, parts);
  if (total(2) > 0) {
    const { expression } = parts.label;
    throw new DataError(
      `table: every row of a split has a label, and it is null in ${rows(total(2))}: ${expression}. Leave these rows out of the splits, or give them a label with coalesce(...).`,
    );
  }
  await labels.checkTraining(db, parts);
  if (parts.weight !== null) {
    const leaveOut = "by split.where, or by the predicates of split";
    await checkWeights(db, { from: "examples", expression: parts.weight.expression, leaveOut });
  }
  const sizes = await aggregatesOf(
    db,
    parts.numeric.map((_, i) => ({ type: "DOUBLE", sql: `n${i}` })),
    {
      aggregates: (value) => [`count(*) filter (isinf(${value}))`, `max(abs(${value})) filter (isfinite(${value}))`],
      from: "examples",
      numRows: total(1),
    },
  );
  return parts.numeric.map(({ role, expression }, i) => {
    const [numInfinite = 0, largest = 0] = (sizes[i] ?? []).map((size) => Number(size ?? 0));
    if (numInfinite === 0) return { what: `${role} (${expression})`, sql: `n${i}`, largest };
    throw new DataError(
      `table: a numeric value is finite or missing, and ${role} is infinite in ${rows(numInfinite)}: ${expression}. Turn the case into a missing value, for example with nullif(divisor, 0).`,
    );
  });
}

async function checkSplits(db: Database, parts: Parts, countOf: (code: number) => number): Promise<void> {
  for (const name of ["train", "validation", "test"] as const) {
    if (countOf(splitCodes[name]) > 0) continue;
    const [[numSource] = []] = await db.rows("select count(*) from source_rows");
    if (name === "train" && countOf(unassigned) > 0) {
      throw new DataError(
        `table: every training row belongs to the first group whose filter holds, and none of the ${rows(countOf(unassigned))} matches any: ${parts.filters.map(({ expression }) => expression).join("; ")}`,
      );
    }
    const which = parts.splits?.[name];
    throw new DataError(
      which
        ? `table: every split needs rows, and none of the ${rows(Number(numSource))} of the source matches ${which.role}: ${which.expression}`
        : `table: every split needs rows, and of the ${rows(Number(numSource))} of the source ${name} has none. Lower or raise split.shares, look at split.where and split.groupBy, or add data.`,
    );
  }
}

function expressionError(what: string, part: Part, error: unknown, columns: readonly string[]): DataError {
  const unknown = /column "([^"]+)" not found/.exec(messageOf(error))?.[1];
  // A misspelt name of several words is no SQL at all.
  const meant = unknown ?? (/^[\p{L}\p{N} _-]+$/u.test(part.expression) ? part.expression : undefined);
  const near = meant === undefined ? undefined : nearest(meant, columns);
  const lines = [
    `table: ${part.role} ${what}: ${part.expression}`,
    `DuckDB: ${brief(error)}`,
    `Columns of the source: ${firstNames(columns, 60)}`,
    ...(near === undefined ? [] : [`Did you mean ${near}?`]),
  ];
  return new DataError(lines.join("\n  "), { cause: error });
}

/** DuckDB's message without the excerpt of our SQL and its lists of candidates. */
function brief(error: unknown): string {
  const message =
    messageOf(error)
      .split("\n\n")[0]
      ?.split(/\n\s*Candidate/)[0] ?? "";
  return message.startsWith("Binder Error: WHERE clause cannot contain")
    ? `${message} (An expression looks at one row only; compute such a column into the source first.)`.replace(
        "WHERE clause",
        "an expression",
      )
    : message.replaceAll("source_shape", "the source").replaceAll("source_rows", "the source");
}
