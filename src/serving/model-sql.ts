/**
 * Checks which SQL a model may contain. A model may come from anyone: its expressions run only when every node of their
 * syntax trees is on the lists here, which hold pure functions of the values of one row. All that is not listed is
 * refused.
 */
import type { SqlNode } from "./translate.js";

/** The most characters of an expression: too few to write a tree so deep that recursion over it overflows the stack. */
export const LONGEST_EXPRESSION = 20_000;

/** How many times as long as its parts a text may become in an expression. */
const MOST_GROWTH = 1000;

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Pure functions of the values of one row, whose results are not much larger than their arguments. */
const FUNCTIONS = words(`
  + - * / // % ^ ** || ~~ !~~ ~~* !~~* ~~~ ^@
  abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees even exp floor fmod gamma greatest isfinite isinf isnan least
  lgamma ln log log10 log2 mod nullif pi pow power radians round sign signbit sin sqrt tan trunc xor
  ascii char_length character_length concat concat_ws contains ends_with hash instr lcase left len length lower ltrim
  md5 md5_number md5_number_lower md5_number_upper nfc_normalize ord position prefix regexp_extract regexp_full_match
  regexp_matches regexp_replace replace reverse right rtrim sha256 split_part starts_with str_split string_split
  strip_accents strlen strpos substr substring suffix translate trim ucase unicode upper
  age century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth
  dayofweek dayofyear decade doy epoch epoch_ms epoch_us hour isodow isoyear julian last_day make_date make_timestamp
  microsecond millisecond minute month monthname quarter second strptime time_bucket timezone to_days to_hours
  to_microseconds to_milliseconds to_minutes to_months to_seconds to_timestamp to_weeks to_years try_strptime week weekday
  weekofyear year yearweek
  ->> array_extract element_at json_extract_string json_value list_contains list_element list_extract map_extract
  struct_extract
`);

const OPERATORS = words(`OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_TRY COMPARE_IN
  COMPARE_NOT_IN ARRAY_EXTRACT STRUCT_EXTRACT`);

const TYPES =
  words(`BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT FLOAT DOUBLE
  DECIMAL VARCHAR UUID DATE TIME TIMESTAMP TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS TIMESTAMP_WITH_TIME_ZONE INTERVAL`);

/** The fields that every node has. */
const COMMON = ["class", "type", "alias", "query_location"];

/** The allowed classes of nodes, with their fields: a node that has other fields is refused, whatever they mean. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  CONSTANT: ["value"],
  COLUMN_REF: ["column_names"],
  COMPARISON: ["left", "right"],
  CONJUNCTION: ["children"],
  BETWEEN: ["input", "lower", "upper"],
  OPERATOR: ["children"],
  CASE: ["case_checks", "else_expr"],
  CAST: ["child", "cast_type", "try_cast"],
  FUNCTION: [
    "function_name",
    "schema",
    "catalog",
    "children",
    "filter",
    "order_bys",
    "distinct",
    "is_operator",
    "export_state",
  ],
};

/** The first part of an expression that a model may not contain, in words; null when there is none. */
export function verdictOf(tree: SqlNode): string | null {
  let growth = 1;

  function problemOf(node: unknown): string | null {
    if (!isNode(node)) return "something that is no expression";
    const fields = Object.hasOwn(FIELDS, node.class) ? FIELDS[node.class] : undefined;
    if (!fields) return nameOf(node);
    const other = Object.keys(node).find((field) => !COMMON.includes(field) && !fields.includes(field));
    if (other !== undefined) return `${nameOf(node)} with ${other}`;
    return ownProblem(node) ?? firstOf(childrenOf(node));
  }

  function firstOf(nodes: readonly unknown[]): string | null {
    for (const node of nodes) {
      const problem = problemOf(node);
      if (problem !== null) return problem;
    }
    return null;
  }

  function ownProblem(node: SqlNode): string | null {
    switch (node.class) {
      case "OPERATOR":
        return OPERATORS.has(node.type) ? null : nameOf(node);
      case "CAST": {
        const { id } = node.cast_type as { readonly id: string };
        return TYPES.has(id.replaceAll(" ", "_")) ? null : `a cast to the type ${typeName(node.cast_type)}`;
      }
      case "FUNCTION":
        return functionProblem(node);
      default:
        return null;
    }
  }

  function functionProblem(node: SqlNode): string | null {
    const { function_name: name, schema, catalog, filter, distinct, order_bys } = node;
    const { orders } = order_bys as { readonly orders: readonly unknown[] };
    const isPlain = filter === null && distinct === false && orders.length === 0;
    const isOurs = catalog === "" && (schema === "" || schema === "main");
    if (!isPlain || !isOurs || !FUNCTIONS.has(String(name))) return `the function ${String(name)}`;
    if (name === "replace" || name === "regexp_replace") growth *= growthOf(node);
    return growth <= MOST_GROWTH ? null : `${String(name)}, which could make a text over ${MOST_GROWTH} times as long`;
  }

  return problemOf(tree);
}

/** The nodes below a node whose fields are known. */
function childrenOf(node: SqlNode): readonly unknown[] {
  switch (node.class) {
    case "COMPARISON":
      return [node.left, node.right];
    case "BETWEEN":
      return [node.input, node.lower, node.upper];
    case "CASE": {
      const checks = node.case_checks as readonly { readonly when_expr: unknown; readonly then_expr: unknown }[];
      return [...checks.flatMap((check) => [check.when_expr, check.then_expr]), node.else_expr];
    }
    case "CAST":
      return [node.child];
    case "CONJUNCTION":
    case "OPERATOR":
    case "FUNCTION":
      return node.children as readonly unknown[];
    default:
      return [];
  }
}

/** How many times longer a text becomes at most when each match of the second argument is replaced by the third. */
function growthOf({ function_name: name, children }: SqlNode): number {
  const [, pattern, replacement] = (children as readonly SqlNode[]).map(textOf);
  if (replacement === undefined || pattern === undefined) return Number.POSITIVE_INFINITY;
  // A pattern may match between any two characters; a group of it is no longer than the match.
  if (name === "regexp_replace") return 1 + replacement.length;
  return Math.max(1, replacement.length / Math.max(1, pattern.length));
}

function textOf(node: SqlNode): string | undefined {
  const value = node.class === "CONSTANT" ? (node.value as { readonly value?: unknown }).value : undefined;
  return typeof value === "string" ? value : undefined;
}

function isNode(value: unknown): value is SqlNode {
  return typeof value === "object" && value !== null && "class" in value && typeof value.class === "string";
}

/** The name of a refused node, in words for users. */
function nameOf(node: SqlNode): string {
  const names: Readonly<Record<string, string>> = {
    SUBQUERY: "a subquery",
    WINDOW: "a window function",
    STAR: "*",
    LAMBDA: "a lambda",
    PARAMETER: "a parameter",
    POSITIONAL_REFERENCE: "a column by its number",
    COLLATE: "a collation",
  };
  return names[node.class] ?? `${node.class.toLowerCase()} ${node.type}`;
}

function typeName(type: unknown): string {
  const { id, type_info } = type as { readonly id: string; readonly type_info?: { readonly name?: string } | null };
  return type_info?.name ?? id;
}
