/** The schema of the options of every run, whatever its data is. `input/` documents the options. */
import { z } from "zod";
import { algorithmInSteps, algorithmSchema, DEFAULT_ALGORITHM } from "./algorithms.js";
import { optimizerInSteps, optimizerSchema } from "./optimizer-schema.js";

/** The most workers that a group may have. */
const MAX_WORKERS = 64;
/** The most groups that a run may have. */
export const MAX_GROUPS = 64;

const steps = z.int().positive();
/** The name of a run. */
export const runName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be lower-case letters, digits and dashes");

/** Files of data. */
export const sourceSchema = z.union([z.string(), z.array(z.string()).min(1)], "must be a path or a list of paths");

/** Groups train on disjoint shards, on all data in orders of their own, or on the same shard (an ablation). */
export const regimeSchema = z.enum(["disjoint", "all", "same"]).default("disjoint");

/** How large the disjoint parts of groups are, relative to one another. */
export const sharesSchema = z.array(z.number().positive()).min(2).optional();

/** The share of training labels that are made wrong. */
export const labelNoiseSchema = z.number().min(0).lt(1).optional();

/** The options beside name, data, task and model. */
export const commonOptions = {
  optimizer: optimizerSchema,
  algorithm: algorithmSchema.default(() => algorithmSchema.parse({ kind: DEFAULT_ALGORITHM })),
  numGroups: z.int().min(1).max(MAX_GROUPS).default(2),
  numSteps: steps,
  globalBatchSize: z.int().positive(),
  accumulate: z.int().positive().default(1),
  workers: z.int().min(1).max(MAX_WORKERS).default(1),
  earlyStopping: z
    .strictObject({ patience: z.int().positive(), minDelta: z.number().nonnegative().default(0) })
    .optional(),
  stopAtLoss: z.number().optional(),
  timeLimit: z.number().positive().optional(),
  noiseScale: z.boolean().optional(),
  ema: z.strictObject({ decay: z.number().min(0).lt(1).default(0.999) }).optional(),
  init: z
    .union(
      [
        z.string().min(1),
        z.strictObject({
          path: z.string().min(1),
          sha256: z.string().optional(),
          fit: z.enum(["whole", "transfer"]).optional(),
        }),
      ],
      'must be the path of a safetensors file, or { path, fit: "transfer" }',
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

/** A configuration with shares of numSteps converted to steps. */
export function inFull<T extends Pick<Common, "numSteps" | "optimizer" | "algorithm">>({ algorithm, ...run }: T) {
  const { numSteps } = run;
  return {
    ...run,
    optimizer: optimizerInSteps(run.optimizer, numSteps),
    algorithm: algorithmInSteps(algorithm, numSteps),
  };
}
