/** Teachers that other programs have written: any ONNX model, with what of a row each of its inputs is. */
import { availableParallelism } from "node:os";
import type { ForeignModel, TableSpec, TableTeacher } from "../../data/table.js";
import { CheckpointError, ConfigError, DataError, messageOf } from "../../errors.js";
import type { ElementType } from "../../graph/onnx/element-types.js";
import { encodeModel } from "../../graph/onnx-proto.js";
import type { TaskKind } from "../../log/events.js";
import { nearest } from "../../nearest.js";
import { firstNames } from "../../report/format.js";
import { type Closable, closable } from "../../runtime/closable.js";
import { type ForeignInput, foreignGraph } from "../../serving/foreign-graph.js";
import { InferenceSession, Tensor } from "../ort/library.js";
import { MODEL_FORMAT, readModelFile } from "../ort/model-file.js";
import type { Database, ValueColumns } from "../sources/duckdb.js";
import { rows, teacherColumn, teacherInput } from "./table-query.js";

/** An open model of another program. */
export interface OpenForeign extends Closable {
  /** The type of each expression of its inputs, in their order in the configuration. */
  readonly types: readonly ElementType[];
  /** The classes that its predictions are of, the negative first where there are two; null where nobody says. */
  readonly classes: readonly string[] | null;
  /** How many predictions it gives for a row: one, or one for each class. */
  readonly numOutputs: number;
  /** Whether it has given two probabilities, of which nobody says which is that of the positive label: the second is taken for it. */
  readonly isSecondTaken: boolean;
  /** Predict rows, given as a column for each expression: [rows, numOutputs]. */
  predict(columns: ValueColumns): Promise<Float64Array>;
}

/** Whether a teacher is a model of another program, which is told what its inputs are. */
export function isForeign(teacher: TableTeacher): teacher is ForeignModel & { readonly weight: number } {
  return "model" in teacher && "inputs" in teacher;
}

/**
 * Open a model of another program. `what` is its place in the configuration.
 *
 * Throws {@link ConfigError} for inputs that it does not have or that are not given, and {@link CheckpointError} for a file that is
 * no model, or does not run here.
 */
export async function openForeign(teacher: ForeignModel, what: string, task: TaskKind): Promise<OpenForeign> {
  const file = readModelFile(teacher.model);
  if (file.metadata.format === MODEL_FORMAT) {
    throw new ConfigError(
      `${what}: ${file.metadata.name ?? "the model"} is of codistill, and reads the columns that it was trained on. Leave inputs, output and classes out.`,
    );
  }
  const { model, inputs, output } = foreignGraph(what, file.model, teacher.output);
  const given = checkedInputs(teacher, inputs, what);
  const classes = classesOf(teacher, what, task);
  const numOutputs = task === "multiclass" ? (classes?.length ?? 0) : 1;
  const session = await InferenceSession.create(encodeModel(model), {
    intraOpNumThreads: availableParallelism(),
    // What it would print is in the error.
    logSeverityLevel: 4,
  }).catch((error: unknown) => {
    throw new CheckpointError(`${what}: the model does not run: ${messageOf(error)}`, { cause: error });
  });
  let hasTwo = false;
  const open: Omit<OpenForeign, keyof Closable> = {
    get isSecondTaken() {
      return hasTwo && classes === null;
    },
    types: given.flatMap(({ input, count }) => Array.from({ length: count }, () => input.type)),
    classes,
    numOutputs,
    async predict(columns) {
      const numRows = columns[0]?.length ?? 0;
      const feeds = Object.fromEntries(
        given.map(({ input, from, count }) => [
          input.name,
          tensorOf(input, columns.slice(from, from + count), numRows),
        ]),
      );
      const outputs = await session.run(feeds).catch((error: unknown) => {
        throw new CheckpointError(`${what}: the model does not run on these rows: ${messageOf(error)}`, {
          cause: error,
        });
      });
      const values = outputs[output]?.data;
      const width = (values?.length ?? 0) / numRows;
      const isNumbers = values instanceof Float32Array || values instanceof Float64Array;
      if (!isNumbers || (width !== numOutputs && !(task === "binary" && width === 2))) {
        throw new CheckpointError(
          `${what}: the output ${output} must have ${task === "binary" ? "1 or 2 probabilities" : task === "multiclass" ? `${numOutputs} probabilities, one for each of classes,` : "1 number"} for each row, and has ${outputs[output]?.type}[${outputs[output]?.dims}] for ${rows(numRows)}. Name another tensor, as output.`,
        );
      }
      // Of two classes, the second is the positive one.
      if (width === numOutputs) return Float64Array.from(values);
      hasTwo = true;
      return Float64Array.from({ length: numRows }, (_, row) => values[2 * row + 1] as number);
    },
  };
  return closable(open, () => session.release());
}

interface GivenInput {
  readonly input: ForeignInput;
  /** Where its first expression stands among all, and how many it has. */
  readonly from: number;
  readonly count: number;
}

/** The inputs of a model with their expressions, in the order of the configuration. */
function checkedInputs({ inputs: given }: ForeignModel, inputs: readonly ForeignInput[], what: string): GivenInput[] {
  const names = inputs.map(({ name }) => name);
  const missing = inputs.find(({ name }) => !Object.hasOwn(given, name));
  if (missing) {
    throw new ConfigError(
      `${what}: the model reads the inputs ${firstNames(names, 20)}, and inputs has nothing for ${missing.name}. Add ${JSON.stringify(missing.name)}: an expression, or one for each of its values.`,
    );
  }
  let from = 0;
  return Object.entries(given).map(([name, written]) => {
    const input = inputs.find((one) => one.name === name);
    const near = nearest(name, names);
    if (!input) {
      throw new ConfigError(
        `${what}: inputs has ${name}, and the model reads ${firstNames(names, 20)}.${near === undefined ? " Leave it out." : ` Did you mean ${near}?`}`,
      );
    }
    const count = [written].flat().length;
    if (input.width !== null && input.width !== count) {
      throw new ConfigError(
        `${what}: the input ${name} takes ${input.width} ${input.width === 1 ? "value" : "values"} for each row, and inputs.${name} has ${count}. Give an expression for each, in the order in which the model was trained on them.`,
      );
    }
    from += count;
    return { input, from: from - count, count };
  });
}

function classesOf({ classes }: ForeignModel, what: string, task: TaskKind): readonly string[] | null {
  if (task === "regression") {
    if (classes === undefined) return null;
    throw new ConfigError(
      `${what}: classes are of labels that have some, and the task is "regression". Leave them out.`,
    );
  }
  if (task === "multiclass") {
    if (classes !== undefined) return classes;
    throw new ConfigError(
      `${what}: of several classes a model of another program gives a probability each, and nobody says in which order. Give it, as classes: ["...", ...].`,
    );
  }
  if (classes === undefined || classes.length === 2) return classes ?? null;
  throw new ConfigError(
    `${what}: the label has two classes, and classes has ${classes.length}. Give the negative one and then the positive one.`,
  );
}

/** Columns side by side, as a model takes them. */
function tensorOf({ type, rank }: ForeignInput, columns: ValueColumns, numRows: number): Tensor {
  const dims = rank === 1 ? [numRows] : [numRows, columns.length];
  const size = numRows * columns.length;
  const at = (i: number) => columns[i % columns.length]?.[Math.floor(i / columns.length)];
  if (type === "string") {
    const texts = Array.from({ length: size }, (_, i) => String(at(i) ?? ""));
    return new Tensor("string", texts, dims);
  }
  if (type === "int64")
    return new Tensor(
      "int64",
      BigInt64Array.from({ length: size }, (_, i) => BigInt(at(i) as number)),
      dims,
    );
  const numbers = { length: size };
  const of = (_: unknown, i: number) => at(i) as number;
  if (type === "int32") return new Tensor("int32", Int32Array.from(numbers, of), dims);
  if (type === "bool") return new Tensor("bool", Uint8Array.from(numbers, of), dims);
  if (type === "float64") return new Tensor("float64", Float64Array.from(numbers, of), dims);
  return new Tensor("float32", Float32Array.from(numbers, of), dims);
}

/**
 * Let the models of other programs among the teachers of a spec predict the rows of `examples`, which then has
 * {@link teacherColumn} in place of what they read. Gives notes on how their predictions were read.
 *
 * Throws what {@link openForeign} throws, and {@link DataError} for values that an input cannot have.
 */
export async function predictForeign(
  db: Database,
  { teachers = [], task = "binary" }: Pick<TableSpec, "teachers" | "task">,
  onProgress: (stage: string) => void,
): Promise<string[]> {
  const notes: string[] = [];
  const tables: string[] = [];
  const inputs: string[] = [];
  for (const [i, teacher] of teachers.entries()) {
    if (!isForeign(teacher)) continue;
    onProgress(`predicting by teacher ${i + 1}`);
    const what = `teachers.${i}.model`;
    await using model = await openForeign(teacher, what, task);
    const own = model.types.map((type, place) => ({ type, sql: teacherInput(i, place) }));
    await checkValues(db, own, Object.entries(teacher.inputs), `teachers.${i}`);
    const outputs = Array.from({ length: model.numOutputs }, (_, output) => teacherColumn(i, output));
    await db.run(`create table foreign_${i} (${outputs.map((name) => `${name} double`).join(", ")})`);
    const values = own.map(({ type, sql }) =>
      type === "string"
        ? `coalesce(cast(${sql} as varchar), '')`
        : `coalesce(cast(${sql} as double), cast('nan' as double))`,
    );
    const types = own.map(({ type }) => (type === "string" ? "text" : "number"));
    for await (const columns of db.columns(`select ${values.join(", ")} from examples`, types)) {
      const predicted = await model.predict(columns);
      const numRows = predicted.length / model.numOutputs;
      await db.append(
        `foreign_${i}`,
        outputs.map((_, output) =>
          Float64Array.from({ length: numRows }, (_, row) => predicted[row * model.numOutputs + output] as number),
        ),
      );
    }
    if (model.isSecondTaken) {
      notes.push(
        `${what}: gives two probabilities, of which the second is taken for that of the positive label; say otherwise by classes: [negative, positive]`,
      );
    }
    tables.push(`foreign_${i}`);
    inputs.push(...own.map(({ sql }) => sql));
  }
  if (tables.length === 0) return notes;
  await db.run(
    `create table taught as select * exclude (${inputs.join(", ")}) from examples positional join ${tables.join(" positional join ")}`,
  );
  await db.run("drop table examples");
  await db.run("alter table taught rename to examples");
  return notes;
}

/** Throws {@link DataError} for values that are no numbers where a model reads numbers, or missing where it reads whole ones. */
async function checkValues(
  db: Database,
  own: readonly { readonly type: ElementType; readonly sql: string }[],
  given: readonly (readonly [name: string, written: string | readonly string[]])[],
  place: string,
): Promise<void> {
  const expressions = given.flatMap(([name, written]) => [written].flat().map((sql) => ({ name, sql })));
  for (const [i, { type, sql }] of own.entries()) {
    if (type === "string") continue;
    const isWhole = type !== "float32" && type !== "float64";
    const number = `try_cast(${sql} as double)`;
    const isBad = isWhole
      ? `${number} is null or ${number} != floor(${number}) or abs(${number}) > ${type === "bool" ? 1 : type === "int32" ? 2 ** 31 - 1 : 2 ** 53}`
      : `${sql} is not null and ${number} is null`;
    const [[all, bad, least] = []] = await db.rows(
      `select count(*), count(*) filter (${isBad}), min(cast(${sql} as varchar)) filter (${isBad}) from examples`,
    );
    if (Number(bad) === 0) continue;
    const { name, sql: written } = expressions[i] ?? { name: "", sql: "" };
    throw new DataError(
      `${place}.inputs.${name}: the model reads ${type === "bool" ? "0 or 1" : isWhole ? "whole numbers" : "numbers"}, and of ${rows(Number(all))} ${Number(bad)} have ${least === null || least === undefined ? "none" : `another value, as ${JSON.stringify(least)}`}: ${written}. Write an expression that gives one for every row.`,
    );
  }
}
