/** Fill a new cache folder from source files, through DuckDB. */
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { recordLayout } from "../../data/records.js";
import { numSlots } from "../../data/shard.js";
import { enclosed } from "../../data/sql.js";
import type { KeptMoments, Preprocessing, Shift, TableSpec } from "../../data/table.js";
import { DataError } from "../../errors.js";
import { recordWithoutSecrets } from "../../report/secrets.js";
import { bytesOf } from "../../runtime/array.js";
import { type ServedFeature, servingOf } from "../../serving/serving.js";
import type { Database } from "../sources/duckdb.js";
import type { SourceFiles } from "../sources/source-files.js";
import { checkServable } from "./checked-sql.js";
import { predictForeign } from "./foreign-teacher.js";
import { fitLabelMeans } from "./label-means.js";
import { type ColumnMoments, type Moments, momentsOf } from "./moments.js";
import { quantilesOf } from "./quantiles.js";
import { groupNotes } from "./row-groups.js";
import { makeRowSplits } from "./row-splits.js";
import { meanWeight } from "./row-weights.js";
import { fitShifts } from "./shifts.js";
import { writeSlotted } from "./slotted-file.js";
import { type ReadSource, readSource } from "./source-rows.js";
import { sqlReader } from "./sql-tree.js";
import { type ReadSpec, tableDigest } from "./table-cache.js";
import { checkExamples, checkExpressions, checkNotEmpty, explained } from "./table-checks.js";
import { formatVersion, type TableFile } from "./table-file.js";
import { labelRules } from "./table-labels.js";
import {
  examplesQuery,
  featureParts,
  isRowSplit,
  listed,
  type Parts,
  partsOf,
  recordsQuery,
  shifted,
  slotCountsQuery,
  splitCodes,
  unassignedQuery,
  vocabularyType,
} from "./table-query.js";
import { checkTeacherRows, noTeachers, predictTeachers, type ReadTeachers, teachersMean } from "./teacher-rows.js";
import type { OpenFiles } from "./text-files.js";

/** Read, check, fit and write. Throws DataError for whatever is wrong with the spec or the data. */
export async function writeTable(
  db: Database,
  spec: ReadSpec,
  { source, open }: { readonly source: SourceFiles; readonly open: OpenFiles },
  folder: string,
  onProgress: (stage: string) => void,
): Promise<void> {
  const parts = partsOf(spec);
  onProgress("reading the source");
  const teachers = await predictTeachers(db, open, spec, onProgress);
  const { columns, numMalformed, reading, notes } = await readExamples(db, spec, parts, open, teachers);
  const ofForeign = await predictForeign(db, spec, onProgress);
  onProgress("checking the examples");
  const labels = labelRules(spec);
  const sized = await checkExamples(db, parts, labels);
  onProgress("fitting the vocabularies");
  const vocabularies = await fitVocabularies(db, spec);
  const classes = await labels.classes(db);
  const logUnit = spec.labelScale === "log" ? await fitLogUnit(db, spec.label) : undefined;
  const means = await fitLabelMeans(db, spec, parts, { logUnit, classes });
  const reader = sqlReader(db);
  const features = [...servedFeatures(spec, vocabularies), ...means.map(({ served }) => served)];
  const serving = await servingOf(features, columns, reader);
  await checkServable(reader, serving.inputs);
  onProgress("writing the training cache");
  const offsets = await slotOffsets(db);
  await writeWhole(join(folder, "train.slots.bin"), [bytesOf(offsets)]);
  const meanNames = means.map(({ served }) => served.name);
  const layout = recordLayout(spec, meanNames, classes);
  const dtypes = layout.columns.map(({ dtype }) => dtype);
  const numTrain = offsets[numSlots] as number;
  const shifts = await fitShifts(db, [...sized, ...means.map(({ column }) => column)], numTrain);
  const isLinear = spec.task === "regression" && logUnit === undefined;
  const labelShift = isLinear ? await fitLabelShift(db, spec.label, numTrain) : null;
  const ofWeights = parts.weight === null ? {} : { meanWeight: await meanWeight(db) };
  const ofClasses = async () => (spec.task === "regression" ? null : labels.fit(db, null));
  const taught = spec.teachers ? await teachersMean(db, spec, teachers, parts, await ofClasses()) : [];
  const targetWords = taught.map((mean) => shifted(mean, labelShift));
  const options = { labelWord: labels.word(labelShift), ...ofWeights, targetWords, shifts };
  const trainPath = join(folder, "train.bin");
  const slotted = db.words(recordsQuery(parts, "train", { ...options, withSlot: true }), ["int32", ...dtypes]);
  await writeSlotted(trainPath, dtypes.length, offsets, slotted);
  const numRows = { train: numTrain, validation: 0, test: 0 };
  for (const split of ["validation", "test"] as const) {
    await writeWhole(join(folder, `${split}.bin`), records(split));
  }
  const [[numUnassigned] = []] = await db.rows(unassignedQuery);

  async function* records(split: "validation" | "test") {
    for await (const words of db.words(recordsQuery(parts, split, { ...options, withSlot: false }), dtypes)) {
      numRows[split] += words.length / dtypes.length;
      yield bytesOf(words);
    }
  }

  const isLabel = (column: number) => column === dtypes.length - 1;
  const moments = await momentsOf(trainPath, numRows.train, dtypes, (value, column) =>
    logUnit !== undefined && isLabel(column) ? Math.log1p(value / logUnit) : value,
  );
  const ofLabels = moments.at(-1)?.moments;
  const fitted = ofLabels && { ...withShift(ofLabels, labelShift), ...(logUnit !== undefined && { logUnit }) };
  const statistics = spec.task && (await labels.fit(db, fitted ?? null));
  const numCategorical = Object.keys(spec.categorical).length;
  const numericNames = [...Object.keys(spec.numeric), ...meanNames];
  const numericColumns = numericNames.map((_, i) => numCategorical + i);
  const quantiles = await quantilesOf(trainPath, numTrain, dtypes.length, numericColumns);
  const numeric = numericNames.map((name, i) => [
    name,
    {
      ...withShift(moments[numCategorical + i]?.moments as Moments, shifts[i] ?? null),
      quantiles: quantiles[i],
      ...(meanNames.includes(name) && { isLabelMean: true }),
    },
  ]);
  const seen = Object.fromEntries(
    [...Object.keys(spec.categorical), ...numericNames].map((name, i) => {
      const { count, range } = moments[i] as ColumnMoments;
      // Means out of fold have another range than those of other rows, and neither is beyond what training had.
      return [name, { count, absent: 1 - count / numTrain, ...(!meanNames.includes(name) && range) }];
    }),
  );
  const table: TableFile = {
    format: formatVersion,
    digest: tableDigest(spec, source),
    duckdb: db.version,
    spec: recordWithoutSecrets({ ...spec, source: typeof spec.source === "string" ? spec.source : [...spec.source] }),
    layout: { columns: [...layout.columns] },
    preprocessing: {
      vocabularies,
      numeric: Object.fromEntries(numeric),
      ...(statistics && { labels: statistics }),
      ...ofWeights,
    },
    serving,
    seen,
    reading,
    notes: [...teachers.notes, ...ofForeign, ...notes],
    numRows: {
      ...numRows,
      ...(spec.filters && { unassigned: Number(numUnassigned) }),
      ...(numMalformed > 0 && { malformed: numMalformed }),
    },
    files: source.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
  };
  await writeWhole(join(folder, "table.json"), [new TextEncoder().encode(`${JSON.stringify(table)}\n`)]);
}

function withShift(moments: Moments, shift: Shift | null): KeptMoments {
  return { ...moments, ...(shift && { shift }) };
}

/**
 * The unit u of ln(1 + label / u): a power of ten at or below the 1 % quantile of the labels that are not 0, so that
 * the function is nearly logarithmic for almost all of them. Throws {@link DataError} for a label below 0 or above
 * 1e30.
 */
async function fitLogUnit(db: Database, label: string): Promise<number> {
  const [[least, largest] = []] = await db.rows("select min(label), max(label) from examples");
  if (Number(least) < 0 || Number(largest) > 1e30) {
    throw new DataError(
      `table: the scale "log" is of labels from 0 to 1e30, and they go from ${least} to ${largest}: ${label}. Set the scale to "linear".`,
    );
  }
  const [[small] = []] = await db.rows(
    `select quantile_disc(label, 0.01) from examples where split = ${splitCodes.train} and label > 0`,
  );
  return 10 ** Math.max(-30, Math.floor(Math.log10(Number(small))));
}

async function fitLabelShift(db: Database, label: string, numTrain: number): Promise<Shift | null> {
  const [[largest] = []] = await db.rows("select max(abs(label)) from examples");
  const [shift = null] = await fitShifts(
    db,
    [{ what: `the label (${label})`, sql: "label", largest: Number(largest) }],
    numTrain,
  );
  return shift;
}

/** Make the table `examples`; gives the names of the source's columns, and how the source was read. */
export async function readExamples(
  db: Database,
  spec: ReadSpec,
  parts: Parts,
  open: OpenFiles,
  teachers: ReadTeachers = noTeachers,
): Promise<{ readonly columns: readonly string[] } & Pick<ReadSource, "numMalformed" | "reading" | "notes">> {
  const {
    columns: described,
    notes,
    ...read
  } = await readSource(db, open, {
    sourceColumns: spec.columns,
    maxBadRows: spec.maxBadRows,
    reading: spec.reading,
  });
  const columns = described.map(({ name }) => name);
  await checkNotEmpty(db);
  await checkTeacherRows(db, teachers);
  await checkExpressions(db, listed(parts), columns);
  const [[, labelType] = []] = await db.rows(`describe select ${enclosed(spec.label)} from source_shape`);
  const features = featureParts(parts).map(({ sql }) => sql);
  try {
    if (isRowSplit(spec.split)) await makeRowSplits(db, spec.split, { columns, features, label: parts.label.sql });
    await db.run(
      `create table examples as ${examplesQuery(parts, columns, labelRules(spec).column(String(labelType)), teachers.ofModels)}`,
    );
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw await explained(error, db, parts, columns);
  }
  const groupBy = isRowSplit(spec.split) ? spec.split.groupBy : undefined;
  const ofGroups = groupBy === undefined ? [] : await groupNotes(db, groupBy);
  return { columns, ...read, notes: [...notes, ...ofGroups.map(({ text }) => text)] };
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
