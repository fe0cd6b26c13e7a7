/** Configurations checked, with every problem told: path, rule, value, nearest known name. */
import { z } from "zod";
import { ConfigError } from "../errors.js";
import { nearest } from "../nearest.js";
import { shortened } from "../report/format.js";
import { crossChecks, hint } from "./cross-checks.js";
import { plainCopy } from "./plain-data.js";
import { type RunConfig, tableRunObject, tableRunSchema, textRunObject, textRunSchema } from "./schema.js";

/** Problems that are told one by one, and characters that are shown of a name or a value. */
const MAX_PROBLEMS = 20;
const MAX_SHOWN = 300;

/**
 * Check a configuration and fill in its defaults.
 *
 * Throws {@link ConfigError} with a line for each problem: the path, the rule, the value, the nearest known name.
 */
export function resolveConfig(given: unknown): RunConfig {
  const value = plainCopy(given);
  const kind = isRecord(value) ? kindOf(value.data) : undefined;
  if (kind !== undefined && kind !== "table" && kind !== "text") {
    throw new ConfigError(`the configuration has 1 problem:\n  ${wrongKind("data.kind", kind, ["table", "text"])}`);
  }
  const parsed = kind === "text" ? textRunSchema.safeParse(value) : tableRunSchema.safeParse(value);
  const problems = parsed.success
    ? crossChecks(parsed.data)
    : parsed.error.issues.flatMap((issue) => explain(issue, value));
  if (!parsed.success || problems.length > 0) {
    const shown = problems.slice(0, MAX_PROBLEMS);
    if (problems.length > MAX_PROBLEMS) shown.push(`and ${problems.length - MAX_PROBLEMS} more`);
    throw new ConfigError(`the configuration has ${count(problems.length, "problem")}:\n  ${shown.join("\n  ")}`);
  }
  return parsed.data;
}

/**
 * Apply `path=value` overrides; a value is JSON where it parses, else text.
 *
 * Throws {@link ConfigError} when one has no "=", its path leads through something that is not a record, or the
 * configuration is not plain data.
 */
export function applyOverrides(config: unknown, overrides: readonly string[]): unknown {
  const result = plainCopy(config);
  for (const override of overrides) {
    const [, path, text] = /^([^=]+)=(.*)$/s.exec(override) ?? [];
    if (path === undefined || text === undefined) {
      throw new ConfigError(`--set needs path=value, as in --set numSteps=100, got "${override}"`);
    }
    const names = path.split(".");
    const last = names.pop() as string;
    let record = result;
    for (const name of names) {
      if (isRecord(record) && record[name] === undefined) record[name] = {};
      const next = isRecord(record) && Object.hasOwn(record, name) ? record[name] : undefined;
      if (!isRecord(next)) throw new ConfigError(`--set ${path}: "${name}" is not a group of options`);
      record = next;
    }
    if (!isRecord(record)) throw new ConfigError(`--set ${path}: the configuration is not a group of options`);
    record[last] = parseValue(text);
  }
  return result;
}

function explain(issue: z.core.$ZodIssue, config: unknown): string[] {
  const path = shortened(issue.path.join("."), MAX_SHOWN) || "configuration";
  if (issue.code === "unrecognized_keys") {
    const known = knownNames(issue.path, config);
    return issue.keys.map((key, i) => {
      const name = shortened([...issue.path, key].join("."), MAX_SHOWN);
      // Comparing names takes time, and the others are only counted.
      return `${name}: unknown name${i < MAX_PROBLEMS ? hint(key, known) : ""}`;
    });
  }
  const kinds = unknownKind(issue, config);
  if (kinds) return [wrongKind(`${path}.kind`, kindOf(valueAt(issue.path, config)), kinds)];
  const inner = issuesOfKind(issue, config);
  if (inner) return inner.flatMap((one) => explain(one, config));
  const value = valueAt(issue.path, config);
  if (value === undefined) return [`${path}: is missing, ${ruleOf(issue)}`];
  const options = [...issue.message.matchAll(/["']([^"']+)["']/g)].map((match) => match[1] ?? "");
  const meant = typeof value === "string" ? nearest(value, options) : undefined;
  return [`${path}: ${ruleOf(issue)}, got ${show(value)}${meant === undefined ? "" : `; did you mean "${meant}"?`}`];
}

/** Of a union of records that say their kinds, those that there are, when a record says another one. */
function unknownKind(issue: z.core.$ZodIssue, config: unknown): string[] | undefined {
  if (issue.code !== "invalid_union" || typeof kindOf(valueAt(issue.path, config)) !== "string") return undefined;
  const records = issue.errors.filter((issues) =>
    issues.some(({ path, code }) => path.length > 0 || code === "unrecognized_keys"),
  );
  const kinds = records.map((issues) => issues.find(({ path }) => path.length === 1 && path[0] === "kind"));
  if (kinds.length === 0 || !kinds.every((one) => one?.code === "invalid_value")) return undefined;
  return kinds.flatMap((one) => (one?.code === "invalid_value" ? one.values.map(String) : []));
}

function wrongKind(path: string, kind: unknown, kinds: readonly string[]): string {
  const meant = typeof kind === "string" ? nearest(kind, kinds) : undefined;
  const known = kinds.map((one) => `"${one}"`).join(" or ");
  return `${path}: must be ${known}, got ${show(kind)}${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
}

/** Of a union, what is wrong with a record that says its kind: the issues of the member that knows records by kind. */
function issuesOfKind(issue: z.core.$ZodIssue, config: unknown): z.core.$ZodIssue[] | undefined {
  if (issue.code !== "invalid_union" || !isRecord(valueAt(issue.path, config))) return undefined;
  const { kind } = valueAt(issue.path, config) as Record<string, unknown>;
  const found = typeof kind === "string" && issue.errors.find((issues) => issues.every(({ path }) => path.length > 0));
  return found ? found.map((one) => ({ ...one, path: [...issue.path, ...one.path] })) : undefined;
}

function kindOf(value: unknown): unknown {
  return isRecord(value) ? value.kind : undefined;
}

const bigToo = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}n` : value);

/** A value as it was written; JSON has no word for NaN, Infinity, big integers or functions. */
function show(value: unknown): string {
  return shortened(
    isRecord(value) || typeof value === "string" ? JSON.stringify(value, bigToo) : String(value),
    MAX_SHOWN,
  );
}

function valueAt(path: readonly PropertyKey[], config: unknown): unknown {
  return path.reduce<unknown>((at, name) => (isRecord(at) ? at[String(name)] : undefined), config);
}

/** The rule of an issue in our words: "must be a number", "must be > 0". */
function ruleOf({ message }: z.core.$ZodIssue): string {
  return message
    .replace(/^(Invalid (input|option|string|discriminator value)|Too (small|big))[:.] /, "")
    .replace(/, received .*$/, "")
    .replace(/^expected \w+ to (be|have) ([<>]=?)/i, "must $1 $2 ")
    .replace(/^expected (one of )?/i, "must be $1")
    .replace(/^must be int$/, "must be a whole number")
    .replace(/^must be (number|string|boolean|record)$/, "must be a $1")
    .replace(/^must be (object|array)$/, "must be an $1");
}

/** The names that the schema knows at a path, in the union's member that the configuration chose. */
function knownNames(path: readonly PropertyKey[], config: unknown): string[] {
  let schema: unknown = isRecord(config) && kindOf(config.data) === "text" ? textRunObject : tableRunObject;
  let value = config;
  for (const name of path) {
    schema = shapeOf(schema, value)[String(name)];
    value = isRecord(value) ? value[String(name)] : undefined;
  }
  return Object.keys(shapeOf(schema, value));
}

/** The shape of an object schema, or of the member of a union that a value is of. */
function shapeOf(schema: unknown, value: unknown): Readonly<Record<string, unknown>> {
  if (schema instanceof z.ZodObject) return schema.shape;
  if (schema instanceof z.ZodPipe) return shapeOf(schema.in, value);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return shapeOf(schema.unwrap(), value);
  if (!(schema instanceof z.ZodUnion)) return {};
  const kind = isRecord(value) ? value.kind : undefined;
  const shapes = schema.options.map((option) => shapeOf(option, value));
  return shapes.find(({ kind: own }) => (own instanceof z.ZodLiteral ? own.value : undefined) === kind) ?? {};
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
