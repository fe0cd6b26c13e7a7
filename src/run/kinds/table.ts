/** Runs on tables: rows with features and a label. */
import { z } from "zod";
import { columnReadingSchema, type GivenReading } from "../../reading/reading.js";
import { outputNames } from "../../train/task.js";
import {
  commonOptions,
  inFull,
  labelNoiseSchema,
  regimeSchema,
  runName,
  sharesSchema,
  sourceSchema,
} from "../common-schema.js";
import type { TableRunInput } from "../input/run.js";
import { hint } from "../known-names.js";
import { tableModelSchema } from "../model-schema.js";
import { taskInFull, taskSchema } from "../task-schema.js";
import { MAX_TEACHERS, tableTeachers, teacherWeightProblems } from "../teacher-schema.js";
import type { DataKind, OwnFile } from "./kind.js";

const sqlExpression = z.string().min(1);

const vocabulary = z.strictObject({
  minRows: z.int().positive().optional(),
  maxNames: z.int().positive().optional(),
});

/** The most folds of a cross-validation. */
export const MAX_FOLDS = 100;

const share = z.number().positive().lt(1);

/** SQL predicates that say which rows train, which choose the best checkpoint, and which are scored once at the end. */
const splitByPredicates = z.strictObject({
  kind: z.undefined().optional(),
  train: sqlExpression,
  validation: sqlExpression,
  test: sqlExpression,
});

/** A random split: rows are ordered by a hash, so that each split has its share of the rows up to rounding. */
const splitByRank = z.strictObject({
  kind: z.literal("rows"),
  shares: z.strictObject({ validation: share, test: share }).default({ validation: 0.1, test: 0.1 }),
  seed: z.int().nonnegative().default(1),
  groupBy: z.exactOptional(sqlExpression),
  keepEqual: z.boolean().default(true),
  stratify: z.exactOptional(z.boolean()),
  where: z.exactOptional(sqlExpression),
  fold: z.exactOptional(z.strictObject({ number: z.int().positive(), of: z.int().min(2).max(MAX_FOLDS) })),
});

/** A table: rows with features and a label. */
const tableDataSchema = z.strictObject({
  kind: z.literal("table").optional(),
  source: sourceSchema,
  columns: z.array(z.string().min(1)).min(1).optional(),
  maxBadRows: z.int().nonnegative().optional(),
  encoding: z
    .string()
    .regex(/^[A-Za-z0-9_:.-]{1,30}$/, "must be the name of an encoding, as windows-1252")
    .optional(),
  delimiter: z
    .string()
    .regex(/^[^\r\n"\p{L}\p{N}]$/u, "must be one character that is no letter, digit or quote")
    .optional(),
  nullValues: z.array(z.string().max(60)).max(100).optional(),
  decimal: z.enum([".", ","]).optional(),
  dateFormat: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(12)]).optional(),
  reading: z.record(z.string(), columnReadingSchema).optional(),
  label: sqlExpression,
  positive: z.exactOptional(z.string().min(1)),
  weight: z.exactOptional(sqlExpression),
  categorical: z.record(z.string(), sqlExpression).default({}),
  numeric: z.record(z.string(), sqlExpression).default({}),
  vocabularies: z.record(z.string(), vocabulary).optional(),
  labelMeans: z.record(z.string(), sqlExpression).optional(),
  split: z.discriminatedUnion("kind", [splitByPredicates, splitByRank]),
  shardBy: sqlExpression.optional(),
  filters: z.array(sqlExpression).optional(),
  labelNoise: labelNoiseSchema,
  regime: regimeSchema,
  shares: sharesSchema,
});

const tableRunSchema = z
  .strictObject({
    name: runName,
    data: tableDataSchema,
    task: taskSchema.default("binary"),
    model: tableModelSchema,
    ...tableTeachers,
    ...commonOptions,
  })
  .transform((run) => ({ ...inFull(run), task: taskInFull(run.task) }));

/** A configuration of a run on a table. */
export type TableRunConfig = z.output<typeof tableRunSchema>;

export const tableKind: DataKind<typeof tableRunSchema, TableRunInput> = {
  noun: "tables",
  schema: tableRunSchema,
  isDocumented: true,
  problems: (config) =>
    [nameProblems, modelProblems, splitProblems, labelProblems, noiseProblems, rowProblems, teacherProblems].flatMap(
      (rule) => rule(config),
    ),
  located: (config, absolute) => {
    const { data, teachers } = config;
    const own = teachers?.map((one) => ("model" in one ? { ...one, model: absolute(one.model) } : one));
    return { ...config, data: { ...data, source: [data.source].flat().map(absolute) }, ...(own && { teachers: own }) };
  },
  ownFiles: Object.fromEntries(Array.from({ length: MAX_TEACHERS }, (_, i) => [`teacher ${i + 1}`, teacherFile(i)])),
  numPerStep: ({ globalBatchSize }) => globalBatchSize,
  numToTrain: ({ rows }) => rows.train - (rows.unassigned ?? 0),
  isDealtByChance: ({ data: { filters, shardBy, split } }) =>
    !filters && !shardBy && !(split.kind === "rows" && split.groupBy !== undefined),
  usage: ({ task }, model) => ({
    signature: `columns in, ${outputNames[task.kind]} out`,
    command: `predict ${model} new.csv`,
    docs: "docs/serving.md",
  }),
};

/** The file of the teacher at a place in the list, where that is a model. */
function teacherFile(place: number): OwnFile<TableRunConfig> {
  return {
    option: `teachers.${place}.model`,
    copy: `teacher-${place + 1}.onnx`,
    pathIn({ teachers }) {
      const own = teachers?.[place];
      return own && "model" in own ? own.model : undefined;
    },
    withPath: (config, path) => ({
      ...config,
      ...(config.teachers && {
        teachers: config.teachers.map((own, i) => (i === place && "model" in own ? { ...own, model: path } : own)),
      }),
    }),
  };
}

/** The options of a table that say how text becomes values. */
export function givenReadingOf({
  encoding,
  delimiter,
  nullValues,
  decimal,
  dateFormat,
  reading,
}: Pick<
  z.output<typeof tableDataSchema>,
  "encoding" | "delimiter" | "nullValues" | "decimal" | "dateFormat" | "reading"
>): GivenReading {
  return {
    ...(encoding !== undefined && { encoding }),
    ...(delimiter !== undefined && { delimiter }),
    ...(nullValues !== undefined && { nullValues }),
    ...(decimal !== undefined && { decimal }),
    ...(dateFormat !== undefined && { dateFormats: typeof dateFormat === "string" ? [dateFormat] : dateFormat }),
    ...(reading !== undefined && { columns: reading }),
  };
}

function nameProblems({ data, model }: TableRunConfig): string[] {
  const known = Object.keys(data.categorical);
  const unknown = Object.entries({
    "model.embeddings": model.embeddings,
    "model.hashed": model.hashed ?? {},
    "data.vocabularies": data.vocabularies ?? {},
  }).flatMap(([path, names]) =>
    Object.keys(names)
      .filter((name) => !Object.hasOwn(data.categorical, name))
      .map((name) => `${path}.${name}: must be a name in data.categorical${hint(name, known)}`),
  );
  const kinds = ["categorical", "numeric", "labelMeans"] as const;
  const twice = kinds.flatMap((kind, i) =>
    kinds.slice(0, i).flatMap((other) =>
      Object.keys(data[kind] ?? {})
        .filter((name) => Object.hasOwn(data[other] ?? {}, name))
        .map((name) => `data.${kind}.${name}: is a name in data.${other} too; rename one`),
    ),
  );
  return [...unknown, ...twice];
}

function modelProblems({ model }: TableRunConfig): string[] {
  if (model.kind !== "tabm" || model.membersPerRow === undefined || model.members % model.membersPerRow === 0)
    return [];
  return [`model.membersPerRow: must divide model.members (${model.members}), got ${model.membersPerRow}`];
}

function splitProblems({ data, task }: TableRunConfig): string[] {
  if (data.split.kind !== "rows") return [];
  const { shares, stratify, fold } = data.split;
  const problems: string[] = [];
  if (fold && fold.number > fold.of) {
    problems.push(`data.split.fold.number: must be a fold from 1 to ${fold.of}, got ${fold.number}`);
  }
  if (shares.validation + shares.test >= 1) {
    problems.push(
      `data.split.shares: validation and test must be below 1 together, got ${shares.validation} and ${shares.test}`,
    );
  }
  if (stratify && task.kind === "regression") {
    problems.push('data.split.stratify: is of classes, which task "regression" has none of; leave it out');
  }
  return problems;
}

function labelProblems({ data, task }: TableRunConfig): string[] {
  const problems: string[] = [];
  if (data.positive !== undefined && task.kind !== "binary") {
    problems.push(`data.positive: is of binary labels, and task is "${task.kind}"; leave it out`);
  }
  const output = outputNames[task.kind];
  for (const kind of ["categorical", "numeric", "labelMeans"] as const) {
    if (Object.hasOwn(data[kind] ?? {}, output))
      problems.push(`data.${kind}.${output}: is the name of the exported model's output; rename it`);
  }
  return problems;
}

function noiseProblems({ data, task }: TableRunConfig): string[] {
  const { labelNoise, labelMeans } = data;
  if (!labelNoise) return [];
  if (task.kind === "regression") {
    return [
      `data.labelNoise: replaces classes by others, which task "regression" has none of; leave it out, got ${labelNoise}`,
    ];
  }
  return labelMeans && Object.keys(labelMeans).length > 0
    ? [
        "data.labelNoise: must be left out with data.labelMeans, which are computed of the right labels and would tell them",
      ]
    : [];
}

function rowProblems({ data, numGroups }: TableRunConfig): string[] {
  const problems: string[] = [];
  if ([data.categorical, data.numeric, data.labelMeans ?? {}].every((one) => Object.keys(one).length === 0)) {
    problems.push("data: needs at least one feature in data.categorical, data.numeric or data.labelMeans");
  }
  if (data.filters && data.filters.length !== numGroups) {
    problems.push(`data.filters: must list one predicate for each of ${numGroups} groups, got ${data.filters.length}`);
  }
  if (data.filters && data.regime !== "disjoint") {
    problems.push(`data.filters: must be left out unless data.regime is "disjoint", and it is "${data.regime}"`);
  }
  return problems;
}

function teacherProblems(config: TableRunConfig): string[] {
  const { teachers, task } = config;
  if (!teachers) return teacherWeightProblems(config);
  return teachers.flatMap((teacher, i) => {
    const alone =
      "model" in teacher && !teacher.inputs ? (["output", "classes"] as const).filter((one) => teacher[one]) : [];
    if (alone.length > 0) {
      return [
        `teachers.${i}.${alone[0]}: is of a model of another program, of which inputs says what it reads; give inputs too, or leave it out`,
      ];
    }
    if ("columns" in teacher && task.kind !== "multiclass") {
      return [
        `teachers.${i}.columns: are the probabilities of several classes, and task is "${task.kind}"; give column, one expression`,
      ];
    }
    if ("column" in teacher && task.kind === "multiclass") {
      return [
        `teachers.${i}.column: is one number, and task "multiclass" has a probability for each class; give columns, { class: expression }`,
      ];
    }
    return [];
  });
}
