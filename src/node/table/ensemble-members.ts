/** What the models of an ensemble must have in common: one label, and columns that all of them read alike. */
import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "../../errors.js";
import { type Reading, readingWords } from "../../reading/reading.js";
import { count, firstNames, shortened } from "../../report/format.js";
import type { ServedInput } from "../../serving/expression.js";
import { LONGEST_EXPRESSION } from "../../serving/model-sql.js";
import type { SqlReader } from "../../serving/translate.js";
import type { ModelFile } from "../ort/model-file.js";
import { checkedSql } from "./checked-sql.js";
import type { DescribedModel } from "./served-model.js";

/** A model, and what its file says of it. */
export interface EnsembleMember {
  readonly file: ModelFile;
  readonly model: DescribedModel;
}

/** Some SQL of a model, as DuckDB writes it, and the columns that it reads, in lower case. */
interface ReadSql {
  readonly text: string;
  readonly columns: readonly string[];
}

/** A member with its SQL as DuckDB reads it. */
export interface ReadMember extends EnsembleMember {
  readonly label: ReadSql;
  readonly weight: ReadSql | null;
  /** The SQL of each input. */
  readonly sqls: readonly ReadSql[];
}

/**
 * Read the SQL of models. Throws {@link DataError} for an input with SQL that a model may not contain; SQL of labels and
 * weights is looked at alone.
 */
export async function readMembers(reader: SqlReader, members: readonly EnsembleMember[]): Promise<ReadMember[]> {
  const known = new Map<string, Promise<ReadSql>>();
  const once = (sql: string, read: () => Promise<ReadSql>) => {
    const reading = known.get(sql) ?? read();
    known.set(sql, reading);
    return reading;
  };
  const ofInput = async (path: string, { name, sql }: ServedInput): Promise<ReadSql> => {
    const text = await checkedSql(reader, `the input "${name}" of ${path}`, sql);
    return { text, columns: columnsIn(await reader.treeOf(text)) };
  };
  const ofLabel = async (sql: string): Promise<ReadSql> => {
    const tree = sql.length > LONGEST_EXPRESSION ? null : await reader.treeOf(sql).catch(() => null);
    return tree === null ? { text: sql, columns: [] } : { text: await reader.textOf(tree), columns: columnsIn(tree) };
  };
  return Promise.all(
    members.map(async ({ file, model }) => ({
      file,
      model,
      label: await ofLabel(model.label),
      weight: model.weight === null ? null : await ofLabel(model.weight),
      sqls: await Promise.all(model.inputs.map((input) => once(input.sql, () => ofInput(file.path, input)))),
    })),
  );
}

function columnsIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(columnsIn);
  if (typeof node !== "object" || node === null) return [];
  const { class: kind, column_names: names } = node as { readonly class?: unknown; readonly column_names?: unknown };
  if (kind === "COLUMN_REF" && Array.isArray(names)) return names.map((name) => String(name).toLowerCase());
  return Object.values(node).flatMap(columnsIn);
}

/**
 * For each model the index that each class of the first one has among its own; null where they are in the same order, or
 * the label is a number. Throws {@link ConfigError} unless all models are of one label.
 */
export function classOrders(members: readonly ReadMember[]): (readonly number[] | null)[] {
  const first = members[0] as ReadMember;
  return members.map((other) => {
    checkOneLabel(first, other);
    const [ofFirst, ofOther] = [first.model.classes ?? [], other.model.classes ?? []];
    const places = new Map(ofOther.map((name, i) => [name, i]));
    const order = ofFirst.map((name) => places.get(name) ?? -1);
    if (ofFirst.length !== ofOther.length || order.includes(-1)) {
      throw new ConfigError(
        `ensemble: all models must have the same classes, and ${first.file.path} has ${count(ofFirst.length)} (${firstNames(ofFirst, 10)}), ${other.file.path} ${count(ofOther.length)} (${firstNames(ofOther, 10)}). Give models of one label, trained on rows that have all of its classes.`,
      );
    }
    return order.every((at, i) => at === i) ? null : order;
  });
}

function checkOneLabel(first: ReadMember, other: ReadMember): void {
  if (first.model.task.kind !== other.model.task.kind) {
    throw new ConfigError(
      `ensemble: all models must be of one task, and ${first.file.path} is of the task ${first.model.task.kind}, ${other.file.path} of ${other.model.task.kind}. Give models of one label.`,
    );
  }
  if (first.label.text !== other.label.text) {
    throw new ConfigError(
      `ensemble: all models must be of one label, and that of ${first.file.path} is ${shortened(first.model.label, 100)}, that of ${other.file.path} ${shortened(other.model.label, 100)}. Give models of one label, or train them with the same --label.`,
    );
  }
}

/** The inputs of an ensemble, and for each model the name that the ensemble has for each of its inputs. */
export interface EnsembleInputs {
  readonly inputs: readonly ServedInput[];
  readonly names: readonly ReadonlyMap<string, string>[];
}

/**
 * Each input of the models once: those with the same SQL are one. An input whose name another one has already is named by
 * its SQL, as servingOf names them.
 *
 * Throws {@link ConfigError} for SQL that gives values of two types.
 */
export function ensembleInputs(members: readonly ReadMember[], output: string): EnsembleInputs {
  const made = new Map<string, { readonly input: ServedInput; readonly path: string }>();
  const taken = new Set([output]);
  const names = members.map(({ file, model, sqls }) => {
    const own = model.inputs.map((input, i): [string, string] => {
      const key = sqls[i]?.text ?? input.sql;
      const before = made.get(key);
      if (before && before.input.type !== input.type) {
        throw new ConfigError(
          `ensemble: all models must read a column alike, and ${before.path} reads ${shortened(input.sql, 60)} as ${TYPE_WORDS[before.input.type]}, ${file.path} as ${TYPE_WORDS[input.type]}. ${READ_ALIKE}`,
        );
      }
      if (before) return [input.name, before.input.name];
      const name =
        [input.name, input.sql].find((one) => !taken.has(one) && !/^(%|features\.)/.test(one)) ?? `input ${taken.size}`;
      taken.add(name);
      made.set(key, { input: { ...input, name }, path: file.path });
      return [input.name, name];
    });
    return new Map(own);
  });
  return { inputs: [...made.values()].map(({ input }) => input), names };
}

const TYPE_WORDS: Readonly<Record<ServedInput["type"], string>> = {
  number: "numbers",
  text: "text",
  time: "points in time",
};

const READ_ALIKE =
  "Train them on files that hold it alike, or give data.reading of the column in the configuration of each.";

type ColumnOfText = Reading["columns"][number];

/**
 * How the text of files is read for all models: a column as those read it that know it. Of columns that no model needs,
 * the reading of the first model that knows them counts.
 *
 * Throws {@link ConfigError} where two models read files, or a column that one of them needs, in different ways.
 */
export function ensembleReading(members: readonly ReadMember[]): Pick<DescribedModel, "reading" | "columns"> {
  const first = members[0] as ReadMember;
  const needed = new Set(members.flatMap(({ label, weight, sqls }) => [label, weight, ...sqls].flatMap(columnsOf)));
  const known = new Map<string, { column: ColumnOfText; readonly path: string }>();
  const byHeader: typeof known = new Map();
  for (const { file, model } of members) {
    checkFiles(first, { file, model });
    for (const column of model.reading.columns) {
      const key = column.name.toLowerCase();
      const header = column.header ?? column.name;
      const before = known.get(key) ?? byHeader.get(header);
      if (before === undefined) {
        const own = { column, path: file.path };
        known.set(key, own);
        byHeader.set(header, own);
        continue;
      }
      const { span: _, ...own } = column;
      const { span: __, ...others } = before.column;
      if (isDeepStrictEqual(own, others)) before.column = withSpan(before.column, column.span);
      else if (needed.has(key) || needed.has(before.column.name.toLowerCase()))
        throw readApart(before, { column, path: file.path });
    }
  }
  checkWanted(members, known);
  const [encoding, delimiter] = [fileOption(members, "encoding"), fileOption(members, "delimiter")];
  const { nullValues } = first.model.reading;
  return {
    columns: first.model.columns,
    reading: {
      ...(encoding !== undefined && { encoding }),
      ...(delimiter !== undefined && { delimiter }),
      ...(nullValues !== undefined && { nullValues }),
      columns: [...known.values()].map(({ column }) => column),
    },
  };
}

function columnsOf(sql: ReadSql | null): readonly string[] {
  return sql?.columns ?? [];
}

/** A column with the span of days of both trainings, where both know one. */
function withSpan({ span: own, ...column }: ColumnOfText, other: ColumnOfText["span"]): ColumnOfText {
  if (!own || !other) return column;
  const days = [...own, ...other].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return { ...column, span: [days[0] as string, days.at(-1) as string] };
}

function readApart(
  a: { readonly column: ColumnOfText; readonly path: string },
  b: { readonly column: ColumnOfText; readonly path: string },
): ConfigError {
  const words = ({ name, header = name, reading }: ColumnOfText) =>
    `${JSON.stringify(shortened(header, 60))} as ${readingWords(reading)}${header === name ? "" : `, under the name ${shortened(name, 60)}`}`;
  return new ConfigError(
    `ensemble: all models must read a column alike, and ${a.path} reads ${words(a.column)}, ${b.path} ${words(b.column)}. ${READ_ALIKE}`,
  );
}

/** Throws {@link ConfigError} where two models find the columns of files, or missing values in them, in different ways. */
function checkFiles(first: EnsembleMember, other: EnsembleMember): void {
  const [a, b] = [first.model, other.model];
  if (!isDeepStrictEqual(a.columns, b.columns)) {
    const cure = "Train them on files that have the same columns, with a header or without.";
    throw filesApart("the list of columns of files without a header", [first, a.columns], [other, b.columns], cure);
  }
  const [own, others] = [a.reading.nullValues, b.reading.nullValues];
  if (!isDeepStrictEqual(own, others)) {
    const cure = "Train them with the same data.nullValues.";
    throw filesApart("the list of texts that stand for a missing value", [first, own], [other, others], cure);
  }
}

/** An option of files, as those models have it that have one: the others find it out for each file. */
function fileOption(members: readonly EnsembleMember[], name: "encoding" | "delimiter"): string | undefined {
  const [first, ...others] = members.filter(({ model }) => model.reading[name] !== undefined);
  const other = others.find(({ model }) => model.reading[name] !== first?.model.reading[name]);
  const value = (member: EnsembleMember) => [member, member.model.reading[name]] as const;
  if (first && other) {
    throw filesApart(`the ${name}`, value(first), value(other), `Train them with the same data.${name}.`);
  }
  return first?.model.reading[name];
}

function filesApart(
  what: string,
  [{ file: a }, own]: readonly [EnsembleMember, unknown],
  [{ file: b }, other]: readonly [EnsembleMember, unknown],
  cure: string,
): ConfigError {
  const shown = (value: unknown) => (value == null ? "none" : shortened(JSON.stringify(value), 100));
  return new ConfigError(
    `ensemble: all models must read files alike, and ${what} of ${a.path} is ${shown(own)}, that of ${b.path} ${shown(other)}. ${cure}`,
  );
}

/** Throws {@link ConfigError} where models take text that none of them has seen as text for values of two types. */
function checkWanted(members: readonly ReadMember[], known: ReadonlyMap<string, unknown>): void {
  const wanted = new Map<string, { readonly type: ServedInput["type"]; readonly path: string }>();
  for (const { file, model } of members) {
    // Of one model the last input of a column counts, as where it is served.
    const own = new Map(
      model.inputs.flatMap(({ column, type }) => (column === undefined ? [] : [[column, type] as const])),
    );
    for (const [column, type] of own) {
      const before = wanted.get(column);
      if (known.has(column.toLowerCase())) continue;
      if (before && before.type !== type) {
        throw new ConfigError(
          `ensemble: all models must read a column alike, and ${before.path} reads ${JSON.stringify(shortened(column, 60))} as ${TYPE_WORDS[before.type]}, ${file.path} as ${TYPE_WORDS[type]}. ${READ_ALIKE}`,
        );
      }
      wanted.set(column, before ?? { type, path: file.path });
    }
  }
}
