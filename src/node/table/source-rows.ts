/** The rows of a source's files in a database: how their text is read is decided once, and then every value has its type. */
import { DataError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { type Census, numValues } from "../../reading/census.js";
import { type DecideContext, type Decision, decideReadings, mayBeUnread, wantShapes } from "../../reading/decide.js";
import { disagreements, unreadNote } from "../../reading/disagreements.js";
import { givenFormats } from "../../reading/given.js";
import { columnFinder, columnNamed, type NamedColumn } from "../../reading/names.js";
import { hasOrder, isOrderOpen, openOrderNote } from "../../reading/open-order.js";
import { type DateSpan, type GivenReading, type Reading, typeOf } from "../../reading/reading.js";
import { valueSql } from "../../reading/sql.js";
import { firstNames } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";
import { dateSpan, datesInBothOrders } from "./date-orders.js";
import { COLUMNS_BESIDE, computedQuery } from "./per-column.js";
import { takeCensus, type Unread, unreadIn } from "./text-census.js";
import type { OpenFiles } from "./text-files.js";
import { nameTexts, type TextKnown } from "./text-rows.js";
import { nameTyped } from "./typed-rows.js";

/** A column of the source; `header` is its name in the files where SQL has it under another. */
export interface SourceColumn extends NamedColumn {
  /** Its type in DuckDB. */
  readonly type: string;
}

/** What is known of a source before it is read. */
export interface SourceKnown extends Omit<TextKnown, "delimiter"> {
  readonly reading?: GivenReading | undefined;
  /** The types that roles given by the user demand of columns, once their names are known. */
  readonly wanted?: ((columns: readonly NamedColumn[]) => DecideContext["wanted"]) | undefined;
  /** A column that stays text where some of its values cannot be read, so that these can be shown. */
  readonly label?: string | undefined;
  /**
   * The dates of a model's training in columns whose order of day and month training decided and nobody gave, by the
   * name of the column; null where the model does not say them.
   */
  readonly spans?: ReadonlyMap<string, DateSpan | null> | undefined;
}

export interface ReadSource {
  readonly columns: readonly SourceColumn[];
  readonly numRows: number;
  /** Lines that were left out. */
  readonly numMalformed: number;
  readonly reading: Reading;
  /** How each column of text is read. */
  readonly decisions: readonly Decision[];
  /**
   * Text that the reading of its column cannot read, by column; `of` is the number of all values of the column, and
   * `disagreements` are the notes on what its values prove against the reading.
   */
  readonly unread: readonly (Unread & { readonly of: number; readonly disagreements: readonly string[] })[];
  /** Notes on how columns were read, and on how to choose otherwise. */
  readonly notes: readonly string[];
}

/**
 * Make the rows `source_rows`; also `source_shape`, which has their columns and no rows, and `source_text`, in which
 * text is as it was written. Text files are read into a table once; Parquet is read in place.
 *
 * Throws {@link DataError} when the files cannot be read, or have more malformed lines than may be left out.
 */
export async function readSource(db: Database, open: OpenFiles, known: SourceKnown = {}): Promise<ReadSource> {
  const { reading: given = {} } = known;
  const isText = open.format === "csv" || open.format === "tsv";
  const texts = isText
    ? await nameTexts(db, open, { ...known, delimiter: given.delimiter })
    : await nameTyped(db, open);
  const { numRows, numMalformed, delimiter } = texts;
  const nulls = given.nullValues === undefined ? {} : { nullValues: given.nullValues };
  const text = texts.columns.filter(({ type }) => type === "VARCHAR");
  const context: DecideContext = {
    delimiter,
    ...(given.decimal && { decimal: given.decimal }),
    columns: givenColumns(given.columns ?? {}, texts.columns, known.named !== undefined),
    formats: givenFormats(given.dateFormats ?? [], texts.columns),
    wanted: known.wanted?.(texts.columns),
  };
  const rows = { table: "source_text", numRows };
  const censuses = await takeCensus(db, text, rows, nulls, (all) => wantShapes(all, context));
  const decisions = decideReadings(censuses, context);
  const doubtful = decisions.filter((decision, i) => mayBeUnread(decision, censuses[i] as Census));
  const label = known.label === undefined ? null : columnNamed(known.label, texts.columns);
  const isLabel = (name: string) => label !== null && label !== "several" && label.name === name;
  const all = await unreadIn(db, doubtful, rows, nulls);
  const unread = all.filter(({ name }) => !isLabel(name));
  const readingOf = new Map(
    decisions.map(({ name, reading }) => {
      const isOdd = isLabel(name) && all.length > unread.length;
      return [name, isOdd ? ({ as: "text" } as const) : reading];
    }),
  );
  const computed = texts.columns.map(({ name }) => {
    const reading = readingOf.get(name);
    return { name, compute: (value: string) => (reading ? valueSql(value, reading, nulls) : value) };
  });
  const columns = texts.columns.map(({ name, header, type }): SourceColumn => {
    const reading = readingOf.get(name);
    return { name, type: reading ? typeOf(reading) : type, ...(header !== undefined && { header }) };
  });
  // A view would compute each column anew in every statement that reads it, and a list for each of its columns.
  const kind = open.format === "parquet" && readingOf.size <= COLUMNS_BESIDE ? "view" : "table";
  await db.run(`create or replace ${kind} source_rows as ${computedQuery(computed, "source_text")}`);
  await db.run("create or replace table source_shape as select * from source_rows limit 0");
  const valuesOf = (name: string) => censuses.reduce((sum, one) => sum + (one.name === name ? numValues(one) : 0), 0);
  const disagreeing = new Map(
    censuses.map((census) => [census.name, disagreements(census, context.columns?.[census.name])] as const),
  );
  const notes = [
    ...texts.notes,
    ...decisions.flatMap((decision) => decision.notes),
    ...[...disagreeing.values()].flat(),
    ...(await openOrders(db, censuses, context, known.spans ?? new Map(), nulls)),
    ...unread.map((one) => unreadNote(one, readingOf.get(one.name))),
  ];
  // What a model is to know of its training; a model that reads other files needs no such spans of them.
  const spans = new Map<string, DateSpan>();
  for (const { name, reading } of known.named === undefined ? decisions : []) {
    const span = hasOrder(reading) && (await dateSpan(db, name, "source_rows"));
    if (span) spans.set(name, span);
  }
  return {
    columns,
    numRows,
    numMalformed,
    reading: {
      ...(given.encoding !== undefined && { encoding: given.encoding }),
      ...(given.delimiter !== undefined && { delimiter: given.delimiter }),
      ...nulls,
      columns: columns.flatMap(({ name, header }) => {
        const [reading, span] = [readingOf.get(name), spans.get(name)];
        return reading ? [{ name, ...(header !== undefined && { header }), reading, ...(span && { span }) }] : [];
      }),
    },
    decisions,
    unread: unread.map((one) => ({
      ...one,
      of: valuesOf(one.name),
      disagreements: disagreeing.get(one.name) ?? [],
    })),
    notes,
  };
}

/** Notes on columns whose dates could be read in two ways, and which nobody said how to read. */
async function openOrders(
  db: Database,
  censuses: readonly Census[],
  { columns }: DecideContext,
  spans: ReadonlyMap<string, DateSpan | null>,
  nulls: Pick<Reading, "nullValues">,
): Promise<string[]> {
  const notes: string[] = [];
  for (const census of censuses.filter(({ name }) => spans.has(name))) {
    const { name } = census;
    const reading = columns?.[name];
    if (!hasOrder(reading) || !isOrderOpen(census)) continue;
    const dates = await datesInBothOrders(db, name, reading, nulls);
    const note = dates && openOrderNote(name, reading, dates, spans.get(name) ?? null);
    if (note !== null) notes.push(note);
  }
  return notes;
}

/**
 * Given readings by the names of columns in SQL. Throws {@link DataError} for a name that is not a column, unless the
 * readings are those of a model.
 */
function givenColumns(
  given: NonNullable<GivenReading["columns"]>,
  columns: readonly NamedColumn[],
  isOfModel: boolean,
): NonNullable<GivenReading["columns"]> {
  const find = columnFinder(columns);
  const found = Object.entries(given).flatMap(([wanted, reading]) => {
    const column = find(wanted);
    if (column !== null && column !== "several") return [[column.name, reading] as const];
    if (isOfModel) return [];
    const names = columns.map(({ name, header = name }) => header);
    const near = nearest(wanted, names);
    throw new DataError(
      `data.reading: must name columns of the files, which are ${firstNames(names)}, got ${wanted}${near === undefined ? "" : `. Did you mean ${near}?`}`,
    );
  });
  return Object.fromEntries(found);
}
