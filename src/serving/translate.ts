/**
 * Translates SQL expressions to {@link Expression}s, from the syntax tree that DuckDB makes of them. The largest parts
 * of an expression that ONNX cannot compute with the very same result stay SQL: each is an input of the model.
 */
import { applied } from "./calls.js";
import { cast, choose, compare, LESS_OR_EQUAL, logical, operator } from "./operators.js";
import { isNumber, kindOfType, type Translated, yes } from "./value.js";

/** A node of DuckDB's syntax tree (json_serialize_sql). */
export interface SqlNode {
  readonly class: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Questions about SQL that only a database can answer. */
export interface SqlReader {
  /** The syntax tree of an expression. */
  treeOf(sql: string): Promise<SqlNode>;
  /** A node of such a tree as SQL. */
  textOf(node: SqlNode): Promise<string>;
  /** The DuckDB type of an expression over the columns. */
  typeOf(sql: string): Promise<string>;
}

/** A tree that has no aggregates, windows or subqueries: those are refused before. */
export async function translate(node: SqlNode, reader: SqlReader): Promise<Translated> {
  return (await partsIn(node, reader)) ?? asInput(await reader.textOf(node), reader);
}

/** Some SQL as an input of the model. */
export async function asInput(sql: string, reader: SqlReader): Promise<Translated> {
  return { kind: kindOfType(await reader.typeOf(sql)), expression: { input: sql } };
}

/** Translate a node from its translated parts; null where ONNX cannot compute it from them. */
async function partsIn(node: SqlNode, reader: SqlReader): Promise<Translated | null> {
  const of = (child: unknown) => translate(child as SqlNode, reader);
  const all = (children: unknown) => Promise.all((children as SqlNode[]).map(of));
  switch (node.class) {
    case "CONSTANT":
      return constantOf(node.value as Constant);
    case "COMPARISON":
      return compare(node.type, await of(node.left), await of(node.right));
    case "CONJUNCTION":
      return (await all(node.children)).reduce<Translated | null>(
        (a, b) => a && logical(node.type === "CONJUNCTION_AND" ? "and" : "or", a, b),
        yes(node.type === "CONJUNCTION_AND"),
      );
    case "BETWEEN": {
      const [x, lower, upper] = await all([node.input, node.lower, node.upper]);
      if (!x || !lower || !upper || node.type !== "COMPARE_BETWEEN") return null;
      const [above, below] = [compare(LESS_OR_EQUAL, lower, x), compare(LESS_OR_EQUAL, x, upper)];
      return above && below && logical("and", above, below);
    }
    case "OPERATOR":
      return operator(node.type, await all(node.children));
    case "CASE": {
      const checks = node.case_checks as { readonly when_expr: SqlNode; readonly then_expr: SqlNode }[];
      const last = await of(node.else_expr);
      const translated = await Promise.all(
        checks.map(async ({ when_expr, then_expr }) => [await of(when_expr), await of(then_expr)] as const),
      );
      return translated.reduceRight<Translated | null>((rest, [when, then]) => rest && choose(when, then, rest), last);
    }
    case "CAST":
      return cast(await of(node.child), String((node.cast_type as { id: string }).id));
    case "FUNCTION":
      return applied(String(node.function_name), await all(node.children));
    default:
      return null;
  }
}

interface Constant {
  readonly type: { readonly id: string; readonly type_info?: { readonly scale?: number } };
  readonly is_null: boolean;
  readonly value?: unknown;
}

function constantOf({ type: { id, type_info }, is_null, value }: Constant): Translated | null {
  if (is_null) return { kind: "null", expression: { number: null } };
  if (typeof value === "string")
    return id === "VARCHAR" && value !== "" ? { kind: "text", expression: { text: value } } : null;
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && id !== "DOUBLE") return null;
  if (id === "DECIMAL")
    return { kind: "decimal", expression: { number: Number(`${value}e-${type_info?.scale ?? 0}`) } };
  const kind = kindOfType(id);
  return isNumber({ kind }) ? { kind, expression: { number: value } } : null;
}
