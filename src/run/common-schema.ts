/** What a configuration may say of a run, whatever its data is. What options mean is said in `input/`. */
import { z } from "zod";
import { optimizerInSteps, optimizerSchema } from "./optimizer-schema.js";
import { stepsOf, stepsOrShare } from "./steps.js";

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

/** The name of a run. */
export const runName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be lower-case letters, digits and dashes");

/** Files of data. */
export const sourceSchema = z.union([z.string(), z.array(z.string()).min(1)], "must be a path or a list of paths");

/** Groups train on disjoint shards, on all data in orders of their own, or on the same shard (an ablation). */
export const regimeSchema = z.enum(["disjoint", "all", "same"]).default("disjoint");

/** The options beside the name, the data and what is learned of it. */
export const commonOptions = {
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
} as const;

type Common = z.output<z.ZodObject<typeof commonOptions>>;

/** Shares of numSteps as steps, a constant weight as a line. */
export function inFull<T extends Pick<Common, "numSteps" | "optimizer" | "codistill">>({ codistill, ...run }: T) {
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
