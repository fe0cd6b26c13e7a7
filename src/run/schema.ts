/** What a configuration may hold: one schema that gives the defaults and the checks. What options mean is said in `input/`. */
import { z } from "zod";
import { ConfigError } from "../errors.js";
import { tableDataSchema, textDataSchema } from "./data-schema.js";
import type { RunInput, TableRunInput, TextRunInput } from "./input/run.js";
import { mlpSchema, textModelSchema } from "./model-schema.js";
import { optimizerInSteps, optimizerSchema } from "./optimizer-schema.js";
import { stepsOf, stepsOrShare } from "./steps.js";
import { languageTaskSchema, smoothingInFull, taskInFull, taskSchema } from "./task-schema.js";

/** The most groups that a run may have. */
export const MAX_GROUPS = 64;

const steps = z.int().positive();
const weightLine = z.strictObject({
  from: z.number().nonnegative().default(0),
  to: z.number().nonnegative(),
  steps: stepsOrShare,
});

const interval = z.union(
  [steps, z.strictObject({ from: steps, to: steps, steps: stepsOrShare })],
  "must be a whole number > 0 or { from, to, steps }",
);

const codistillSchema = z.strictObject({
  burnInSteps: stepsOrShare.default("50%"),
  distillWeight: z
    .union([z.number().nonnegative(), weightLine], "must be a number >= 0 or { from, to, steps }")
    .default(1),
  temperature: z.number().positive().default(1),
  mix: z.enum(["sum", "convex"]).default("sum"),
  publishInterval: interval.default(50),
  exchangeInterval: interval.default(50),
  maxStaleness: steps.default(1000),
  topology: z
    .union(
      [
        z.enum(["all", "ring", "pairs"]),
        z.strictObject({ degree: z.int().positive() }),
        z.array(z.array(z.int().nonnegative())),
      ],
      'must be "all", "ring", "pairs", { degree } or a list of teachers for each group',
    )
    .default("all"),
  keepSnapshots: z.int().min(2).default(10),
});

/** What a configuration of a table may hold, before shares are turned into steps. */
export const tableRunObject = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be lower-case letters, digits and dashes"),
  data: tableDataSchema,
  task: taskSchema.default("binary"),
  model: mlpSchema,
  optimizer: optimizerSchema,
  codistill: codistillSchema.default(() => codistillSchema.parse({})),
  numGroups: z.int().min(1).max(MAX_GROUPS).default(2),
  numSteps: steps,
  globalBatchSize: z.int().positive(),
  accumulate: z.int().positive().default(1),
  earlyStopping: z
    .strictObject({ patience: z.int().positive(), minDelta: z.number().nonnegative().default(0) })
    .optional(),
  ema: z.strictObject({ decay: z.number().min(0).lt(1).default(0.999) }).optional(),
  init: z
    .union(
      [z.string().min(1), z.strictObject({ path: z.string(), sha256: z.string() })],
      "must be the path of a safetensors file",
    )
    .optional(),
  seed: z.int().nonnegative().default(1),
  validationInterval: steps.default(500),
  checkpointInterval: steps.default(500),
  logInterval: steps.default(20),
  restarts: z.int().nonnegative().default(3),
  record: z.boolean().default(false),
  device: z.enum(["cpu", "webgpu", "cuda"]).optional(),
  threads: z.int().positive().optional(),
});

/** What a configuration of text may hold. */
export const textRunObject = tableRunObject.extend({
  data: textDataSchema,
  task: languageTaskSchema.optional(),
  model: textModelSchema,
});

/** Shares of numSteps as steps, a constant weight as a line. */
function inFull<
  T extends { readonly numSteps: number } & Pick<z.output<typeof tableRunObject>, "optimizer" | "codistill">,
>({ codistill, ...run }: T) {
  const { numSteps } = run;
  const weight = codistill.distillWeight;
  const line = typeof weight === "number" ? { from: weight, to: weight, steps: 0 } : weight;
  const inSteps = (value: z.output<typeof interval>) =>
    typeof value === "number" ? value : { ...value, steps: stepsOf(value.steps, numSteps) };
  return {
    ...run,
    optimizer: optimizerInSteps(run.optimizer, numSteps),
    codistill: {
      ...codistill,
      burnInSteps: stepsOf(codistill.burnInSteps, numSteps),
      distillWeight: { ...line, steps: stepsOf(line.steps, numSteps) },
      publishInterval: inSteps(codistill.publishInterval),
      exchangeInterval: inSteps(codistill.exchangeInterval),
    },
  };
}

/** The schema of a configuration of a table: checks, defaults, shares as steps. */
export const tableRunSchema = tableRunObject.transform((run) => ({ ...inFull(run), task: taskInFull(run.task) }));

/** The same of text. */
export const textRunSchema = textRunObject.transform(({ task, ...run }) => {
  const smoothing = smoothingInFull(task?.labelSmoothing);
  const distillLoss = task?.distillLoss;
  return {
    ...inFull(run),
    task: {
      kind: "language" as const,
      ...(smoothing && { labelSmoothing: smoothing }),
      ...(distillLoss && { distillLoss }),
    },
  };
});

export type { RunInput, TableRunInput, TextRunInput } from "./input/run.js";

/** Of records the same, of lists those that nobody may change: what a user gives is never changed. */
type Readable<T> = T extends readonly (infer E)[]
  ? readonly Readable<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Readable<T[K]> }
    : T;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type MustBe<T extends true> = T;

/** That what users read of options (`input/`) is what the schemas take, and the other way round: else this does not compile. */
export type InputsAreDocumented = [
  MustBe<Same<Readable<z.input<typeof tableRunSchema>>, Readable<TableRunInput>>>,
  MustBe<Same<Readable<z.input<typeof textRunSchema>>, Readable<TextRunInput>>>,
];

/** A configuration with every default filled in: plain data, stored with every run. */
export type RunConfig = TableRunConfig | TextRunConfig;
export type TableRunConfig = z.output<typeof tableRunSchema>;
export type TextRunConfig = z.output<typeof textRunSchema>;

/** Whether a configuration is of text. */
export function isOfText(config: RunConfig): config is TextRunConfig {
  return config.data.kind === "text";
}

/** A configuration that must be of a table. Throws {@link ConfigError} for one of text. */
export function ofTable(config: RunConfig, what: string): TableRunConfig {
  if (!isOfText(config)) return config;
  throw new ConfigError(`${what} is for tables, and this configuration is of text`);
}

/** Type a configuration: `export default defineRun({ ... })`. */
export function defineRun(config: RunInput): RunInput {
  return config;
}
