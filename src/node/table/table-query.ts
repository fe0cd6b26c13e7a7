/** The SQL that turns source files into a table of features. Text only: nothing here talks to DuckDB. */
import { numSlots } from "../../data/shard.js";
import type { RowSplit } from "../../data/split.js";
import { double, enclosed, identifier } from "../../data/sql.js";
import type { Shift, TableSpec, TableTeacher, VocabularyLimits } from "../../data/table.js";
import { counted } from "../../report/format.js";

/** One expression of a spec: its name in errors, the user's text, and its SQL. */
export interface Part {
  readonly role: string;
  readonly expression: string;
  readonly sql: string;
}

/** The code of each split in the `examples` table; {@link inTwoSplits} marks a row that two predicates match. */
export const splitCodes = { train: 0, validation: 1, test: 2 } as const;
export const inTwoSplits = 3;

/** The code of a training row that no group's filter wants. */
export const unassigned = 4;

/** A number of rows in words. */
export function rows(number: number): string {
  return counted(number, "row");
}

/** Every expression of a spec, in the order of the `examples` table's columns. */
export function partsOf(spec: TableSpec) {
  const part = (role: string, expression: string, type: string): Part => ({
    role,
    expression,
    sql: type === "" ? enclosed(expression) : `cast(${enclosed(expression)} as ${type})`,
  });
  const named = (kind: string, entries: Readonly<Record<string, string>>, type: string) =>
    Object.entries(entries).map(([name, expression]) => part(`${kind} feature "${name}"`, expression, type));
  // Text that is empty is missing, as a served model has no other mark for that.
  const texts = (kind: string, entries: Readonly<Record<string, string>>) =>
    named(kind, entries, "varchar").map((one) => ({ ...one, sql: `nullif(${one.sql}, '')` }));
  return {
    categorical: texts("categorical", spec.categorical),
    numeric: named("numeric", spec.numeric, "double"),
    labelMeans: texts("mean of the label for", spec.labelMeans ?? {}),
    label: part("label", spec.label, ""),
    weight: spec.weight === undefined ? null : weightPart(spec.weight),
    teachers: (spec.teachers ?? []).map((teacher, i) => teacherParts(teacher, i)),
    teacherInputs: (spec.teachers ?? []).map((teacher, i) => inputParts(teacher, i)),
    groupBy: isRowSplit(spec.split) && spec.split.groupBy !== undefined ? groupPart(spec.split.groupBy) : null,
    splits: isRowSplit(spec.split)
      ? null
      : {
          train: part('split "train"', spec.split.train, "boolean"),
          validation: part('split "validation"', spec.split.validation, "boolean"),
          test: part('split "test"', spec.split.test, "boolean"),
        },
    ofRowSplit: isRowSplit(spec.split)
      ? [
          ...(spec.split.groupBy === undefined ? [] : [groupPart(spec.split.groupBy)]),
          ...(spec.split.where === undefined ? [] : [part("split.where", spec.split.where, "boolean")]),
        ]
      : [],
    filters: (spec.filters ?? []).map((filter, group) => part(`filter of group ${group}`, filter, "boolean")),
    shardBy: spec.shardBy === undefined ? null : part("`shardBy`", spec.shardBy, "varchar"),
  };
}

/** The value by which rows stay together. */
export function groupPart(expression: string): Part {
  return { role: "split.groupBy", expression, sql: `cast(${enclosed(expression)} as varchar)` };
}

/** The weight of a row: null where the expression is null or no number. */
export function weightPart(expression: string): Part {
  return { role: "`weight`", expression, sql: `try_cast(${enclosed(expression)} as double)` };
}

/** The predictions of a teacher that columns have: null where they are null or no number; none of a model. */
function teacherParts(teacher: TableTeacher, place: number): readonly Part[] {
  if ("model" in teacher) return [];
  const part = (role: string, expression: string): Part => ({
    role,
    expression,
    sql: `try_cast(${enclosed(expression)} as double)`,
  });
  if ("column" in teacher) return [part(`teachers.${place}.column`, teacher.column)];
  return Object.entries(teacher.columns).map(([name, sql]) => part(`teachers.${place}.columns.${name}`, sql));
}

/** What a model of another program reads of a row, in the order of the configuration; none of other teachers. */
function inputParts(teacher: TableTeacher, place: number): readonly Part[] {
  if (!("inputs" in teacher)) return [];
  return Object.entries(teacher.inputs).flatMap(([name, written]) =>
    [written].flat().map((expression) => ({
      role: `teachers.${place}.inputs.${name}`,
      expression,
      sql: enclosed(expression),
    })),
  );
}

/** The SQL name of what a model of another program reads, in `examples` before it has predicted. */
export function teacherInput(teacher: number, place: number): string {
  return identifier(`codistill teacher ${teacher} input ${place}`);
}

/** The SQL name of a teacher's prediction, of several classes one for each in the teacher's order: of `examples` and `teacher_rows`. */
export function teacherColumn(teacher: number, output: number): string {
  return identifier(`codistill teacher ${teacher} ${output}`);
}

/** Whether a split is by rank, and not by predicates. */
export function isRowSplit(split: TableSpec["split"]): split is RowSplit {
  return "kind" in split && split.kind === "rows";
}

/** What {@link partsOf} gives. */
export type Parts = ReturnType<typeof partsOf>;

/**
 * The features by which rows are told apart. A mean of the label is one where its name is not a feature itself: beside
 * that it changes neither which rows are equal nor the split.
 */
export function featureParts({ categorical, numeric, labelMeans }: Parts): readonly Part[] {
  const own = new Set(categorical.map(({ sql }) => sql));
  return [...categorical, ...numeric, ...labelMeans.filter(({ sql }) => !own.has(sql))];
}

/** The parts as one list. */
export function listed(parts: Parts): readonly Part[] {
  const { categorical, numeric, labelMeans, label, weight, teachers, teacherInputs, ...others } = parts;
  const { splits, ofRowSplit, filters, shardBy } = others;
  return [
    ...categorical,
    ...numeric,
    ...labelMeans,
    label,
    ...(weight === null ? [] : [weight]),
    ...teachers.flat(),
    ...teacherInputs.flat(),
    ...(splits === null ? ofRowSplit : [splits.train, splits.validation, splits.test]),
    ...filters,
    ...(shardBy === null ? [] : [shardBy]),
  ];
}

/**
 * The rows of the source that are in a split: `label` by an expression over {@link rawLabel}, `split` as a code, `weight`
 * where rows have weights, features c0, c1, ... and n0, n1, ..., and the hash slot of training rows. Where there are means
 * of the label, m0, m1, ... are the names, and `fold_hash` is the same for copies of a row, and for rows of one group.
 * Where teachers do not change, {@link teacherColumn} has what each predicts, of models from the table `teacher_rows`. Row ids follow
 * the source's order.
 */
export function examplesQuery(
  parts: Parts,
  columns: readonly string[],
  label: string,
  ofModels: readonly string[] = [],
): string {
  const slot = `cast(${slotNumber(parts, `md5_number_lower(${slotText(parts, columns)})`)} as usmallint)`;
  const foldText = slotText({ ...parts, shardBy: null }, columns);
  const outputs = [
    ...parts.categorical.map(({ sql }, i) => `${sql} as c${i}`),
    ...parts.numeric.map(({ sql }, i) => `${sql} as n${i}`),
    ...parts.labelMeans.map(({ sql }, i) => `${sql} as m${i}`),
    ...(parts.labelMeans.length > 0 ? [`md5_number_lower(${foldText}) as fold_hash`] : []),
    `${label} as label`,
    ...(parts.weight === null ? [] : [`${parts.weight.sql} as weight`]),
    ...parts.teachers.flatMap((own, i) => own.map(({ sql }, output) => `${sql} as ${teacherColumn(i, output)}`)),
    ...parts.teacherInputs.flatMap((own, i) => own.map(({ sql }, place) => `${sql} as ${teacherInput(i, place)}`)),
    ...ofModels,
    `${splitColumn} as split`,
    `case when ${splitColumn} = ${splitCodes.train} then ${slot} else 0 end as slot`,
  ];
  return `select ${outputs.join(", ")} ${wantedRows(parts, ofModels)}`;
}

/** The label's value as it is in the source. */
export const rawLabel = identifier("codistill label");

/** The code of a row's split, in `row_splits` as beside the columns of the source. */
export const splitColumn = identifier("codistill split");

/**
 * The source with the label's value and the split's code beside its own columns, and `ofModels`, columns of `teacher_rows`, less the
 * rows that no split wants.
 */
export function wantedRows(parts: Parts, ofModels: readonly string[] = []): string {
  const { label, splits } = parts;
  const beside = [
    ...(splits === null ? [`(select ${splitColumn} as ${ranked} from row_splits)`] : []),
    ...(ofModels.length > 0 ? [`(select ${ofModels.join(", ")} from teacher_rows)`] : []),
  ];
  const rows = ["source_rows", ...beside].join(" positional join ");
  return `from (select *, ${label.sql} as ${rawLabel}, ${codeOf(parts)} as ${splitColumn} from ${rows})
    where ${splitColumn} is not null`;
}

const ranked = identifier("codistill ranked split");

/** The code of the split that a row is in; null for none. */
export function codeOf({ filters, splits }: Parts): string {
  const matches = splits
    ? [splits.train, splits.validation, splits.test].map(isTrue)
    : Object.values(splitCodes).map((code) => `${ranked} is not distinct from ${code}`);
  const isOfNone = `${matches[splitCodes.train]} and not (${filters.map(isTrue).join(" or ")})`;
  const code = [
    `when ${matches.map((match) => `cast(${match} as integer)`).join(" + ")} > 1 then ${inTwoSplits}`,
    ...(filters.length > 0 ? [`when ${isOfNone} then ${unassigned}`] : []),
    ...matches.map((match, index) => `when ${match} then ${index}`),
  ];
  return `case ${code.join(" ")} end`;
}

function isTrue({ sql }: Part): string {
  return `coalesce(${sql}, false)`;
}

/**
 * The slot of a hash. With filters, it is one of the slots of the row's group: those whose index modulo the number of
 * groups is the group.
 */
function slotNumber({ filters }: Parts, hash: string): string {
  if (filters.length === 0) return `${hash} % ${numSlots}`;
  const group = `case ${filters.map((filter, index) => `when ${isTrue(filter)} then ${index}`).join(" ")} end`;
  return `(${hash} % ${Math.floor(numSlots / filters.length)}) * ${filters.length} + ${group}`;
}

/**
 * The text whose hash gives the slot: values joined by the unit separator, where a null has a mark that no text is. Rows
 * that the split keeps together are in one slot, unless `shardBy` says otherwise; a row without such a value is by itself.
 */
function slotText({ shardBy, groupBy }: Pick<Parts, "shardBy" | "groupBy">, columns: readonly string[]): string {
  const joined = (values: readonly string[]) =>
    `concat_ws(chr(31), ${values.map((value) => `coalesce(${value}, chr(30))`).join(", ")})`;
  if (shardBy !== null) return joined([shardBy.sql]);
  const row = joined(columns.map((name) => `cast(${identifier(name)} as varchar)`));
  return groupBy === null ? row : `coalesce(${groupBy.sql}, ${row})`;
}

/** The type whose values are the vocabulary of categorical feature `i`, the most frequent first: value k has id k + 1. */
export function vocabularyType(i: number, { minRows = 1, maxNames }: VocabularyLimits = {}): string {
  return `create type vocabulary${i} as enum (select c${i} from examples
    where split = ${splitCodes.train} and c${i} is not null group by c${i} having count(*) >= ${minRows}
    order by count(*) desc, c${i} ${maxNames === undefined ? "" : `limit ${maxNames}`})`;
}

/** How many training rows no group's filter wants. */
export const unassignedQuery = `select count(*) from examples where split = ${unassigned}`;

/** How many training rows each hash slot has; slots without rows are left out. */
export const slotCountsQuery = `select slot, count(*) from examples where split = ${splitCodes.train} group by slot`;

/** A float64 as it is stored: as float32, after (x - center) / scale where it has a shift. */
export function shifted(sql: string, shift: Shift | null): string {
  if (shift === null) return `cast(${sql} as float)`;
  const { center, scale } = shift;
  return `cast((${sql} - ${double(center)}) / ${double(scale)} as float)`;
}

export interface RecordOptions {
  /** The SQL of the label's word in a record. */
  readonly labelWord: string;
  /** By what weights are divided, where rows have weights. */
  readonly meanWeight?: number | undefined;
  /** The SQL of each word of what fixed teachers predict; none without them. */
  readonly targetWords?: readonly string[] | undefined;
  /** The shift of each numeric feature, and then of each mean of the label. */
  readonly shifts: readonly (Shift | null)[];
  /** Whether the hash slot comes first. */
  readonly withSlot: boolean;
}

/**
 * The records of one split in the order of the source, a column for each word.
 * One table and no join, so that the order is kept without a sort.
 */
export function recordsQuery(
  parts: Parts,
  split: keyof typeof splitCodes,
  { labelWord, meanWeight, targetWords = [], shifts, withSlot }: RecordOptions,
): string {
  const words = [
    ...(withSlot ? ["cast(slot as integer)"] : []),
    ...parts.categorical.map((_, i) => `coalesce(enum_code(try_cast(c${i} as vocabulary${i})) + 1, 0)::integer`),
    ...shifts.map((shift, i) => `coalesce(${shifted(`n${i}`, shift)}, cast('nan' as float))`),
    ...(meanWeight === undefined ? [] : [`cast(weight / ${double(meanWeight)} as float)`]),
    ...targetWords,
    labelWord,
  ];
  return `select ${words.join(", ")} from examples where split = ${splitCodes[split]}`;
}
