/** Teachers of a table that do not change: what they predict for each row, and their mean as words of a record. */
import { availableParallelism } from "node:os";
import { double } from "../../data/sql.js";
import { binaryClasses, type LabelStatistics, type TableSpec, type TableTeacher } from "../../data/table.js";
import { DataError } from "../../errors.js";
import { count, firstNames } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";
import { isForeign, openForeign } from "./foreign-teacher.js";
import { openModel } from "./served-model.js";
import { openServedRows, servedRows } from "./served-rows.js";
import type { ReadSpec } from "./table-cache.js";
import { type Parts, rows, teacherColumn } from "./table-query.js";
import type { OpenFiles } from "./text-files.js";

/** What a teacher predicts: the classes that its columns are of, in their order; null for a number or where nobody says. */
export interface TeacherOutputs {
  /** Where the teacher stands in a configuration, and what it is. */
  readonly what: string;
  readonly classes: readonly string[] | null;
  /** Columns of `examples`, {@link teacherColumn}: one, or one for each of several classes. */
  readonly columns: readonly string[];
}

/** The teachers of a spec, the columns of `teacher_rows`, and notes on how models read the files. */
export interface ReadTeachers {
  readonly teachers: readonly TeacherOutputs[];
  readonly ofModels: readonly string[];
  readonly notes: readonly string[];
}

/** Those of a spec without teachers. */
export const noTeachers: ReadTeachers = { teachers: [], ofModels: [], notes: [] };

/**
 * Let the models among the teachers predict all rows of the source, each reading the files as its training did: the table
 * `teacher_rows`, in the order of the source. Leaves `source_rows` as a model has read them.
 *
 * Throws {@link DataError} for a model of another task, and for columns that it needs and the files lack.
 */
export async function predictTeachers(
  db: Database,
  open: OpenFiles,
  { teachers = [], task = "binary", label, reading, maxBadRows }: ReadSpec,
  onProgress: (stage: string) => void,
): Promise<ReadTeachers> {
  const notes: string[] = [];
  const made: { readonly outputs: TeacherOutputs; readonly isModel: boolean }[] = [];
  for (const [i, teacher] of teachers.entries()) {
    if (!("model" in teacher)) {
      made.push({ outputs: outputsOf(teacher, i), isModel: false });
      continue;
    }
    if (isForeign(teacher)) {
      // It predicts when its inputs have been computed; what is wrong with it is said before.
      await using foreign = await openForeign(teacher, `teachers.${i}.model`, task);
      const columns = Array.from({ length: foreign.numOutputs }, (_, output) => teacherColumn(i, output));
      made.push({ outputs: { what: `teachers.${i}.model`, classes: foreign.classes, columns }, isModel: false });
      continue;
    }
    onProgress(`predicting by teacher ${i + 1}`);
    await using model = await openModel(teacher.model, availableParallelism());
    const what = `teachers.${i}.model`;
    if (model.task.kind !== task) {
      throw new DataError(
        `${what}: a teacher predicts the student's label, and the student's task is "${task}", that of ${model.name} "${model.task.kind}". Give a model of this label.`,
      );
    }
    if (model.label !== label)
      notes.push(
        `${what} (${model.name}): predicts ${model.label}, and the label is ${label}; where these are not the same, give a model of this label`,
      );
    const read = await openServedRows(db, open, model, { reading, maxBadRows }).catch((error: unknown) => {
      // A run keeps a copy of the model: its place in the configuration and its name say which one it is.
      throw error instanceof DataError
        ? new DataError(`${what} (${model.name}): ${error.message}`, { cause: error })
        : error;
    });
    notes.push(...read.notes.map((note) => `${what}: ${note}`));
    const numOutputs = task === "multiclass" ? (model.classes?.length ?? 0) : 1;
    const columns = Array.from({ length: numOutputs }, (_, output) => teacherColumn(i, output));
    await db.run(`create table teacher_${i} (${columns.map((name) => `${name} double`).join(", ")})`);
    for await (const { inputs } of servedRows(db, read.inputs)) {
      const { predicted } = await model.predict(inputs);
      const numRows = predicted.length / numOutputs;
      await db.append(
        `teacher_${i}`,
        columns.map((_, output) =>
          Float64Array.from({ length: numRows }, (_, row) => predicted[row * numOutputs + output] as number),
        ),
      );
    }
    made.push({ outputs: { what, classes: model.classes, columns }, isModel: true });
  }
  const models = made.flatMap(({ isModel }, i) => (isModel ? [`teacher_${i}`] : []));
  if (models.length > 0) await db.run(`create table teacher_rows as select * from ${models.join(" positional join ")}`);
  return {
    teachers: made.map(({ outputs }) => outputs),
    ofModels: made.flatMap(({ isModel, outputs }) => (isModel ? outputs.columns : [])),
    notes,
  };
}

/** Throws {@link DataError} unless the models have read as many rows as the training. */
export async function checkTeacherRows(db: Database, { ofModels }: ReadTeachers): Promise<void> {
  if (ofModels.length === 0) return;
  const [[read, predicted] = []] = await db.rows(
    "select (select count(*) from source_rows), (select count(*) from teacher_rows)",
  );
  if (read === predicted) return;
  throw new DataError(
    `teachers: the models read the files as their training read its files, and found ${rows(Number(predicted))} where this training finds ${rows(Number(read))}. Give the delimiter and the encoding of the files, as data.delimiter and data.encoding.`,
  );
}

function outputsOf(teacher: Exclude<TableTeacher, { readonly model: string }>, place: number): TeacherOutputs {
  if ("column" in teacher)
    return { what: `teachers.${place}.column`, classes: null, columns: [teacherColumn(place, 0)] };
  const classes = Object.keys(teacher.columns);
  const columns = classes.map((_, output) => teacherColumn(place, output));
  return { what: `teachers.${place}.columns`, classes, columns };
}

/** How far the probabilities of a row may be from a sum of 1, as those that were written with few digits are. */
const SUM_TOLERANCE = 0.01;

/**
 * The mean of what the teachers predict, by their weights, as SQL over a row of `examples`: one, or one for each class of several.
 * Probabilities of several classes are divided by their sum.
 *
 * Throws {@link DataError} for teachers of other classes, and for predictions that are missing, or no probabilities where the label
 * has classes.
 */
export async function teachersMean(
  db: Database,
  { teachers: specs = [], task, labelScale }: Pick<TableSpec, "teachers" | "task" | "labelScale">,
  { teachers }: ReadTeachers,
  parts: Parts,
  labels: LabelStatistics | null,
): Promise<readonly string[]> {
  const isOfClasses = labels !== null && labels.kind === "classes";
  const classes = isOfClasses ? labels.classes : [];
  for (const [i, teacher] of teachers.entries())
    await checkPredictions(db, teacher, parts.teachers[i] ?? [], isOfClasses);
  const total = specs.reduce((sum, { weight }) => sum + weight, 0);
  const meanOf = (of: (teacher: TeacherOutputs) => string) =>
    `(${teachers.map((teacher, i) => `${double((specs[i]?.weight ?? 0) / total)} * (${of(teacher)})`).join(" + ")})`;
  if (task === "multiclass") {
    const orders = teachers.map((teacher) => orderOf(teacher, classes));
    return classes.map((_, k) =>
      meanOf((teacher) => {
        const order = orders[teachers.indexOf(teacher)] as readonly number[];
        return `${teacher.columns[order[k] as number]} / (${teacher.columns.join(" + ")})`;
      }),
    );
  }
  if (!isOfClasses) {
    const mean = meanOf(({ columns }) => `${columns[0]}`);
    return [labelScale === "log" ? `greatest(${mean}, 0)` : mean];
  }
  return [
    meanOf((teacher) => {
      const [own] = teacher.columns;
      const [first] = orderOf(teacher, classes);
      return first === 0 ? `${own}` : `1 - ${own}`;
    }),
  ];
}

/** Where a teacher has each class. Throws {@link DataError} for a teacher of other classes. */
function orderOf({ what, classes: own }: TeacherOutputs, classes: readonly string[]): readonly number[] {
  if (own === null) return classes.map((_, k) => k);
  const order = classes.map((name) => own.indexOf(name));
  if (own.length === classes.length && !order.includes(-1)) return order;
  throw new DataError(
    `${what}: a teacher predicts the classes of the label, which are ${count(classes.length)} (${firstNames(classes, 10)}), and it has ${count(own.length)} (${firstNames(own, 10)}). ${
      classes.join() === binaryClasses.join()
        ? "Name the positive class of the label, as --positive or data.positive."
        : "Give a model of this label, or the predictions as columns."
    }`,
  );
}

/** Throws {@link DataError} for predictions that are missing or infinite, or no probabilities where the label has classes. */
async function checkPredictions(
  db: Database,
  { what, columns }: TeacherOutputs,
  own: Parts["teachers"][number],
  areProbabilities: boolean,
): Promise<void> {
  const any = (condition: (column: string) => string) => columns.map(condition).join(" or ");
  const faults = {
    "missing or no number": any((column) => `${column} is null or isnan(${column})`),
    infinite: any((column) => `isinf(${column})`),
    ...(areProbabilities && { "below 0 or above 1": any((column) => `${column} < 0 or ${column} > 1`) }),
    ...(areProbabilities &&
      columns.length > 1 && {
        "of a sum that is not 1": `abs(${columns.join(" + ")} - 1) > ${SUM_TOLERANCE}`,
      }),
  };
  const [found = []] = await db.rows(
    `select count(*), ${Object.values(faults)
      .map((fault) => `count(*) filter (${fault})`)
      .join(", ")} from examples`,
  );
  const [all = 0, ...counts] = found.map(Number);
  const wrong = Object.keys(faults).flatMap((fault, i) =>
    (counts[i] ?? 0) > 0 ? [`${fault} in ${count(counts[i] as number)}`] : [],
  );
  if (wrong.length === 0) return;
  const rule = areProbabilities
    ? columns.length > 1
      ? "a teacher gives each class a probability from 0 to 1, and all together 1"
      : "a teacher gives the probability of the positive label, from 0 to 1"
    : "a teacher gives a finite number";
  const arePercent = columns.map((column) => `min(${column}) >= 0 and max(${column}) between 1 and 100`).join(" and ");
  const [[isPercent] = []] = areProbabilities ? await db.rows(`select ${arePercent} from examples`) : [];
  const cure = isPercent === true ? "Where they are in percent, divide them by 100. Else write" : "Write";
  const written = own.length > 0 ? `: ${own.map(({ expression }) => expression).join(", ")}` : "";
  throw new DataError(
    `${what}: ${rule}, and of ${rows(all)} it is ${wrong.join(", ")}${written}. ${cure} an expression that gives one for every row, or leave these rows out of the splits.`,
  );
}
