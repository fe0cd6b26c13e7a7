/** Checks of configurations, which report every problem: path, rule, value, nearest known name. */
import type { z } from "zod";
import { ConfigError } from "../errors.js";
import { nearest } from "../nearest.js";
import { shortened } from "../report/format.js";
import { algorithmOf, DEFAULT_ALGORITHM } from "./algorithms.js";
import { dataKindNames, kindNamed, kindOf, rulesOf } from "./kinds/kinds.js";
import { unknownNameHint } from "./known-names.js";
import { optimizerProblems } from "./optimizer-schema.js";
import { isRecord, plainCopy } from "./plain-data.js";
import type { RunConfig } from "./schema.js";
import { areApart, sharersOf } from "./workers.js";

/** The most problems that are listed, and the most characters that are shown of a name or a value. */
const MAX_PROBLEMS = 20;
const MAX_SHOWN = 300;

/**
 * Check a configuration and fill in its defaults.
 *
 * Throws {@link ConfigError} with a line for each problem: the path, the rule, the value, the nearest known name.
 */
export function resolveConfig(given: unknown): RunConfig {
  const value = withAlgorithmKind(plainCopy(given));
  const kind = isRecord(value) ? kindIn(value.data) : undefined;
  const name = kindNamed(kind);
  if (name === undefined) {
    throw new ConfigError(`the configuration has 1 problem:\n  ${wrongKind("data.kind", kind, dataKindNames)}`);
  }
  const { schema } = rulesOf(name);
  const parsed = schema.safeParse(value, { error: ruleOf });
  const problems = parsed.success
    ? crossChecks(parsed.data)
    : parsed.error.issues.flatMap((issue) => explain(issue, value, schema));
  if (!parsed.success || problems.length > 0) {
    const shown = problems.slice(0, MAX_PROBLEMS);
    if (problems.length > MAX_PROBLEMS) shown.push(`and ${problems.length - MAX_PROBLEMS} more`);
    throw new ConfigError(`the configuration has ${count(problems.length, "problem")}:\n  ${shown.join("\n  ")}`);
  }
  return parsed.data;
}

/**
 * The configuration with `algorithm.kind` filled in: "codistill" where it is missing, so that `--set
 * algorithm.burnInSteps=100` is enough. The older form `codistill: { ... }` is merged into `algorithm`.
 */
function withAlgorithmKind(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { codistill, algorithm = isRecord(codistill) ? {} : undefined, ...rest } = value;
  if (!isRecord(algorithm)) return value;
  const named = { kind: DEFAULT_ALGORITHM, ...algorithm };
  if (!isRecord(codistill) || named.kind !== "codistill") return { ...value, algorithm: named };
  return { ...rest, algorithm: { ...named, ...codistill } };
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

/** A line for each broken rule that spans several options. */
function crossChecks(config: RunConfig): string[] {
  const problems = [
    ...optimizerProblems(config.optimizer, config.numSteps),
    ...algorithmOf(config).problems(config),
    ...kindOf(config).problems(config),
    ...shareProblems(config),
  ];
  const { globalBatchSize, accumulate, device } = config;
  const workers = sharersOf(config);
  if (globalBatchSize % accumulate !== 0) {
    problems.push(`accumulate: must divide globalBatchSize (${globalBatchSize}), got ${accumulate}`);
  } else if (globalBatchSize % (accumulate * workers) !== 0) {
    const each =
      accumulate > 1
        ? `globalBatchSize / accumulate (${globalBatchSize / accumulate})`
        : `globalBatchSize (${globalBatchSize})`;
    problems.push(`workers: must divide ${each}, so that all have equally many rows, got ${workers}`);
  }
  const { kind } = config.algorithm;
  if (config.noiseScale && !((kind === "plain" || kind === "codistill") && accumulate * workers > 1)) {
    problems.push(
      `noiseScale: needs the algorithm "plain" or "codistill" and a step of two parts or more, got "${kind}", accumulate ${accumulate} and workers ${workers}; set accumulate to 2, or leave noiseScale out`,
    );
  }
  if (typeof config.init === "object" && config.init.fit === "transfer" && kindOf(config).noun !== "images") {
    problems.push(
      'init.fit: "transfer" is for networks of images; params of a table or a text are of its own names and tokens, got it beside data of another kind; leave fit out',
    );
  }
  if (workers > 1 && device !== undefined && device !== "cpu") {
    problems.push(`workers: must be 1 on ${device}, as workers share the memory of params, got ${workers}`);
  }
  if (workers > 1 && !areApart(config) && config.optimizer.sparseParams?.length) {
    problems.push(
      `workers: must be 1 with optimizer.sparseParams, as sums of gradients are of whole tables, got ${workers}`,
    );
  }
  if (accumulate > 1 && config.optimizer.sparseParams?.length) {
    problems.push(
      `accumulate: must be 1 with optimizer.sparseParams, as sums of gradients are of whole tables, got ${accumulate}`,
    );
  }
  return problems;
}

/** A line for each rule that the sizes of parts break. */
function shareProblems({ data, numGroups }: RunConfig): string[] {
  const { shares, regime } = data;
  if (shares === undefined) return [];
  if (regime !== "disjoint") {
    return [`data.shares: are of disjoint parts, and data.regime is "${regime}"; leave them out`];
  }
  if ("filters" in data && data.filters) {
    return ["data.shares: must be left out with data.filters, which say which rows each group has"];
  }
  return shares.length === numGroups
    ? []
    : [`data.shares: must have a number for each of ${numGroups} groups, got ${shares.length}`];
}

function explain(issue: z.core.$ZodIssue, config: unknown, schema: z.ZodType): string[] {
  const path = shortened(issue.path.join("."), MAX_SHOWN) || "configuration";
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key, i) => {
      const name = shortened([...issue.path, key].join("."), MAX_SHOWN);
      // Comparing names takes time, and the problems after these are only counted.
      return `${name}: unknown name${i < MAX_PROBLEMS ? unknownNameHint(schema, issue.path, key, config) : ""}`;
    });
  }
  const kinds = unknownKind(issue, config);
  if (kinds) return [wrongKind(`${path}.kind`, kindIn(valueAt(issue.path, config)), kinds)];
  const inner = issuesOfKind(issue, config);
  if (inner) return inner.flatMap((one) => explain(one, config, schema));
  const value = valueAt(issue.path, config);
  if (value === undefined) return [`${path}: is missing, ${issue.message}`];
  const meant = typeof value === "string" ? nearest(value, optionsOf(issue)) : undefined;
  return [`${path}: ${issue.message}, got ${show(value)}${meant === undefined ? "" : `; did you mean "${meant}"?`}`];
}

/** For a union of records told apart by `kind`: the kinds that exist, where a record names another one. */
function unknownKind(issue: z.core.$ZodIssue, config: unknown): string[] | undefined {
  if (issue.code !== "invalid_union" || typeof kindIn(valueAt(issue.path, config)) !== "string") return undefined;
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

/** For a union of records told apart by `kind`: the issues that a record has as a member of its own kind. */
function issuesOfKind(issue: z.core.$ZodIssue, config: unknown): z.core.$ZodIssue[] | undefined {
  if (issue.code !== "invalid_union" || !isRecord(valueAt(issue.path, config))) return undefined;
  const { kind } = valueAt(issue.path, config) as Record<string, unknown>;
  const found = typeof kind === "string" && issue.errors.find((issues) => issues.every(({ path }) => path.length > 0));
  return found ? found.map((one) => ({ ...one, path: [...issue.path, ...one.path] })) : undefined;
}

function kindIn(value: unknown): unknown {
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

const TYPES: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a string",
  boolean: "a boolean",
  record: "a record",
  object: "an object",
  array: "an array",
};

/** The unit in which a length is counted, by the type of the value. */
const COUNTED: Readonly<Record<string, string>> = { string: "character", array: "item" };

/** The rule that an issue breaks, in our words: "must be a number", "must be > 0". The schema's own words go before these. */
function ruleOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return oneOf(issue.values);
    case "too_small":
      return limited(issue.origin, issue.inclusive === false ? ">" : ">=", issue.minimum);
    case "too_big":
      return limited(issue.origin, issue.inclusive === false ? "<" : "<=", issue.maximum);
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_format":
      return `must be text of the form ${issue.format}`;
    case "invalid_key":
      return "must have a name that is allowed here";
    case "invalid_union":
      return "discriminator" in issue && Array.isArray(issue.options)
        ? oneOf(issue.options)
        : "must be of an allowed form";
    default:
      return undefined;
  }
}

const oneOf = (values: readonly unknown[]) =>
  `must be ${values.length > 1 ? "one of " : ""}${values.map((value) => JSON.stringify(value) ?? "left out").join("|")}`;

function limited(origin: string, sign: string, limit: number | bigint): string {
  const counted = COUNTED[origin];
  return counted === undefined ? `must be ${sign} ${limit}` : `must have ${sign} ${count(Number(limit), counted)}`;
}

/** The texts that would satisfy the rule of an issue. */
function optionsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code !== "invalid_union") return [];
  const own = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  return [...own, ...issue.errors.flat().flatMap((one) => (one.path.length === 0 ? optionsOf(one) : []))];
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
