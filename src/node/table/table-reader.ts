/** Runs on tables: rows through DuckDB, models that read columns. */
import { createHash } from "node:crypto";
import { rowsOfSlots, slotsUnder } from "../../data/shard.js";
import { binaryClasses, type Preprocessing, type TableTeacher } from "../../data/table.js";
import { DataError } from "../../errors.js";
import { firstNames, percent } from "../../report/format.js";
import { examplesApart } from "../../run/apart.js";
import { exportModel } from "../../run/export.js";
import { givenReadingOf, type TableRunConfig } from "../../run/kinds/table.js";
import { scoreTableRun, validationErrors } from "../../run/score-table.js";
import { tableGroupSpec, tableRunSpec } from "../../run/table-spec.js";
import { besideYardsticks } from "../../run/table-yardsticks.js";
import { labelsToFit } from "../../run/task.js";
import { DEFAULT_TEACHER_WEIGHT } from "../../run/teacher-schema.js";
import { seenFeatures } from "../../serving/seen.js";
import { readRegular } from "../files/plain-files.js";
import { readModelFile } from "../ort/model-file.js";
import type { DataReader } from "../runs/data-reader.js";
import { memoryBudget } from "../sources/memory.js";
import { openTable, type PreparedTable, prepareTable } from "./ingest.js";
import { weightNote } from "./row-weights.js";
import { checkServedModel } from "./served-model.js";
import { describeShards, shardLines } from "./shards.js";
import type { ReadSpec } from "./table-cache.js";

export const tableReader: DataReader<TableRunConfig> = {
  async prepare(config, options) {
    const table = await prepareTable(tableSpecOf(config), options);
    const spec = tableRunSpec(config, table);
    const { data } = config;
    const { meanWeight } = table.preprocessing;
    const ofWeights = data.weight === undefined ? [] : [weightNote(data.weight, meanWeight ?? Number.NaN)];
    return {
      spec,
      sizes: { rows: rowsOf(config, table) },
      cached: table.cached,
      notes: [...table.notes, ...ofWeights, ...teacherNotes(config)],
      folder: table.folder,
      checkShards: () => checkShards(config, table),
      async score(engine, groups, shippedGroup, signal) {
        const result = await scoreTableRun(engine, spec.learner, groups, table.test, shippedGroup, signal);
        const weighted = data.weight === undefined ? result : { ...result, weight: data.weight };
        return besideYardsticks(weighted, table, spec.learner.task, config.task, signal);
      },
      apart: (engine, models, signal) => examplesApart(engine, spec.learner, config.task, models, table.test, signal),
      async validated(engine, params, signal) {
        const errors = await validationErrors(engine, spec.learner, params, table.validation, signal);
        return errors === null ? {} : { validationErrors: JSON.stringify(errors) };
      },
      metadata: tableMetadata(config, table),
      exported: ({ params, temperature }, metadata) => ({
        "model.onnx": exportModel(spec.learner, table.preprocessing, table.serving, params, metadata, temperature),
      }),
    };
  },
  async open(config, cacheFolder, groupIndex) {
    const slots = slotsUnder(config.data, groupIndex, config.numGroups);
    const memoryBytes = memoryBudget() / (config.numGroups * config.workers);
    const { validation, ...table } = await openTable(cacheFolder, { slots, leaveOut: ["test"], memoryBytes });
    if (!validation) throw new Error("internal: validation rows were left out");
    const shard = rowsOfSlots(table.train.slotOffsets, slots);
    return { ...tableGroupSpec(config, { ...table, validation, shard }), meaning: meaningOf(table.preprocessing) };
  },
  async shards(config, slots, cacheFolder) {
    const report = describeShards(await prepareTable(tableSpecOf(config), { cacheFolder }), config.data.regime, slots);
    return { report, lines: () => shardLines(report) };
  },
  checkOwnFile(name, path, { teachers }) {
    const teacher = teachers?.[Number(name.slice("teacher ".length)) - 1];
    if (teacher && "model" in teacher && teacher.inputs) readModelFile(path);
    else checkServedModel(path);
  },
};

/** What the teachers of a run do, in words. */
function teacherNotes({ teachers, teacherWeight = DEFAULT_TEACHER_WEIGHT }: TableRunConfig): string[] {
  if (!teachers) return [];
  const names = teachers.map((one, i) =>
    "column" in one ? one.column : `${"model" in one ? "a model" : "columns"} (teachers.${i})`,
  );
  const whose = names.length === 1 ? `what ${names[0]} predicts` : `the mean of what ${firstNames(names, 8)} predict`;
  return [
    `${percent(teacherWeight)} of the label loss is against ${whose}, computed once and kept with the data (teachers, teacherWeight)`,
  ];
}

/** Entries for the metadata of a model about the table that it was trained on. */
export function tableMetadata(
  { data }: TableRunConfig,
  { reading, seen, serving, preprocessing }: Pick<PreparedTable, "reading" | "seen" | "serving" | "preprocessing">,
): Readonly<Record<string, string>> {
  return {
    label: data.label,
    ...(data.weight !== undefined && { weight: data.weight }),
    features: JSON.stringify({ ...data.categorical, ...data.numeric, ...data.labelMeans }),
    reading: JSON.stringify(reading),
    seen: JSON.stringify(seenFeatures(seen, serving, preprocessing)),
    ...(data.columns && { columns: JSON.stringify(data.columns) }),
    ...meaningOf(preprocessing),
  };
}

/**
 * What the places of params stand for, as digests: the names of each vocabulary by their ids, the numeric features in their order, and
 * the classes of the label in theirs.
 */
function meaningOf({ vocabularies, numeric, labels }: Preprocessing): Readonly<Record<string, string>> {
  const digest = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex");
  return {
    names: digest(Object.entries(vocabularies)),
    numbers: digest(Object.keys(numeric)),
    ...(labels?.kind !== "numbers" && { labelClasses: digest(labels?.classes ?? binaryClasses) }),
  };
}

/** The spec of a configuration's table. */
export function tableSpecOf({ data, task, teachers }: TableRunConfig): ReadSpec {
  const { source, label, positive, weight, categorical, numeric, split, columns, maxBadRows } = data;
  const { shardBy, filters, vocabularies, labelMeans } = data;
  const fitted = positive === undefined ? labelsToFit(task) : task.kind;
  const reading = givenReadingOf(data);
  return {
    source,
    label,
    ...(positive !== undefined && { positive }),
    ...(weight !== undefined && { weight }),
    ...(teachers && { teachers: teachers.map(withDigest) }),
    categorical,
    numeric,
    split: splitOf(split, task),
    ...(Object.keys(reading).length > 0 && { reading }),
    ...(fitted && { task: fitted }),
    ...(task.kind === "regression" && task.scale === "log" && { labelScale: "log" as const }),
    ...(columns && { columns }),
    ...(maxBadRows && { maxBadRows }),
    ...(shardBy && { shardBy }),
    ...(filters && { filters }),
    ...(vocabularies && { vocabularies }),
    ...(labelMeans && { labelMeans }),
  };
}

/** A teacher with the digest of its file, where it is a model. */
function withDigest(teacher: NonNullable<TableRunConfig["teachers"]>[number]): TableTeacher {
  if (!("model" in teacher)) return teacher;
  const { inputs, ...rest } = teacher;
  const sha256 = createHash("sha256").update(readRegular(teacher.model)).digest("hex");
  return inputs ? { ...rest, inputs, sha256 } : { model: rest.model, weight: rest.weight, sha256 };
}

/** The split, stratified by classes unless the configuration says otherwise or the label has no classes. */
function splitOf(split: TableRunConfig["data"]["split"], { kind }: TableRunConfig["task"]): ReadSpec["split"] {
  if (split.kind === undefined) return split;
  return { ...split, stratify: split.stratify ?? kind !== "regression" };
}

function rowsOf({ data }: TableRunConfig, { train, validation, test, numUnassigned, numMalformed }: PreparedTable) {
  return {
    train: train.numRows,
    validation: validation.numRows,
    test: test.numRows,
    ...(data.filters && { unassigned: numUnassigned }),
    ...(numMalformed > 0 && { malformed: numMalformed }),
  };
}

function checkShards({ data, numGroups, globalBatchSize, accumulate }: TableRunConfig, { train }: PreparedTable): void {
  const sizes = Array.from(
    { length: numGroups },
    (_, group) => rowsOfSlots(train.slotOffsets, slotsUnder(data, group, numGroups)).length,
  );
  const smallest = Math.min(...sizes);
  const batch = globalBatchSize / accumulate;
  if (smallest >= batch) return;
  throw new DataError(
    `a batch of ${batch} rows needs a shard of at least as many, and that of group ${sizes.indexOf(smallest)} of ${numGroups} has ${smallest}. ` +
      `Lower globalBatchSize, ${data.filters ? "widen its filter" : "use fewer groups"}, or add data.`,
  );
}
