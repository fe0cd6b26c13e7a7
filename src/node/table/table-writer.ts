/** Fill a new cache folder from source files, through DuckDB. */
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { numSlots } from "../../data/shard.js";
import { enclosed } from "../../data/sql.js";
import type { Preprocessing, RecordLayout, TableSpec } from "../../data/table.js";
import { DataError } from "../../errors.js";
import { type ServedFeature, servingOf } from "../../run/serving/serving.js";
import { bytesOf } from "../../runtime/array.js";
import type { Database } from "../duckdb.js";
import type { SourceFiles } from "../source-files.js";
import { checkServable } from "./checked-sql.js";
import { momentsOf } from "./moments.js";
import { writeSlotted } from "./slotted-file.js";
import { readSource } from "./source-rows.js";
import { sqlReader } from "./sql-tree.js";
import { formatVersion, type TableFile, tableDigest } from "./table-cache.js";
import { checkExamples, checkExpressions, checkNotEmpty, explained } from "./table-checks.js";
import { labelRules } from "./table-labels.js";
import {
  examplesQuery,
  listed,
  type Parts,
  partsOf,
  recordsQuery,
  slotCountsQuery,
  unassignedQuery,
  vocabularyType,
} from "./table-query.js";

/** Read, check, fit and write. Throws DataError for whatever is wrong with the spec or the data. */
export async function writeTable(
  db: Database,
  spec: TableSpec,
  layout: RecordLayout,
  source: SourceFiles,
  folder: string,
  onProgress: (stage: string) => void,
): Promise<void> {
  const parts = partsOf(spec);
  onProgress("reading the source");
  const { columns, numMalformed } = await readExamples(db, spec, parts, source);
  onProgress("checking the examples");
  const labels = labelRules(spec.task);
  await checkExamples(db, parts, labels);
  onProgress("fitting the vocabularies");
  const vocabularies = await fitVocabularies(db, spec);
  const serving = await servingOf(servedFeatures(spec, vocabularies), columns, sqlReader(db));
  await checkServable(db, serving.inputs);
  onProgress("writing the training cache");
  const offsets = await slotOffsets(db);
  await writeWhole(join(folder, "train.slots.bin"), [bytesOf(offsets)]);
  const dtypes = layout.columns.map(({ dtype }) => dtype);
  const trainPath = join(folder, "train.bin");
  const slotted = db.words(recordsQuery(parts, "train", labels.word, true), ["int32", ...dtypes]);
  await writeSlotted(trainPath, dtypes.length, offsets, slotted);
  const numRows = { train: offsets[numSlots] as number, validation: 0, test: 0 };
  for (const split of ["validation", "test"] as const) {
    await writeWhole(join(folder, `${split}.bin`), records(split));
  }
  const [[numUnassigned] = []] = await db.rows(unassignedQuery);

  async function* records(split: "validation" | "test") {
    for await (const words of db.words(recordsQuery(parts, split, labels.word, false), dtypes)) {
      numRows[split] += words.length / dtypes.length;
      yield bytesOf(words);
    }
  }

  const moments = await momentsOf(trainPath, numRows.train, dtypes);
  const statistics = spec.task && (await labels.fit(db, moments.at(-1) ?? null));
  const numeric = Object.keys(spec.numeric).map((name, i) => [name, moments[Object.keys(spec.categorical).length + i]]);
  const table: TableFile = {
    format: formatVersion,
    digest: tableDigest(spec, source),
    duckdb: db.version,
    spec: { ...spec, source: typeof spec.source === "string" ? spec.source : [...spec.source] },
    layout: { columns: [...layout.columns] },
    preprocessing: {
      vocabularies,
      numeric: Object.fromEntries(numeric),
      ...(statistics && { labels: statistics }),
    },
    serving,
    numRows: {
      ...numRows,
      ...(spec.filters && { unassigned: Number(numUnassigned) }),
      ...(numMalformed > 0 && { malformed: numMalformed }),
    },
    files: source.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
  };
  await writeWhole(join(folder, "table.json"), [new TextEncoder().encode(`${JSON.stringify(table)}\n`)]);
}

/** Make the table `examples`; gives the names of the source's columns, and how many of its lines were no rows. */
async function readExamples(
  db: Database,
  spec: TableSpec,
  parts: Parts,
  source: SourceFiles,
): Promise<{ readonly columns: readonly string[]; readonly numMalformed: number }> {
  const { columns: described, numMalformed } = await readSource(
    db,
    source.format,
    source.files.map(({ path }) => path),
    { columns: spec.columns, maxBadRows: spec.maxBadRows },
  );
  const columns = described.map(({ name }) => name);
  await checkNotEmpty(db);
  await checkExpressions(db, listed(parts), columns);
  const [[, labelType] = []] = await db.rows(`describe select ${enclosed(spec.label)} from source_shape`);
  try {
    await db.run(
      `create table examples as ${examplesQuery(parts, columns, labelRules(spec.task).column(String(labelType)))}`,
    );
  } catch (error) {
    throw await explained(error, db, parts, columns);
  }
  return { columns, numMalformed };
}

/** The features of a spec, in its order. */
function servedFeatures(
  { categorical, numeric }: TableSpec,
  vocabularies: Preprocessing["vocabularies"],
): ServedFeature[] {
  return [
    ...Object.entries(categorical).map(([name, sql]) => ({ name, sql, vocabulary: vocabularies[name] ?? [] })),
    ...Object.entries(numeric).map(([name, sql]) => ({ name, sql, vocabulary: null })),
  ];
}

async function fitVocabularies(db: Database, spec: TableSpec): Promise<Record<string, string[]>> {
  const vocabularies: Record<string, string[]> = {};
  for (const [i, [name, expression]] of Object.entries(spec.categorical).entries()) {
    await db.run(vocabularyType(i, spec.vocabularies?.[name]));
    const names = await db.rows(`select unnest(enum_range(null::vocabulary${i}))`);
    vocabularies[name] = names.map(([value]) => String(value));
    if (vocabularies[name].length === 0) {
      throw new DataError(
        spec.vocabularies?.[name]
          ? `table: a categorical feature needs a name in its vocabulary, and none of ${name} has ${spec.vocabularies[name].minRows} training rows: ${expression}. Lower data.vocabularies.${name}.minRows, or leave the feature out.`
          : `table: a categorical feature needs a value in the training split, and ${name} is missing in all of its rows: ${expression}. Leave it out, or check the expression.`,
      );
    }
  }
  return vocabularies;
}

async function slotOffsets(db: Database): Promise<Uint32Array> {
  const offsets = new Uint32Array(numSlots + 1);
  for (const [slot, count] of await db.rows(slotCountsQuery)) offsets[Number(slot) + 1] = Number(count);
  for (let slot = 0; slot < numSlots; slot++) offsets[slot + 1]! += offsets[slot]!;
  return offsets;
}

/** Write and flush to the device, so that the rename that follows never shows a file without its content. */
async function writeWhole(path: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, "wx");
  try {
    await writeFile(file, parts);
    await file.sync();
  } finally {
    await file.close();
  }
}
