/** Configurations checked, with every problem told: path, rule, value, nearest known name. */
import { z } from "zod";
import { ConfigError, messageOf } from "../errors.js";
import { nearest } from "../nearest.js";
import { outputNames } from "../train/task.js";
import { optimizerProblems } from "./optimizer-schema.js";
import { type RunConfig, runObject, runSchema } from "./schema.js";

/**
 * Check a configuration and fill in its defaults.
 *
 * Throws {@link ConfigError} with a line for each problem: the path, the rule, the value, the nearest known name.
 */
export function resolveConfig(value: unknown): RunConfig {
  const parsed = runSchema.safeParse(value);
  const problems = parsed.success
    ? crossChecks(parsed.data)
    : parsed.error.issues.flatMap((issue) => explain(issue, value));
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(`the configuration has ${count(problems.length, "problem")}:\n  ${problems.join("\n  ")}`);
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

/** Rules that span several options. */
function crossChecks(config: RunConfig): string[] {
  const { data, model, codistill, numSteps } = config;
  const problems = optimizerProblems(config.optimizer, numSteps);
  for (const [path, names] of [
    ["model.embeddings", model.embeddings],
    ["model.hashed", model.hashed ?? {}],
    ["data.vocabularies", data.vocabularies ?? {}],
  ] as const) {
    const known = Object.keys(data.categorical);
    for (const name of Object.keys(names).filter((one) => !Object.hasOwn(data.categorical, one))) {
      problems.push(`${path}.${name}: must be a name in data.categorical${hint(name, known)}`);
    }
  }
  for (const name of Object.keys(data.numeric)) {
    if (Object.hasOwn(data.categorical, name))
      problems.push(`data.numeric.${name}: is a name in data.categorical too; rename one`);
  }
  const output = outputNames[config.task.kind];
  for (const kind of ["categorical", "numeric"] as const) {
    if (Object.hasOwn(data[kind], output))
      problems.push(`data.${kind}.${output}: is the name of the exported model's output; rename it`);
  }
  if (config.task.kind === "regression" && codistill.temperature !== 1) {
    problems.push(
      `codistill.temperature: softens probabilities, which task "regression" has none of; leave it out, got ${codistill.temperature}`,
    );
  }
  if (Object.keys(data.categorical).length + Object.keys(data.numeric).length === 0) {
    problems.push("data: needs at least one feature in data.categorical or data.numeric");
  }
  if (data.filters && data.filters.length !== config.numGroups) {
    problems.push(
      `data.filters: must list one predicate for each of ${config.numGroups} groups, got ${data.filters.length}`,
    );
  }
  if (data.filters && data.regime !== "disjoint") {
    problems.push(`data.filters: must be left out unless data.regime is "disjoint", and it is "${data.regime}"`);
  }
  if (Array.isArray(codistill.topology) && codistill.topology.length !== config.numGroups) {
    const given = codistill.topology.length;
    problems.push(
      `codistill.topology: must list the teachers of each of ${config.numGroups} groups, got ${given} lists`,
    );
  }
  if (Array.isArray(codistill.topology)) {
    for (const [group, teachers] of codistill.topology.entries()) {
      const wrong = teachers.find(
        (teacher, i) => teacher === group || teacher >= config.numGroups || teachers.indexOf(teacher) < i,
      );
      if (wrong !== undefined)
        problems.push(`codistill.topology.${group}: must hold other groups, each once, got ${wrong}`);
    }
  }
  if (codistill.mix === "convex" && Math.max(codistill.distillWeight.from, codistill.distillWeight.to) > 1) {
    problems.push('codistill.distillWeight: must be at most 1 when codistill.mix is "convex"');
  }
  if (codistill.burnInSteps > numSteps) {
    problems.push(`codistill.burnInSteps: must be at most numSteps (${numSteps}), got ${codistill.burnInSteps}`);
  }
  if (config.globalBatchSize % config.accumulate !== 0) {
    problems.push(`accumulate: must divide globalBatchSize (${config.globalBatchSize}), got ${config.accumulate}`);
  }
  if (config.accumulate > 1 && config.optimizer.touchedRows?.length) {
    problems.push(
      `accumulate: must be 1 with optimizer.touchedRows, as sums of gradients are of whole tables, got ${config.accumulate}`,
    );
  }
  return problems;
}

function explain(issue: z.core.$ZodIssue, config: unknown): string[] {
  const path = issue.path.join(".") || "configuration";
  if (issue.code === "unrecognized_keys") {
    const known = knownNames(issue.path, config);
    return issue.keys.map((key) => `${[...issue.path, key].join(".")}: unknown name${hint(key, known)}`);
  }
  const inner = issuesOfKind(issue, config);
  if (inner) return inner.flatMap((one) => explain(one, config));
  const value = valueAt(issue.path, config);
  if (value === undefined) return [`${path}: is missing, ${ruleOf(issue)}`];
  const options = [...issue.message.matchAll(/["']([^"']+)["']/g)].map((match) => match[1] ?? "");
  const meant = typeof value === "string" ? nearest(value, options) : undefined;
  return [`${path}: ${ruleOf(issue)}, got ${show(value)}${meant === undefined ? "" : `; did you mean "${meant}"?`}`];
}

/** Of a union, what is wrong with a record that says its kind: the issues of the member that knows records by kind. */
function issuesOfKind(issue: z.core.$ZodIssue, config: unknown): z.core.$ZodIssue[] | undefined {
  if (issue.code !== "invalid_union" || !isRecord(valueAt(issue.path, config))) return undefined;
  const { kind } = valueAt(issue.path, config) as Record<string, unknown>;
  const found = typeof kind === "string" && issue.errors.find((issues) => issues.every(({ path }) => path.length > 0));
  return found ? found.map((one) => ({ ...one, path: [...issue.path, ...one.path] })) : undefined;
}

/** A value as it was written; JSON has no word for NaN, Infinity, big integers or functions. */
function show(value: unknown): string {
  return isRecord(value) || typeof value === "string" ? JSON.stringify(value) : String(value);
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
  let schema: unknown = runObject;
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
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return shapeOf(schema.unwrap(), value);
  if (!(schema instanceof z.ZodUnion)) return {};
  const kind = isRecord(value) ? value.kind : undefined;
  const shapes = schema.options.map((option) => shapeOf(option, value));
  return shapes.find(({ kind: literal }) => literal instanceof z.ZodLiteral && literal.value === kind) ?? {};
}

/** What an unknown name may have meant. */
function hint(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  if (meant !== undefined) return `; did you mean "${meant}"?`;
  return known.length > 0 ? `; known names: ${known.join(", ")}` : "";
}

function plainCopy(config: unknown): unknown {
  try {
    return structuredClone(config);
  } catch (error) {
    throw new ConfigError(`a configuration must be plain data: ${messageOf(error)}`, { cause: error });
  }
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
