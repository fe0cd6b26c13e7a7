/** A small table for tests: 300 rows of CSV in a folder that goes away with the test file. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { gatherBatch, type Rows, type TableSpec } from "../src/data/table.js";
import { DataError } from "../src/errors.js";
import { type PreparedTable, prepareTable } from "../src/node/table/ingest.js";

/**
 * Rows of id, city, size, day and late. Days 0 to 19 train, 20 to 24 validate, 25 to 29 test. City is Lima in half of
 * the rows, then Oslo, then Rome; "O'Hare, IL" only after training; sometimes missing, like the size.
 */
export const lines: readonly string[] = Array.from({ length: 300 }, (_, id) => {
  const day = Math.floor(id / 10);
  const city =
    id % 17 === 0 ? "" : day >= 20 && id % 5 === 0 ? `"O'Hare, IL"` : ["Lima", "Oslo", "Lima", "Rome"][id % 4];
  const size = id % 13 === 0 ? "" : ((id * 7) % 50) / 4;
  return `${id},${city},${size},${day},${(id * 11) % 3 === 0}`;
});
export const header = "id,city,size,day,late";

export function csv(rows: readonly string[]): string {
  return `${[header, ...rows].join("\n")}\n`;
}

export function specOf(source: TableSpec["source"], changes: Partial<TableSpec> = {}): TableSpec {
  return {
    source,
    label: "late",
    categorical: { city: "city", weekday: "day % 7", pair: "city || '-' || (day % 2)" },
    numeric: { size: "size", id: "id" },
    split: { train: "day < 20", validation: "day >= 20 and day < 25", test: "day >= 25" },
    ...changes,
  };
}

/** Every value of every row, as plain numbers. */
export function content(rows: Rows): Record<string, number[]> {
  const batch = gatherBatch(rows, { start: 0, end: rows.numRows });
  return Object.fromEntries(Object.entries(batch).map(([name, { data }]) => [name, Array.from(data)]));
}

/** A temporary folder for the tests of one file, and what they do in it. */
export interface Workplace {
  /** A path inside. */
  path(...names: string[]): string;
  write(name: string, content: string | Uint8Array): Promise<string>;
  prepare(source: TableSpec["source"], changes?: Partial<TableSpec>): Promise<PreparedTable>;
  /** `prepare` ends in a DataError whose message matches every pattern. */
  refused(spec: TableSpec, ...patterns: readonly RegExp[]): Promise<void>;
}

export function workplace(): Workplace {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "codistill-table-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const path = (...names: string[]) => join(folder, ...names);
  const prepared = (spec: TableSpec) => prepareTable(spec, { cacheFolder: path("cache") });
  return {
    path,
    async write(name, content) {
      await writeFile(path(name), content);
      return path(name);
    },
    prepare: (source, changes) => prepared(specOf(source, changes)),
    async refused(spec, ...patterns) {
      await assert.rejects(prepared(spec), (error) => {
        assert.ok(error instanceof DataError, String(error));
        for (const pattern of patterns) assert.match(error.message, pattern);
        return true;
      });
    },
  };
}
