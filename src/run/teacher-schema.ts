/** The schemas of teachers that do not change; `input/run.ts` documents them. */
import { z } from "zod";
import { textModelSchema } from "./model-schema.js";

/** The most teachers of a run that do not change. */
export const MAX_TEACHERS = 8;

/** How much of the label loss fixed teachers make, where nothing is said. */
export const DEFAULT_TEACHER_WEIGHT = 0.5;

const weight = z.number().positive().default(1);
const sql = z.string().min(1);
const path = z.string().min(1);

/** A teacher of a table: a served model, or columns of the table that have its predictions. */
const tableTeacher = z.union(
  [
    z.strictObject({
      model: path,
      inputs: z.exactOptional(z.record(z.string(), z.union([sql, z.array(sql).min(1)]))),
      output: z.exactOptional(path),
      classes: z.exactOptional(z.array(z.string()).min(2)),
      weight,
    }),
    z.strictObject({ column: sql, weight }),
    z.strictObject({ columns: z.record(z.string(), sql), weight }),
  ],
  'must be { model: "model.onnx" }, { column: "..." } or, of classes, { columns: { name: "..." } }',
);

/** A teacher of text: a run, the weights of one, or weights and their network. When a run is loaded, all become the last. */
const textTeacher = z.union(
  [
    z.strictObject({
      run: path,
      group: z.union([z.int().nonnegative(), z.literal("all")]).optional(),
      weight,
    }),
    z.strictObject({ model: path, weight }),
    z.strictObject({
      weights: path,
      sha256: z.string().optional(),
      network: textModelSchema,
      tokenizer: z.string().optional(),
      isNetworkSaid: z.boolean().optional(),
      weight,
    }),
  ],
  'must be { run: "runs/..." }, with group: a number or "all"; { model: "model.safetensors" } beside its config.json; or { weights: "x.safetensors", network: { kind: ... } }',
);

const options = <T extends z.ZodType>(teacher: T) => ({
  teachers: z.exactOptional(z.array(teacher).min(1).max(MAX_TEACHERS)),
  teacherWeight: z.exactOptional(z.number().min(0).max(1)),
});

/** The options of teachers of a run on a table. */
export const tableTeachers = options(tableTeacher);

/** The options of teachers of a run on text. */
export const textTeachers = {
  ...options(textTeacher),
  teacherPrecision: z.exactOptional(z.enum(["float32", "int8"])),
};

/** A line for each option of teachers that is given without any. */
export function teacherWeightProblems({
  teachers,
  teacherWeight,
  teacherPrecision,
}: {
  readonly teachers?: readonly unknown[];
  readonly teacherWeight?: number;
  readonly teacherPrecision?: string;
}): string[] {
  if (teachers !== undefined) return [];
  const given = { weight: teacherWeight, precision: teacherPrecision };
  return Object.entries(given).flatMap(([what, value]) =>
    value === undefined
      ? []
      : [
          `teacher${what === "weight" ? "Weight" : "Precision"}: is the ${what} of teachers, and teachers is left out; leave it out too, got ${value}`,
        ],
  );
}
