/** Names and values of a user's table as SQL. */

/** Words that DuckDB does not take for the name of a column without quotes; a test has DuckDB say so. */
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
  return /^[a-z_][a-z0-9_]*$/i.test(name) && !KEYWORDS.has(name.toLowerCase())
    ? name
    : `"${name.replaceAll('"', '""')}"`;
}

/** A text as a literal. */
export function textSql(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A number as a literal of at most so many digits; a negative one in parentheses. */
export function numberSql(value: number, digits = 6): string {
  const text = String(Number(value.toPrecision(digits)));
  return value < 0 ? `(${text})` : text;
}

/** An expression that may stand beside any operator. */
export function inner(sql: string): string {
  return /^("([^"]|"")*"|[a-z_][a-z0-9_]*(\([^()]*\))?)$/i.test(sql) ? sql : `(${sql})`;
}

/** Names of features made of names of columns: of letters, digits, "_" and "-", each once, and none that is taken. */
export function featureNames(taken: readonly string[]): (wanted: string) => string {
  // A map would be asked for names as "constructor" too; a set of folded names is not.
  const used = new Set(taken.map((name) => name.toLowerCase()));
  return (wanted) => {
    const plain =
      wanted
        .normalize("NFKD")
        .replace(/[^A-Za-z0-9_-]+/g, "_")
        .replace(/^_+(?=.)|(?<=.)_+$/g, "") || "column";
    const base = /^[-_]*$/.test(plain) ? "column" : plain;
    for (let number = 1; ; number++) {
      const name = number === 1 ? base : `${base}_${number}`;
      if (used.has(name.toLowerCase())) continue;
      used.add(name.toLowerCase());
      return name;
    }
  };
}
