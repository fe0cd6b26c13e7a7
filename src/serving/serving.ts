/** Which inputs a served model has, and how it makes each feature of them. */
import { numbersName } from "../data/batch.js";
import { areOneArray } from "../data/records.js";
import { identifier } from "../data/sql.js";
import type { ServedInput, Serving } from "./expression.js";
import { inputsIn, renamed } from "./expression.js";
import { asInput, type SqlReader, translate } from "./translate.js";
import { kindOfType, type Translated } from "./value.js";

export interface ServedFeature {
  readonly name: string;
  readonly sql: string;
  /** The names that a categorical feature has in training rows, or that have a mean; null for a numeric one. */
  readonly vocabulary: readonly string[] | null;
  /** Of a mean of the label: that of each name of the vocabulary, and of rows without one of them. */
  readonly answers?: { readonly values: readonly number[]; readonly otherwise: number };
}

type ServedExpression = Serving["features"][string];

/** A prediction before it is converted to the unit of the label. */
export const keptPrediction = "kept prediction";

/** Names that are not free: those of a model's outputs, and of a value that it computes. */
const TAKEN: readonly string[] = ["probability", "probabilities", "prediction", keptPrediction];

/**
 * Inputs are columns where ONNX can compute the features from columns; else an input is the largest part of an
 * expression that ONNX cannot compute, as SQL. An input is named by its column if that name is free, else by its SQL.
 */
export async function servingOf(
  features: readonly ServedFeature[],
  columns: readonly string[],
  reader: SqlReader,
): Promise<Serving> {
  const made = await Promise.all(
    features.map(async (feature) => [feature.name, answered(feature, await served(feature, reader))] as const),
  );
  const sqls = new Set(made.flatMap(([, { expression }]) => [...inputsIn(expression)]));
  const inputs = new Map<string, ServedInput>();
  const numNumeric = features.filter(({ vocabulary, answers }) => vocabulary === null || answers !== undefined).length;
  const taken = new Set<string>([...TAKEN, ...(areOneArray(numNumeric) ? [numbersName] : [])]);
  const names = new Map(
    columns.toReversed().flatMap((name) => [name, identifier(name)].map((sql) => [sql.toLowerCase(), name] as const)),
  );
  for (const sql of sqls) {
    const column = columnOf(sql, names);
    const isFree = (name: string) => !taken.has(name) && !/^(%|features\.)/.test(name);
    const name = [column ?? sql, sql].find(isFree) ?? `input ${taken.size}`;
    taken.add(name);
    const type = typeOfInput(kindOfType(await reader.typeOf(sql)));
    inputs.set(sql, { name, type, sql, ...(column !== undefined && { column }) });
  }
  const nameOf = (sql: string) => inputs.get(sql)?.name ?? sql;
  return {
    inputs: [...inputs.values()],
    features: Object.fromEntries(
      made.map(([name, { type, expression }]) => [name, { type, expression: renamed(expression, nameOf) }]),
    ),
  };
}

/** A mean of the label, looked up by the name. */
function answered({ vocabulary, answers }: ServedFeature, name: ServedExpression): ServedExpression {
  if (!answers || !vocabulary) return name;
  const keys = name.type === "text" ? vocabulary : (keysOf(name.type, vocabulary) ?? []);
  return { type: "number", expression: { lookup: name.expression, keys, ...answers } };
}

async function served({ sql, vocabulary }: ServedFeature, reader: SqlReader): Promise<ServedExpression> {
  const tree = await reader.treeOf(sql);
  const { kind, expression } = await translate(tree, reader);
  const isNumber = kind !== "text" && kind !== "time" && kind !== "other" && kind !== "null";
  if (vocabulary === null) {
    if (isNumber) return { type: "number", expression };
    return {
      type: "number",
      expression: (await asInput(`CAST(${await reader.textOf(tree)} AS DOUBLE)`, reader)).expression,
    };
  }
  if (kind === "text") return { type: "text", expression };
  const type = kind === "float32" ? "float32" : "number";
  if (isNumber && kind !== "near" && keysOf(type, vocabulary) !== null) return { type, expression };
  return {
    type: "text",
    expression: (await asInput(`CAST(${await reader.textOf(tree)} AS VARCHAR)`, reader)).expression,
  };
}

/** The names of a vocabulary read as numbers; null where two of them are the same number, or one is not a number. */
export function keysOf(type: "number" | "float32", vocabulary: readonly string[]): number[] | null {
  const keys = vocabulary.map((name) => {
    if (name === "true" || name === "false") return Number(name === "true");
    const value = name.trim() === "" ? Number.NaN : Number(name);
    return type === "float32" ? Math.fround(value) : value;
  });
  const areSafe = keys.every(
    (key, i) => Number.isFinite(key) && (Number.isSafeInteger(key) || /[.e]/.test(vocabulary[i] ?? "")),
  );
  return areSafe && new Set(keys).size === keys.length ? keys : null;
}

/** The column, where some SQL is a column or a cast of one; `names` maps the lower-case SQL of a column to its name. */
function columnOf(sql: string, names: ReadonlyMap<string, string>): string | undefined {
  const cast = /^(?:TRY_)?CAST\((.*) AS [A-Z ]+\)$/i.exec(sql);
  return names.get((cast?.[1] ?? sql).replace(/^\((.*)\)$/, "$1").toLowerCase());
}

function typeOfInput(kind: Translated["kind"]): ServedInput["type"] {
  if (kind === "time") return "time";
  return kind === "text" || kind === "other" || kind === "null" ? "text" : "number";
}
