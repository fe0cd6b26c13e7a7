/** Teachers as flags give them: models, columns, or SQL. */
import { enclosed } from "../../../data/sql.js";
import { ConfigError } from "../../../errors.js";
import type { ColumnDescription, Hint, LabelDescription } from "../../../infer/column.js";
import { argument, columnNamed } from "../../../reading/names.js";
import { firstNames } from "../../../report/format.js";
import type { TeacherInput } from "../../../run/input/run.js";
import { shippedModel } from "../../runs/run-folder.js";
import type { Database } from "../../sources/duckdb.js";
import type { SourceColumn } from "../source-rows.js";
import { checkExpressions } from "../table-checks.js";
import { columnsOf } from "./label-figures.js";
import { columnOrSql } from "./source.js";

/** Teachers of a configuration, and the columns that hold their predictions alone. */
export interface GivenTeachers {
  readonly teachers: readonly TeacherInput[];
  readonly columns: readonly string[];
  /** The teachers that are SQL. */
  readonly expressions: readonly string[];
}

/**
 * The path of a model, where a word is that or the folder of a run; null of a column or SQL. Throws {@link ConfigError} for the
 * folder of a run that has not finished.
 */
export function modelPathOf(word: string): string | null {
  if (/\.onnx$/i.test(word)) return word;
  const model = shippedModel(word, "--teacher");
  return model === word ? null : model;
}

/**
 * The teachers that words name: a path that ends in .onnx or the folder of a run is a model; else a column, or SQL over a row. Of a label of several
 * classes, `*` in the name of a column stands for each class.
 *
 * Throws {@link ConfigError} for a pattern without a column for each class, and for a column of the label.
 */
export function givenTeachers(
  words: readonly string[],
  columns: readonly SourceColumn[],
  { task, classes }: Pick<LabelDescription, "task" | "classes">,
  ofLabel: readonly string[],
): GivenTeachers {
  const [used, expressions]: [string[], string[]] = [[], []];
  const named = (word: string): string => {
    const { column, sql } = columnOrSql("--teacher", word, columns);
    if (column !== undefined && ofLabel.includes(column)) {
      throw new ConfigError(
        `--teacher ${word}: a teacher predicts the label, and ${column} is part of it. Name a column with predictions, or a model.onnx.`,
      );
    }
    if (column === undefined) expressions.push(sql);
    else used.push(column);
    return sql;
  };
  const teachers = words.map((word): TeacherInput => {
    const model = modelPathOf(word);
    if (model !== null) return { model };
    if (task !== "multiclass") {
      if (/^[^\s()]*\*$/.test(word)) {
        throw new ConfigError(
          `--teacher ${word}: * stands for the classes of a label of several, and this label has one number; name the column, or write SQL.`,
        );
      }
      return { column: named(word) };
    }
    const names = classes.map(({ value }) => [value, word.replace("*", () => value)] as const);
    const missing = names.filter(([, name]) => columnNamed(name, columns) === null);
    if (!word.includes("*") || missing.length > 0) {
      throw new ConfigError(
        `--teacher ${word}: of a label of ${classes.length} classes a teacher is a column for each, as probability_* where * is a class, and ${
          word.includes("*")
            ? `there is no column ${firstNames(
                missing.map(([, name]) => name),
                3,
              )}`
            : "this is one column"
        }. Name such columns, give a model.onnx, or write teachers in a configuration.`,
      );
    }
    return { columns: Object.fromEntries(names.map(([value, name]) => [value, named(name)])) };
  });
  return { teachers, columns: used, expressions };
}

/** That the SQL of a teacher reads columns which are features too, so that a model is made that needs them. */
export async function teacherHints(
  db: Database,
  expressions: readonly string[],
  columns: readonly ColumnDescription[],
): Promise<Hint[]> {
  const features = columns.flatMap(({ figures: { name }, features: own }) => (own.length > 0 ? [name] : []));
  const read = await Promise.all(expressions.map((sql) => columnsOf(db, sql, features)));
  return expressions.flatMap((sql, i): Hint[] => {
    const names = read[i] ?? [];
    if (names.length === 0) return [];
    const text = `${firstNames(names, 8)}: read by the teacher ${sql}, and ${names.length === 1 ? "a feature" : "features"} of the model too; what holds predictions is none: --ignore ${argument(names.join(","))}`;
    return [{ kind: "teacher", text }];
  });
}

/**
 * Look at teachers before anything is written: whether models are models, and SQL compiles. Throws {@link ConfigError},
 * {@link CheckpointError} or {@link DataError} with what is wrong.
 */
export async function checkTeachers(
  db: Database,
  { teachers, expressions }: GivenTeachers,
  columns: readonly SourceColumn[],
): Promise<void> {
  const models = teachers.flatMap((teacher) => ("model" in teacher ? [teacher.model] : []));
  if (models.length > 0) {
    // Only here, because ONNX Runtime takes time to load, and every command loads this file.
    const { checkServedModel } = await import("../served-model.js");
    for (const model of models) checkServedModel(model);
  }
  const parts = expressions.map((sql) => ({ role: "--teacher", expression: sql, sql: enclosed(sql) }));
  await checkExpressions(
    db,
    parts,
    columns.map(({ name }) => name),
  );
}
