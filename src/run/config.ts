/** The configuration of a run: one schema that gives the type, the defaults and the checks. */
import { z } from "zod";
import { ConfigError, messageOf } from "../errors.js";
import { nearest } from "../nearest.js";

const steps = z.int().positive();
const sqlExpression = z.string().min(1);
const learningRateSchedule = z.enum(["constant", "linear"]);

const dataSchema = z.strictObject({
  /** Files or globs that DuckDB reads: Parquet, CSV, TSV, JSON lines. Relative paths start at the configuration file. */
  source: z.union([z.string(), z.array(z.string()).min(1)], "must be a path or a list of paths"),
  /** SQL expression: true or 1 for the positive class. */
  label: sqlExpression,
  /** Feature name to SQL expression; its values are treated as names. */
  categorical: z.record(z.string(), sqlExpression).default({}),
  /** Feature name to SQL expression; its values are treated as quantities. */
  numeric: z.record(z.string(), sqlExpression).default({}),
  /** SQL predicates that say which rows train, which choose the best checkpoint, and which are scored once at the end. */
  split: z.strictObject({ train: sqlExpression, validation: sqlExpression, test: sqlExpression }),
  /** SQL expression whose value decides a row's hash slot; all columns by default. */
  shardBy: sqlExpression.optional(),
});

const modelSchema = z.strictObject({
  kind: z.literal("mlp"),
  /** Width of the embedding of each categorical feature. */
  embeddings: z.record(z.string(), z.int().positive()).default({}),
  /** Width for those that are not named. */
  embeddingWidth: z.int().positive().default(16),
  /** Widths of the hidden layers. */
  hidden: z.array(z.int().positive()).default([128, 64]),
});

const optimizerSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("adam"),
    learningRate: z.number().positive(),
    schedule: learningRateSchedule.default("linear"),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: z.number().positive().default(1e-8),
  }),
  z.strictObject({
    kind: z.literal("sgd"),
    learningRate: z.number().positive(),
    schedule: learningRateSchedule.default("linear"),
  }),
]);

const codistillSchema = z.strictObject({
  /** Steps before teaching starts. */
  burnInSteps: z.int().nonnegative(),
  /** Weight of the distillation loss after burn-in. */
  distillWeight: z.number().nonnegative().default(1),
  /** Steps between publishing a snapshot. */
  publishInterval: steps.default(50),
  /** Steps between looking for fresher teachers. */
  exchangeInterval: steps.default(50),
  /** A teacher counts until it has been known for this many student steps. */
  maxStaleness: steps.default(1000),
  /** Who teaches whom. */
  topology: z.enum(["all", "ring", "pairs"]).default("all"),
  /** Newest snapshots of its own that a group leaves in the store. */
  keepSnapshots: z.int().min(2).default(10),
});

const runSchema = z.strictObject({
  /** Short name, the first part of the run folder's name. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be lower-case letters, digits and dashes"),
  data: dataSchema,
  model: modelSchema,
  optimizer: optimizerSchema,
  codistill: codistillSchema,
  numGroups: z.int().min(1).max(64).default(2),
  numSteps: steps,
  /** Examples of one optimizer step of one group. */
  globalBatchSize: z.int().positive(),
  /** Sub-batches that a step's examples are split into, to save memory. */
  accumulate: z.int().positive().default(1),
  /** Initial params and data order follow from it. */
  seed: z.int().nonnegative().default(1),
  /** Steps between validations; the best checkpoint is chosen among them. */
  validationInterval: steps.default(500),
  /** Steps between checkpoints. */
  checkpointInterval: steps.default(500),
  /** Steps between step events in the log. */
  logInterval: steps.default(20),
  /** Threads of each group; by default the machine's cores are shared out. */
  threads: z.int().positive().optional(),
});

/** A configuration as a user writes it. */
export type RunInput = z.input<typeof runSchema>;

/** A configuration with every default filled in: plain data, stored with every run. */
export type RunConfig = z.output<typeof runSchema>;

/** Type a configuration: `export default defineRun({ ... })`. */
export function defineRun(config: RunInput): RunInput {
  return config;
}

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
  const problems: string[] = [];
  for (const name of Object.keys(model.embeddings)) {
    if (!Object.hasOwn(data.categorical, name)) {
      const known = Object.keys(data.categorical);
      problems.push(`model.embeddings.${name}: must be a name in data.categorical${hint(name, known)}`);
    }
  }
  for (const name of Object.keys(data.numeric)) {
    if (Object.hasOwn(data.categorical, name))
      problems.push(`data.numeric.${name}: is a name in data.categorical too; rename one`);
  }
  for (const kind of ["categorical", "numeric"] as const) {
    if (Object.hasOwn(data[kind], "probability"))
      problems.push(`data.${kind}.probability: is the name of the exported model's output; rename it`);
  }
  if (Object.keys(data.categorical).length + Object.keys(data.numeric).length === 0) {
    problems.push("data: needs at least one feature in data.categorical or data.numeric");
  }
  if (codistill.burnInSteps > numSteps) {
    problems.push(`codistill.burnInSteps: must be at most numSteps (${numSteps}), got ${codistill.burnInSteps}`);
  }
  if (config.globalBatchSize % config.accumulate !== 0) {
    problems.push(`accumulate: must divide globalBatchSize (${config.globalBatchSize}), got ${config.accumulate}`);
  }
  return problems;
}

function explain(issue: z.core.$ZodIssue, config: unknown): string[] {
  const path = issue.path.join(".") || "configuration";
  if (issue.code === "unrecognized_keys") {
    const known = knownNames(issue.path, config);
    return issue.keys.map((key) => `${[...issue.path, key].join(".")}: unknown name${hint(key, known)}`);
  }
  const value = issue.path.reduce<unknown>((at, name) => (isRecord(at) ? at[String(name)] : undefined), config);
  if (value === undefined) return [`${path}: is missing, ${ruleOf(issue)}`];
  const options = [...issue.message.matchAll(/["']([^"']+)["']/g)].map((match) => match[1] ?? "");
  const meant = typeof value === "string" ? nearest(value, options) : undefined;
  return [`${path}: ${ruleOf(issue)}, got ${show(value)}${meant === undefined ? "" : `; did you mean "${meant}"?`}`];
}

/** A value as it was written; JSON has no word for NaN, Infinity, big integers or functions. */
function show(value: unknown): string {
  return isRecord(value) || typeof value === "string" ? JSON.stringify(value) : String(value);
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
  let schema: unknown = runSchema;
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
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return {};
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
