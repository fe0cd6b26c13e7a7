/** SQL that people read in a configuration: no quotes and no parentheses that it does not need. */
import { enclosed, identifier } from "../data/sql.js";

/** Words that DuckDB does not take for the name of a column without quotes; a test checks them with DuckDB. */
const KEYWORDS = new Set(
  (
    "all analyse analyze and anti any array as asc asof asymmetric at authorization between bigint binary bit boolean " +
    "both by case cast char character check coalesce collate collation column columns concurrently constraint create " +
    "cross dec decimal default deferrable desc describe distinct do else end except exists extract false fetch float " +
    "for foreign freeze from full generated glob group grouping grouping_id having ilike in initially inner inout int " +
    "integer intersect interval into is isnull join lambda lateral leading left like limit map national natural nchar " +
    "none not notnull null nullif numeric offset on only or order out outer overlaps overlay pivot pivot_longer " +
    "pivot_wider placing position positional precision primary qualify real references returning right row select semi " +
    "setof show similar smallint some struct substring summarize symmetric table tablesample then time timestamp to " +
    "trailing treat trim true try_cast union unique unpack unpivot using values varchar variadic verbose when where " +
    "window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot " +
    "xmlserialize xmltable"
  ).split(" "),
);

/** A column's name as people write it: in quotes only where it needs them. */
export function columnSql(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) && !KEYWORDS.has(name.toLowerCase()) ? name : identifier(name);
}

/** A number as a literal of at most so many digits; a negative one in parentheses. */
export function numberSql(value: number, digits = 6): string {
  const text = String(Number(value.toPrecision(digits)));
  return value < 0 ? `(${text})` : text;
}

/** A user's expression in parentheses, the closing one on its own line where the expression may end in a comment. */
export function whole(sql: string): string {
  return sql.includes("--") ? enclosed(sql) : `(${sql})`;
}

/** An expression as an operand of any operator: in parentheses where it needs them. */
export function inner(sql: string): string {
  return /^("([^"]|"")*"|[a-z_][a-z0-9_]*(\([^()]*\))?)$/i.test(sql) ? sql : `(${sql})`;
}
