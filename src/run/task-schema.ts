/** The schemas of a configuration's task; `input/task.ts` documents the options. */
import { z } from "zod";
import type { TaskKind } from "../log/events.js";
import { type DistillLossName, distillLosses } from "../nn/distill-losses.js";

const classWeights = z
  .union(
    [z.literal("balanced"), z.record(z.string(), z.number().positive())],
    'must be "balanced" or { class name: weight > 0 }',
  )
  .optional();

const amount = z.number().nonnegative().lt(1);

const labelSmoothing = z
  .union(
    [amount, z.strictObject({ amount, prior: z.enum(["uniform", "unigram"]).default("uniform") })],
    "must be a number from 0 to below 1 or { amount, prior }",
  )
  .optional();

const ofClasses = {
  classWeights,
  labelSmoothing,
  confidencePenalty: z.number().nonnegative().optional(),
  distillLoss: z.enum(Object.keys(distillLosses) as DistillLossName[]).optional(),
};

/** Options of labels of a table that are classes. */
const ofTableClasses = { ...ofClasses, temperature: z.boolean().optional() };

/** Options of next-token prediction. */
export const languageTaskSchema = z.strictObject({
  kind: z.literal("language").optional(),
  labelSmoothing: ofClasses.labelSmoothing,
  confidencePenalty: ofClasses.confidencePenalty,
  distillLoss: ofClasses.distillLoss,
});

/** Options of the classes of images. */
export const imageTaskSchema = z.strictObject({ kind: z.literal("multiclass").optional(), ...ofTableClasses });

/** The kinds of tasks. */
export const taskKinds = ["binary", "multiclass", "regression"] as const satisfies TaskKind[];

/** A task: its kind, or its kind with options. */
export const taskSchema = z.union(
  [
    z.enum(taskKinds),
    z.strictObject({ kind: z.literal("binary"), ...ofTableClasses }),
    z.strictObject({ kind: z.literal("multiclass"), ...ofTableClasses }),
    z.strictObject({
      kind: z.literal("regression"),
      loss: z.enum(["squared", "absolute", "huber"]).optional(),
      delta: z.number().positive().optional(),
      scale: z.enum(["linear", "log"]).optional(),
      least: z.number().optional(),
    }),
  ],
  `must be ${taskKinds.map((kind) => `"${kind}"`).join(", ")} or one of these with options, { kind, ... }`,
);

/** A task with its options, as a configuration gives it. */
type Given = Exclude<z.output<typeof taskSchema>, string>;

/** Label smoothing with every option: the amount, and the prior over the classes. */
type Smoothing = Exclude<z.output<typeof labelSmoothing>, number | undefined>;

/** A task in full: its kind with its options. */
export type TaskConfig = Given extends infer T
  ? T extends { kind: "regression" }
    ? T
    : Omit<T, "labelSmoothing"> & { labelSmoothing?: Smoothing }
  : never;

/** Label smoothing as a record, given as an amount or as one. */
export function smoothingInFull(smoothing: z.output<typeof labelSmoothing>): Smoothing | undefined {
  return typeof smoothing === "number" ? { amount: smoothing, prior: "uniform" } : smoothing;
}

/** The classes of images as a task. */
export function imageTaskInFull(
  task: z.output<typeof imageTaskSchema> = {},
): Extract<TaskConfig, { kind: "multiclass" }> {
  const { labelSmoothing: amountOrMore, ...rest } = task;
  const smoothing = smoothingInFull(amountOrMore);
  return { ...rest, kind: "multiclass", ...(smoothing && { labelSmoothing: smoothing }) };
}

/** A task as a record, given by its name or as one. */
export function taskInFull(task: z.output<typeof taskSchema>): TaskConfig {
  const given: Given = typeof task === "string" ? { kind: task } : task;
  if (given.kind === "regression") return given;
  const { labelSmoothing: amountOrMore, ...rest } = given;
  const smoothing = smoothingInFull(amountOrMore);
  return smoothing ? { ...rest, labelSmoothing: smoothing } : rest;
}
