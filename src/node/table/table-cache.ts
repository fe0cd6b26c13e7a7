/**
 * The training cache: a folder named by its digest, complete or absent, which training reads without DuckDB.
 *
 * - `table.json`: format version, digest, spec, layout, preprocessing, serving (how a served model computes features
 *   from columns), seen (the values of each in the training rows), reading (how text became values), notes on it, row
 *   counts, source files, DuckDB version
 * - `train.bin`: records of 4-byte little-endian words (see `RecordLayout`), by hash slot, then by source order
 * - `train.slots.bin`: 4,097 uint32; slot s has the rows from entry s up to, not including, entry s + 1
 * - `validation.bin`, `test.bin`: records in source order
 *
 * Digests of these files lie beside them (`checked-folder.ts`). A damaged cache is moved away and made again, never
 * rebuilt in place: another process may be reading it.
 */
import { createHash } from "node:crypto";
import { problemsOf } from "../../checkpoint/fields.js";
import { decodeJson } from "../../checkpoint/json.js";
import { type RecordLayout, type RowRange, type Rows, type TrainingRows, tableRows } from "../../data/records.js";
import { numSlots, slotRange } from "../../data/shard.js";
import type { Preprocessing, TableSpec, TableTeacher } from "../../data/table.js";
import { DataError, messageOf } from "../../errors.js";
import type { GivenReading, Reading } from "../../reading/reading.js";
import type { Serving } from "../../serving/expression.js";
import type { SeenValues } from "../../serving/seen.js";
import { type CheckedFile, type CheckedFolder, damaged, openCheckedFolder } from "../files/checked-folder.js";
import type { SourceFiles } from "../sources/source-files.js";
import { storedRows } from "./stored-rows.js";
import { formatVersion, type TableFile, tableFile } from "./table-file.js";
import { isRowSplit } from "./table-query.js";

/** A table, with the readings that are given for its text. */
export interface ReadSpec extends TableSpec {
  readonly reading?: GivenReading;
}

const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;

/** The parts of a cache to read; by default everything. */
export interface OpenTableOptions {
  /** Read only the training rows of these hash slots (`slotsOf` gives a group's); the other slots are then empty. */
  readonly slots?: readonly number[] | undefined;
  /** Splits that are not read, to save memory. */
  readonly leaveOut?: readonly ("validation" | "test")[] | undefined;
  /** Rows of a split that take more bytes than this stay in their file, and are read from there when needed. */
  readonly memoryBytes?: number | undefined;
}

/** A cache. Words in memory are in memory that is shared, so that the workers of a group can read one copy. */
export interface CachedTable {
  readonly spec: ReadSpec;
  readonly layout: RecordLayout;
  readonly preprocessing: Preprocessing;
  /** How a served model makes the features of columns. */
  readonly serving: Serving;
  /** The values that training rows have of each feature. */
  readonly seen: Readonly<Record<string, SeenValues>>;
  /** How the text of the files became values. */
  readonly reading: Reading;
  /** Notes on the reading for the user, in sentences. */
  readonly notes: readonly string[];
  readonly train: TrainingRows;
  /** Null when left out. */
  readonly validation: Rows | null;
  /** Null when left out. */
  readonly test: Rows | null;
  /** Training rows that no group's filter wants, which are not in `train`. */
  readonly numUnassigned: number;
  /** Malformed lines of the source, which were left out. */
  readonly numMalformed: number;
  /** SHA-256 in hexadecimal of the source's content and of the query. */
  readonly digest: string;
}

/** The digest of a spec over its files: equal for equal content and expressions, wherever the files are. */
export function tableDigest(spec: ReadSpec, { format, files }: SourceFiles): string {
  const query = [
    spec.label,
    Object.entries(spec.categorical),
    Object.entries(spec.numeric),
    isRowSplit(spec.split) ? spec.split : [spec.split.train, spec.split.validation, spec.split.test],
    spec.shardBy ?? null,
    // Caches from before groups of rows had one slot are others.
    ...(isRowSplit(spec.split) && spec.split.groupBy !== undefined && !spec.shardBy ? [{ slots: "by groups" }] : []),
    // Options that are not given are left out, so that caches from before there were such options stay valid.
    ...(spec.filters ? [spec.filters] : []),
    ...(spec.task ? [{ task: spec.task }] : []),
    ...(spec.labelScale ? [{ labelScale: spec.labelScale }] : []),
    ...(spec.positive !== undefined ? [{ positive: spec.positive }] : []),
    ...(spec.weight !== undefined ? [{ weight: spec.weight }] : []),
    ...(spec.columns ? [{ columns: spec.columns }] : []),
    ...(spec.maxBadRows ? [{ maxBadRows: spec.maxBadRows }] : []),
    ...(spec.vocabularies ? [{ vocabularies: Object.entries(spec.vocabularies) }] : []),
    ...(spec.labelMeans ? [{ labelMeans: Object.entries(spec.labelMeans) }] : []),
    ...(spec.reading ? [{ reading: spec.reading }] : []),
    ...(spec.teachers ? [{ teachers: spec.teachers.map(withoutPath) }] : []),
  ];
  const content = files.map(({ sha256 }) => sha256);
  return createHash("sha256")
    .update(JSON.stringify([formatVersion, numSlots, format, content, query]))
    .digest("hex");
}

/** A teacher without the place of its file, whose content its digest stands for. */
function withoutPath(teacher: TableTeacher): object {
  if ("inputs" in teacher) {
    const { model: _, inputs, ...rest } = teacher;
    return { ...rest, inputs: Object.entries(inputs) };
  }
  if ("model" in teacher) return { sha256: teacher.sha256, weight: teacher.weight };
  return "columns" in teacher ? { ...teacher, columns: Object.entries(teacher.columns) } : teacher;
}

/**
 * Read a cache folder; never loads DuckDB. Throws {@link DataError} when the folder is absent,
 * {@link DamagedCacheError} when it is damaged, and a ConfigError for a slot that is not there.
 */
export async function openTable(folder: string, options: OpenTableOptions = {}): Promise<CachedTable> {
  const files = await openCheckedFolder(folder);
  const { spec, layout, preprocessing, serving, seen, reading, notes, numRows, digest } = await readTableFile(
    folder,
    files,
  );
  const { slots, leaveOut = [], memoryBytes = Number.POSITIVE_INFINITY } = options;
  const whole = (split: "validation" | "test") =>
    leaveOut.includes(split)
      ? null
      : readRows(files.file(`${split}.bin`, bytesOfRows(layout, numRows[split])), layout, numRows[split], memoryBytes);
  const [train, validation, test] = await Promise.all([
    readTrainingRows(folder, files, layout, numRows.train, memoryBytes, slots),
    whole("validation"),
    whole("test"),
  ]);
  const { unassigned: numUnassigned = 0, malformed: numMalformed = 0 } = numRows;
  return {
    spec,
    layout,
    preprocessing,
    serving,
    seen,
    reading,
    notes,
    train,
    validation,
    test,
    numUnassigned,
    numMalformed,
    digest,
  };
}

async function readTableFile(folder: string, files: CheckedFolder): Promise<TableFile> {
  const bytes = await files.whole("table.json");
  // Without a limit of depth, as the expressions of bins may be deep; the file was written by a run and checked by its
  // digest.
  const parsed = tableFile.safeParse(decodeJson(bytes, Number.POSITIVE_INFINITY));
  if (parsed.success) return parsed.data;
  throw damaged(folder, `table.json cannot be read: ${problemsOf(parsed.error)}`, parsed.error);
}

const bytesOfRows = ({ columns }: RecordLayout, numRows: number) => numRows * columns.length * WORD_BYTES;

/** The rows of some parts of a file of `numRows` rows, in memory where they take at most `mostBytes`. */
async function readRows(
  file: CheckedFile,
  layout: RecordLayout,
  numRows: number,
  mostBytes: number,
  parts: readonly RowRange[] = [{ start: 0, end: numRows }],
): Promise<Rows> {
  const recordBytes = bytesOfRows(layout, 1);
  const numWanted = parts.reduce((sum, { start, end }) => sum + end - start, 0);
  if (numWanted * recordBytes > mostBytes) return storedRows(file.reading, layout, parts);
  const bytes = new Uint8Array(sharedMemory(numWanted * recordBytes));
  let at = 0;
  for (const { start, end } of parts) {
    const length = (end - start) * recordBytes;
    await file.fill(bytes.subarray(at, at + length), start * recordBytes);
    at += length;
  }
  return tableRows(layout, new Int32Array(bytes.buffer));
}

async function readTrainingRows(
  folder: string,
  files: CheckedFolder,
  layout: RecordLayout,
  numRows: number,
  mostBytes: number,
  slots: readonly number[] | undefined,
): Promise<TrainingRows> {
  const file = files.file("train.bin", bytesOfRows(layout, numRows));
  const offsets = new Uint32Array((await files.whole("train.slots.bin", (numSlots + 1) * WORD_BYTES)).buffer);
  if (offsets[0] !== 0 || offsets[numSlots] !== numRows || offsets.some((at, slot) => at > (offsets[slot + 1] ?? at))) {
    throw damaged(folder, `train.slots.bin does not cover the ${numRows} training rows`);
  }
  if (slots === undefined) return { ...(await readRows(file, layout, numRows, mostBytes)), slotOffsets: offsets };
  const slotOffsets = new Uint32Array(numSlots + 1);
  const parts: RowRange[] = [];
  // In ascending order, so that a row's place among the rows that are read does not depend on the caller's order.
  for (const slot of [...new Set(slots)].sort((a, b) => a - b)) {
    const { start, end } = slotRange(offsets, slot);
    slotOffsets[slot + 1] = end - start;
    parts.push({ start, end });
  }
  for (let slot = 0; slot < numSlots; slot++) slotOffsets[slot + 1]! += slotOffsets[slot]!;
  return { ...(await readRows(file, layout, numRows, mostBytes, parts)), slotOffsets };
}

function sharedMemory(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (error) {
    throw new DataError(
      `table: ${bytes} bytes of rows do not fit in one block of memory (${messageOf(error)}). Open only the slots of one group.`,
      { cause: error },
    );
  }
}
