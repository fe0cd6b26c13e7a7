/** SQL expressions as DuckDB reads them: their syntax trees, their types, and trees as SQL again. */
import { enclosed, identifier, literal } from "../../data/sql.js";
import { DataError } from "../../errors.js";
import { shortened } from "../../report/format.js";
import type { SqlNode, SqlReader } from "../../serving/translate.js";
import type { Database } from "../sources/duckdb.js";
import { chunksOf } from "./per-column.js";

/** The JSON pointer of the only expression of a statement. */
const EXPRESSION = "/statements/0/node/select_list/0";

/**
 * A statement as JSON text, and the pointer of a node in it. The text is kept because JavaScript does not keep numbers
 * of 64 bits and "3.0" as they are.
 */
interface Place {
  readonly json: string;
  readonly pointer: string;
}

/** A reader of expressions that compile over `source_shape`. */
export function sqlReader(db: Database): SqlReader {
  const places = new WeakMap<object, Place>();

  /** Note the places of a node and of all below it. */
  function note(node: unknown, json: string, pointer: string): void {
    if (typeof node !== "object" || node === null) return;
    places.set(node, { json, pointer });
    for (const [key, child] of Object.entries(node)) note(child, json, `${pointer}/${key}`);
  }

  const jsonOf = batched((expressions: readonly string[]) => serialized(db, expressions));
  /** A statement whose expression can be replaced by another. */
  const statement = once(() => jsonOf("1"));
  // Most expressions are plain columns, and each is needed several times.
  const columnTexts = new Map<string, Promise<string>>();
  const types = new Map<string, Promise<string>>();
  const columnTypes = once(async () => {
    const columns = await db.rows("describe source_shape");
    return new Map(columns.map(([name, type]) => [identifier(String(name)), String(type)]));
  });

  const written = batched(async (asked: readonly Place[]) => {
    const other = literal(await statement());
    const own = `json_extract(json, pointer)`;
    const values = asked.map(({ json, pointer }) => `(${literal(json)}, ${literal(pointer)})`).join(", ");
    const texts = await db.rows(
      `select json_deserialize_sql(replace(${other}, json_extract(${other}, ${literal(EXPRESSION)}), ${own}))
      from (values ${values}) as asked(json, pointer)`,
    );
    return texts.map(([text]) => String(text).replace(/^SELECT /, ""));
  });

  async function textOf(node: SqlNode): Promise<string> {
    const place = places.get(node);
    if (!place) throw new Error("internal: a node of another reader");
    return written(place);
  }

  return {
    async treeOf(expression) {
      const json = await jsonOf(expression);
      const tree = expressionIn(JSON.parse(json) as Serialized);
      if (!tree) throw new DataError(`SQL: an expression is one value of one row, got ${shortened(expression, 200)}`);
      note(tree, json, EXPRESSION);
      return tree;
    },
    textOf(node) {
      if (node.class !== "COLUMN_REF") return textOf(node);
      return remembered(columnTexts, JSON.stringify(node.column_names), () => textOf(node));
    },
    typeOf: (sql) =>
      remembered(types, sql, async () => {
        const known = (await columnTypes()).get(/^\w+$/.test(sql) ? identifier(sql) : sql);
        if (known !== undefined) return known;
        const [[, type] = []] = await db.rows(`describe select ${enclosed(sql)} from source_shape`);
        return String(type);
      }),
  };
}

/** A value that is made when it is first needed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => (made ??= make());
}

/** The most keys of one statement. */
const AT_ONCE = 256;

/**
 * Answers all keys of one turn of the event loop together, in few statements. Where a statement fails, each of its keys
 * is asked alone, so that an error belongs to one key.
 */
function batched<K, T>(ask: (keys: readonly K[]) => Promise<readonly T[]>): (key: K) => Promise<T> {
  interface Waiting {
    readonly key: K;
    readonly resolve: (answer: T) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];

  async function answer(some: readonly Waiting[]): Promise<void> {
    try {
      const answers = await ask(some.map(({ key }) => key));
      for (const [i, { resolve }] of some.entries()) resolve(answers[i] as T);
    } catch (error) {
      if (some.length === 1) some[0]?.reject(error);
      else for (const one of some) await answer([one]);
    }
  }

  async function answerAll(): Promise<void> {
    const all = waiting;
    waiting = [];
    for (const some of chunksOf(all, AT_ONCE)) await answer(some);
  }

  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(answerAll);
      waiting.push({ key, resolve, reject });
    });
}

/** A value that is made once for each key. */
function remembered<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = made.get(key) ?? make();
  made.set(key, known);
  return known;
}

/** The result of json_serialize_sql. */
interface Serialized {
  readonly error: boolean;
  readonly statements?: readonly { readonly node: Readonly<Record<string, unknown>> }[];
}

/** The expression of the only statement, where that is "select <expression>" and nothing more. */
function expressionIn({ error, statements = [] }: Serialized): SqlNode | null {
  const [statement] = statements;
  if (error || !statement || statements.length > 1) return null;
  const { type, modifiers, cte_map, select_list, from_table, ...rest } = statement.node;
  const [tree, ...others] = select_list as readonly SqlNode[];
  const isAlone =
    type === "SELECT_NODE" &&
    others.length === 0 &&
    isEmpty(modifiers) &&
    isEmpty((cte_map as { readonly map: unknown }).map) &&
    (from_table as { readonly type: string }).type === "EMPTY" &&
    Object.values(rest).every((value) => value === null || value === "STANDARD_HANDLING" || isEmpty(value));
  return isAlone && tree ? tree : null;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

async function serialized(db: Database, expressions: readonly string[]): Promise<string[]> {
  const values = expressions.map((expression) => `(${literal(`select ${enclosed(expression)}`)})`).join(", ");
  const jsons = await db.rows(`select json_serialize_sql(sql) from (values ${values}) as asked(sql)`);
  return jsons.map(([json]) => String(json));
}
