/** The rows of Parquet and JSON, whose numbers have types: the view `source_text`, in which strings are text yet to be read. */
import { identifier, literal, patternOf } from "../../data/sql.js";
import { DataError, messageOf } from "../../errors.js";
import { kindOf } from "../../infer/column.js";
import { counted, firstNames } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";
import type { SourceFormat } from "../sources/source-files.js";
import type { OpenFiles, SourceText } from "./text-files.js";
import type { SourceTexts } from "./text-rows.js";

/** Types that DuckDB infers for strings of JSON, and for values of several types. */
const OF_STRINGS = /^(DATE|TIME|TIMESTAMP.*|UUID|JSON|VARCHAR)$/;
/** The files of JSON in which DuckDB looks for columns: all of them. */
const EVERY_FILE = 1_000_000;

/** Make the view `source_text`. Throws {@link DataError} for files that cannot be read in their format. */
export async function nameTyped(db: Database, { format, files, texts }: OpenFiles): Promise<SourceTexts> {
  const paths = texts.length > 0 ? texts.map(({ readable }) => readable) : files;
  const notes = texts.flatMap(({ path, notes: own }) => own.map((note) => `${path} ${note}`));
  try {
    const query = format === "parquet" ? parquetQuery(paths) : await jsonQuery(db, paths, texts[0]?.compression);
    const described = await db.rows(`describe ${query}`);
    const columns = described.map(([name, type]) => ({ name: String(name), type: String(type) }));
    const outputs = columns.map(({ name, type }) => finite(identifier(name), type));
    await db.run(`create or replace view source_text as select ${outputs.join(", ")} from (${query})`);
    const [[rows] = []] = await db.rows(`select count(*) from (${query})`);
    const missing =
      format !== "parquet"
        ? []
        : await missingNotes(
            db,
            paths,
            columns.map(({ name }) => name),
          );
    return {
      columns,
      numRows: Number(rows),
      numMalformed: 0,
      delimiter: ",",
      notes: [...notes, ...missing, ...(await infiniteNotes(db, query, columns))],
    };
  } catch (error) {
    throw unreadable(format, files, error);
  }
}

/** All rows of Parquet files; columns come from inside the files, never from the names of folders. */
export function parquetQuery(paths: readonly string[]): string {
  return `select * from read_parquet(${listOf(paths)}, hive_partitioning = false, union_by_name = true)`;
}

function listOf(paths: readonly string[]): string {
  return `[${paths.map((path) => literal(patternOf(path))).join(", ")}]`;
}

async function jsonQuery(
  db: Database,
  paths: readonly string[],
  compression: SourceText["compression"] = "none",
): Promise<string> {
  const options = `${listOf(paths)}, hive_partitioning = false, compression = ${literal(compression === "none" ? "uncompressed" : compression)}`;
  // Without limits, since DuckDB would infer a map, and not columns, for records of many keys of one type, or of rare
  // keys.
  const all = `sample_size = -1, union_by_name = true, maximum_sample_files = ${EVERY_FILE}, map_inference_threshold = -1, field_appearance_threshold = 0`;
  const found = await db.rows(`describe select * from read_json(${options}, ${all})`);
  const types = found.map(([name, type]) => {
    const own = OF_STRINGS.test(String(type)) ? "VARCHAR" : String(type);
    return `${literal(String(name))}: ${literal(own)}`;
  });
  const isPlain = await areKeys(
    db,
    options,
    found.map(([name]) => String(name)),
  );
  return types.length === 0 || !isPlain
    ? `select * from read_json(${options}, ${all})`
    : `select * from read_json(${options}, columns = {${types.join(", ")}})`;
}

/**
 * Whether all names are keys of the records. DuckDB adds numbers to keys that differ in case alone, and cannot find
 * such names as keys.
 */
async function areKeys(db: Database, options: string, names: readonly string[]): Promise<boolean> {
  const folded = new Set(names.map((name) => name.toLowerCase()));
  const numbered = names.filter((name) => {
    const stem = /^(.*)_[0-9]+$/s.exec(name)?.[1]?.toLowerCase();
    return stem !== undefined && folded.has(stem);
  });
  if (numbered.length === 0) return true;
  const keys = await db.rows(`select distinct unnest(json_keys(json)) from read_json_objects(${options})`);
  const known = new Set(keys.map(([key]) => String(key)));
  return numbered.every((name) => known.has(name));
}

/** Columns that some Parquet files lack. */
async function missingNotes(db: Database, paths: readonly string[], columns: readonly string[]): Promise<string[]> {
  if (paths.length < 2) return [];
  const found = await db.rows(`select file_name, list(name) from parquet_schema(${listOf(paths)}) group by file_name`);
  const names = new Map(
    found.map(([file, own]) => [String(file), new Set((own as string[]).map((one) => one.toLowerCase()))]),
  );
  return paths
    .flatMap((path) => {
      const own = names.get(path);
      const missing = own ? columns.filter((name) => !own.has(name.toLowerCase())) : [];
      return missing.length === 0 ? [] : [`${path} has no column ${firstNames(missing, 5)}: missing in its rows`];
    })
    .slice(0, 10);
}

/** Notes on infinite times, which count as missing. */
async function infiniteNotes(
  db: Database,
  query: string,
  columns: readonly { readonly name: string; readonly type: string }[],
): Promise<string[]> {
  const times = columns.filter(({ type }) => kindOf(type) === "time");
  if (times.length === 0) return [];
  const counts = times.map(({ name }) => `count(*) filter (isinf(${identifier(name)}))`);
  const [row = []] = await db.rows(`select ${counts.join(", ")} from (${query})`);
  return times.flatMap(({ name }, i) =>
    Number(row[i]) === 0
      ? []
      : [`${name}: ${counted(Number(row[i]), "infinite time counts", "infinite times count")} as missing`],
  );
}

/** SQL of a column in which an infinite time, such as PostgreSQL's infinity, is null. */
function finite(column: string, type: string): string {
  return kindOf(type) === "time" ? `case when isfinite(${column}) then ${column} end as ${column}` : column;
}

/** The error of a statement over files that DuckDB cannot read, with the file where its message names it. */
export function unreadable(format: SourceFormat, files: readonly string[], error: unknown): DataError {
  if (error instanceof DataError) return error;
  const message = messageOf(error).split("\n\n")[0] ?? "";
  const file = files.find((path) => messageOf(error).includes(path)) ?? (files.length === 1 ? files[0] : undefined);
  const of = file === undefined ? "" : ` (${file})`;
  return new DataError(`data: the source cannot be read as ${format}${of}. DuckDB: ${message}`, { cause: error });
}
