/**
 * Expressions as plain data: how a served model computes features from columns.
 *
 * A value is a number or text. A number is a float64, NaN where it is missing; yes and no are 1 and 0, a point in time
 * is its milliseconds since 1970 in UTC. Text is the empty string where it is missing.
 */
import { z } from "zod";
import type { functions } from "./functions.js";

export type FunctionName = keyof typeof functions;

export type Expression =
  | { readonly input: string }
  | { readonly number: number | null }
  | { readonly text: string }
  | { readonly call: FunctionName; readonly args: readonly Expression[] }
  /** 1 where the value is one of these, else 0; missing where it is missing. */
  | { readonly among: Expression; readonly values: readonly number[] | readonly string[] }
  /** The number at the place that the value has among the keys; `otherwise` where it is none of them, or missing. */
  | {
      readonly lookup: Expression;
      readonly keys: readonly number[] | readonly string[];
      readonly values: readonly number[];
      readonly otherwise: number;
    };

/** An input of a served model: [batch] of float64, or of strings. */
export interface ServedInput {
  readonly name: string;
  readonly type: "number" | "text" | "time";
  /** The same as SQL over the columns of a row. */
  readonly sql: string;
  /** The column, where the SQL is a column or a cast of one; left out for other expressions. */
  readonly column?: string;
}

/**
 * The inputs of a served model, and how features are computed from them, before ids are looked up and numbers
 * standardised.
 */
export interface Serving {
  readonly inputs: readonly ServedInput[];
  /**
   * The expression of every feature, over the inputs. Numbers of type `float32` were rounded to float32 before they
   * became names.
   */
  readonly features: Readonly<
    Record<string, { readonly type: "number" | "float32" | "text"; readonly expression: Expression }>
  >;
}

const expression: z.ZodType<Expression> = z.lazy(() =>
  z.union([
    z.strictObject({ input: z.string() }),
    z.strictObject({ number: z.number().nullable() }),
    z.strictObject({ text: z.string() }),
    z.strictObject({ call: z.string().transform((name) => name as FunctionName), args: z.array(expression) }),
    z.strictObject({ among: expression, values: z.union([z.array(z.number()), z.array(z.string())]) }),
    z.strictObject({
      lookup: expression,
      keys: z.union([z.array(z.number()), z.array(z.string())]),
      values: z.array(z.number()),
      otherwise: z.number(),
    }),
  ]),
);

export const servedInputSchema = z.object({
  name: z.string(),
  type: z.enum(["number", "text", "time"]),
  sql: z.string(),
  column: z.exactOptional(z.string()),
});

export const servingSchema = z.object({
  inputs: z.array(servedInputSchema).readonly(),
  features: z.record(z.string(), z.object({ type: z.enum(["number", "float32", "text"]), expression })),
});

/** The inputs that an expression reads, by name, each once, in the order of its text. */
export function inputsIn(expression: Expression): ReadonlySet<string> {
  if ("input" in expression) return new Set([expression.input]);
  if ("among" in expression) return inputsIn(expression.among);
  if ("lookup" in expression) return inputsIn(expression.lookup);
  return new Set("args" in expression ? expression.args.flatMap((arg) => [...inputsIn(arg)]) : []);
}

/** Whether an input is a column, or an expression whose SQL has its name. */
export function readsColumn({ column, sql }: ServedInput, name: string): boolean {
  return column === undefined ? sql.toLowerCase().includes(name.toLowerCase()) : column === name;
}

/** An expression with other names for its inputs. */
export function renamed(expression: Expression, nameOf: (input: string) => string): Expression {
  if ("input" in expression) return { input: nameOf(expression.input) };
  if ("among" in expression) return { ...expression, among: renamed(expression.among, nameOf) };
  if ("lookup" in expression) return { ...expression, lookup: renamed(expression.lookup, nameOf) };
  if ("args" in expression) return { ...expression, args: expression.args.map((arg) => renamed(arg, nameOf)) };
  return expression;
}
