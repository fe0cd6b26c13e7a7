/** The rows by which the importance of columns is measured, as tables in DuckDB. */
import { identifier } from "../../data/sql.js";
import { joined } from "../../runtime/array.js";
import { rangesOf } from "../../train/alike.js";
import type { Database, ValueColumns } from "../sources/duckdb.js";
import { chunksOf } from "./per-column.js";
import { OTHER_CLASS } from "./served-labels.js";
import type { ServedModel } from "./served-model.js";
import { type CheckedInput, servedRows } from "./served-rows.js";
import type { SourceColumn } from "./source-rows.js";
import { sqlReader } from "./sql-tree.js";

/** The columns of one statement: DuckDB plans it in time that grows with the square of their number. */
const COLUMNS_AT_ONCE = 16;

const PLACE = identifier("codistill place");
const LABEL = identifier("codistill label");
const giverOf = (repeat: number) => identifier(`codistill giver ${repeat}`);

/** The columns that a model reads, in their order, with the inputs that are made of each. */
export async function readersOf(
  db: Database,
  inputs: readonly CheckedInput[],
  columns: readonly SourceColumn[],
): Promise<ReadonlyMap<SourceColumn, readonly CheckedInput[]>> {
  const reader = sqlReader(db);
  const names = await Promise.all(inputs.map(async ({ sql }) => new Set(namesIn(await reader.treeOf(sql)))));
  const readers = columns.map((column) => {
    const own = inputs.filter((_, i) => names[i]?.has(column.name.toLowerCase()));
    return [column, own] as const;
  });
  return new Map(readers.filter(([, own]) => own.length > 0));
}

/** The parts of the names of columns in a syntax tree, in lower case, as case does not count in SQL. */
function namesIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { class: kind, column_names: parts } = node as { readonly class?: unknown; readonly column_names?: unknown };
  if (kind === "COLUMN_REF" && Array.isArray(parts)) return parts.map((part) => String(part).toLowerCase());
  return Object.values(node).flatMap(namesIn);
}

/**
 * Make the table `importance_rows` of some columns of rows that have a label, and give these labels. Rows are drawn by
 * the MD5 of their number, which is the same in every version of DuckDB, and keep their order.
 */
export async function drawRows(
  db: Database,
  { classes }: ServedModel,
  columns: readonly SourceColumn[],
  { label, rows, seed }: { readonly label: string; readonly rows: number; readonly seed: number },
): Promise<Float64Array> {
  const read = columns.map(({ name }) => `${identifier(name)}, `).join("");
  const isKnown = `not isnan(${LABEL})${classes === null ? "" : ` and ${LABEL} <> ${OTHER_CLASS}`}`;
  await db.run(`create or replace table importance_rows as
    with numbered as (select ${read}${label} as ${LABEL}, row_number() over () as ${PLACE} from source_rows),
    drawn as (select * from numbered where ${isKnown} order by md5_number_lower('${seed}/' || ${PLACE}), ${PLACE} limit ${rows})
    select * replace (cast(row_number() over (order by ${PLACE}) - 1 as double) as ${PLACE}) from drawn`);
  const parts: Float64Array[] = [];
  for await (const [part] of db.columns(`select ${LABEL} from importance_rows order by ${PLACE}`, ["number"]))
    parts.push(part as Float64Array);
  return joined(Float64Array, parts);
}

/** Make the table `importance_givers`, with the place of the row that gives its value to each row, in each repetition. */
export async function writeGivers(db: Database, givers: readonly Uint32Array[]): Promise<void> {
  const definitions = [PLACE, ...givers.map((_, repeat) => giverOf(repeat))].map((name) => `${name} double`);
  await db.run(`create or replace table importance_givers (${definitions.join(", ")})`);
  const places = Float64Array.from(givers[0] ?? [], (_, place) => place);
  await db.append("importance_givers", [places, ...givers.map((own) => Float64Array.from(own))]);
}

/** The rows of `importance_rows` in their order, as SQL says it after "from". */
export const drawnRows = `importance_rows as source_rows order by ${PLACE}`;

/** The same with the values of some columns from the rows that give in a repetition. */
export function permutedRows(columns: readonly SourceColumn[], repeat: number): string {
  const given = columns.map(({ name }) => `giver.${identifier(name)} as ${identifier(name)}`).join(", ");
  return `(select own.* replace (${given}) from importance_rows as own
    join importance_givers as givers on givers.${PLACE} = own.${PLACE}
    join importance_rows as giver on giver.${PLACE} = givers.${giverOf(repeat)}) as source_rows order by ${PLACE}`;
}

/**
 * The values of columns in the first `most` rows of `importance_rows`, as whole numbers: of text and of yes and no each
 * value, of numbers and times the range that it is in. All are `most` at most.
 */
export async function codesOf(db: Database, columns: readonly SourceColumn[], most: number): Promise<Uint32Array[]> {
  const codes: Uint32Array[] = [];
  for (const some of chunksOf(columns, COLUMNS_AT_ONCE)) {
    const ranks = some.map(({ name }) => `cast(dense_rank() over (order by ${identifier(name)}) as double)`);
    const query = `select ${ranks.join(", ")} from (from importance_rows order by ${PLACE} limit ${most}) order by ${PLACE}`;
    const parts: ValueColumns[] = [];
    for await (const part of db.columns(query, Array(some.length).fill("number"))) parts.push(part);
    for (const [i, { type }] of some.entries()) {
      const own = joined(
        Float64Array,
        parts.map((part) => part[i] as Float64Array),
      );
      codes.push(type === "VARCHAR" || type === "BOOLEAN" ? Uint32Array.from(own) : rangesOf(own));
    }
  }
  return codes;
}

/** The values of inputs of a model for all rows: of `from`, as SQL says it after "from". */
export async function valuesOf(db: Database, inputs: readonly CheckedInput[], from: string): Promise<ValueColumns> {
  const parts: ValueColumns[] = [];
  for await (const batch of servedRows(db, inputs, [], from)) parts.push(batch.inputs);
  return inputs.map(({ type }, i) => {
    const own = parts.map((part) => part[i] ?? []);
    if (type === "text") return (own as string[][]).flat();
    return joined(Float64Array, own as Float64Array[]);
  });
}
