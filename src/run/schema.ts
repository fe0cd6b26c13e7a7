/** What a configuration may hold: one schema that gives the types, the defaults and the checks. */
import { z } from "zod";
import { ConfigError } from "../errors.js";
import { tableDataSchema, textDataSchema } from "./data-schema.js";
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
  /** Steps before teaching starts: a number, or a share of numSteps as in "50%", the default: teachers should know something. */
  burnInSteps: stepsOrShare.default("50%"),
  /** Weight of the distillation loss: a number, or a straight line that begins where burn-in ends and stays at its end. */
  distillWeight: z
    .union([z.number().nonnegative(), weightLine], "must be a number >= 0 or { from, to, steps }")
    .default(1),
  /** Logits are divided by it before teachers and student are compared. */
  temperature: z.number().positive().default(1),
  /** "sum": label loss + weight x distillation loss; "convex": (1 - weight) x label loss + weight x distillation loss. */
  mix: z.enum(["sum", "convex"]).default("sum"),
  /** Steps between publishing a snapshot: a number, or a straight line that begins where burn-in ends. */
  publishInterval: interval.default(50),
  /** Steps between looking for fresher teachers, likewise. */
  exchangeInterval: interval.default(50),
  /** A teacher counts until it has been known for this many student steps. */
  maxStaleness: steps.default(1000),
  /** Who teaches whom: a name, { degree } for that many random teachers each, or the list of each group's teachers. */
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
  /** Newest snapshots of its own that a group leaves in the store. */
  keepSnapshots: z.int().min(2).default(10),
});

/** What a configuration of a table may hold, before shares are turned into steps. */
export const tableRunObject = z.strictObject({
  /** Short name, the first part of the run folder's name. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be lower-case letters, digits and dashes"),
  data: tableDataSchema,
  /** What the label is: yes or no (the default), one of several classes, or a number; with options as { kind, ... }. */
  task: taskSchema.default("binary"),
  model: mlpSchema,
  optimizer: optimizerSchema,
  /** How groups teach one another; of one group none of it matters. */
  codistill: codistillSchema.default(() => codistillSchema.parse({})),
  numGroups: z.int().min(1).max(MAX_GROUPS).default(2),
  numSteps: steps,
  /** Examples of one optimizer step of one group: rows, or texts of `data.sequenceLength` units side by side. */
  globalBatchSize: z.int().positive(),
  /** Sub-batches that a step's examples are split into, to save memory. */
  accumulate: z.int().positive().default(1),
  /** End a group's training after `patience` validations whose loss was not lower by more than `minDelta`. */
  earlyStopping: z
    .strictObject({ patience: z.int().positive(), minDelta: z.number().nonnegative().default(0) })
    .optional(),
  /**
   * Validate and ship a moving average of the params (Polyak averaging) instead of the last ones. The other groups learn
   * from the params themselves, as without it.
   */
  ema: z.strictObject({ decay: z.number().min(0).lt(1).default(0.999) }).optional(),
  /**
   * Safetensors file whose params all groups begin from, as a run's model.safetensors; relative paths start at the
   * configuration file. Kept with the run as its path and SHA-256.
   */
  init: z
    .union(
      [z.string().min(1), z.strictObject({ path: z.string(), sha256: z.string() })],
      "must be the path of a safetensors file",
    )
    .optional(),
  /** Initial params and data order follow from it. */
  seed: z.int().nonnegative().default(1),
  /** Steps between validations; the best checkpoint is chosen among them. */
  validationInterval: steps.default(500),
  /** Steps between checkpoints. */
  checkpointInterval: steps.default(500),
  /** Steps between step events in the log. */
  logInterval: steps.default(20),
  /** Times that a group's process is started again, from its checkpoint, after it died. */
  restarts: z.int().nonnegative().default(3),
  /** Keep every snapshot that teaches, so that the run can be replayed to the same bits. */
  record: z.boolean().default(false),
  /** What every group trains on, "cpu" by default; see docs/devices.md. The test split is always scored on the CPU. */
  device: z.enum(["cpu", "webgpu", "cuda"]).optional(),
  /** Threads of each group; by default the machine's cores are shared out. */
  threads: z.int().positive().optional(),
});

/** What a configuration of text may hold. */
export const textRunObject = tableRunObject.extend({
  data: textDataSchema,
  /** How what comes next is learned. */
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

/** A configuration as a user writes it. */
export type RunInput = TableRunInput | TextRunInput;
export type TableRunInput = z.input<typeof tableRunSchema>;
export type TextRunInput = z.input<typeof textRunSchema>;

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
