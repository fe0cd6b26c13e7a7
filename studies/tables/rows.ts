/** The rows of a run, with the split that codistill makes, for models that are not its own. */
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { identifier, literal } from "../../src/data/sql.js";
import type { TaskKind } from "../../src/log/metrics.js";
import { inTemporaryFolder } from "../../src/node/files/temporary-folder.js";
import { openDuckdb } from "../../src/node/sources/duckdb.js";
import { isRowSplit, partsOf, splitCodes, wantedRows } from "../../src/node/table/table-query.js";
import { tableSpecOf } from "../../src/node/table/table-reader.js";
import { readExamples } from "../../src/node/table/table-writer.js";
import { openFiles } from "../../src/node/table/text-files.js";
import type { TableRunConfig } from "../../src/run/kinds/table.js";

/** What a column of the source is, as its type says: a point in time, a number, or a name. */
export type ColumnKind = "time" | "number" | "name";

/** Rows in a file of CSV: the split (0 trains, 1 validates, 2 tests), the label, and the columns that may be learned from. */
export interface SplitRows {
  readonly file: string;
  readonly task: TaskKind;
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[];
  /** Whether the test rows are later than the others. */
  readonly isByTime: boolean;
  readonly counts: Readonly<Record<keyof typeof splitCodes, number>>;
  /** SHA-256 of the file and of all of the above. */
  readonly digest: string;
}

/** What is not of the run's configuration: columns that are names whatever their type, and those to leave out. */
export interface GivenColumns {
  readonly names?: readonly string[] | undefined;
  readonly ignore?: readonly string[] | undefined;
}

/**
 * Write the rows of a run's source, read and split as the run reads and splits them, into `folder`. Columns that the
 * label is made of are left out.
 */
export async function writeSplitRows(config: TableRunConfig, given: GivenColumns, folder: string): Promise<SplitRows> {
  const spec = tableSpecOf(config);
  const parts = partsOf(spec);
  mkdirSync(folder, { recursive: true });
  const file = resolve(folder, "rows.csv");
  const written = await inTemporaryFolder(join(folder, "temporary"), undefined, async (temporary) => {
    const open = await openFiles(spec.source, { folder: temporary, encoding: spec.reading?.encoding });
    const db = await openDuckdb(join(temporary, "spill"), { reads: open.reads, writes: [file] });
    try {
      await readExamples(db, spec, parts, open);
      const described = await db.rows("describe source_shape");
      const columns = described
        .map(([name, type]) => ({ name: String(name), kind: kindOf(String(type)) }))
        .filter(({ name }) => !given.ignore?.includes(name) && !isIn(name, spec.label))
        .map((column) => (given.names?.includes(column.name) ? { ...column, kind: "name" as const } : column));
      const values = columns.map(({ name }) => identifier(name)).join(", ");
      await db.run(`copy (select examples.split, examples.label, source.*
        from examples positional join (select ${values} ${wantedRows(parts)}) source) to ${literal(file)} (format csv, header)`);
      const counts = await db.rows("select split, count(*) from examples group by split");
      const countOf = (code: number) => Number(counts.find(([split]) => Number(split) === code)?.[1] ?? 0);
      const { train, validation, test } = splitCodes;
      return { columns, counts: { train: countOf(train), validation: countOf(validation), test: countOf(test) } };
    } finally {
      await db.close();
    }
  });
  const rows = { file, task: config.task.kind, isByTime: !isRowSplit(spec.split), ...written };
  const hash = createHash("sha256").update(JSON.stringify({ ...rows, file: "" }));
  await pipeline(createReadStream(file), hash);
  const found = { ...rows, digest: hash.digest("hex") };
  writeFileSync(join(folder, "rows.json"), `${JSON.stringify(found)}\n`);
  return found;
}

function kindOf(type: string): ColumnKind {
  if (/^(TIMESTAMP|DATE)/.test(type)) return "time";
  return /INT|FLOAT|DOUBLE|DECIMAL/.test(type) ? "number" : "name";
}

/** Whether an expression names a column, in quotes or as a word. */
function isIn(column: string, expression: string): boolean {
  const names = expression.replaceAll(/'(?:[^']|'')*'/g, " ");
  const words = names.replaceAll(/"(?:[^"]|"")*"/g, " ").split(/[^\p{L}\p{N}_$]+/u);
  return names.includes(identifier(column)) || words.includes(column);
}
