/** The file `table.json` of a training cache: how a table was read and prepared. */
import { z } from "zod";
import type { RowSplit } from "../../data/split.js";
import { givenReadingSchema, readingSchema } from "../../reading/reading.js";
import { taskKinds } from "../../run/task-schema.js";
import { servingSchema } from "../../serving/expression.js";
import { seenValuesSchema } from "../../serving/seen.js";

/** Raised whenever the files, or the way they are made, change. */
export const formatVersion = 8;

const textMap = z.record(z.string(), z.string());
const count = z.number().int().nonnegative();

const moments = z.object({
  mean: z.number(),
  std: z.number(),
  shift: z.exactOptional(z.object({ center: z.number(), scale: z.number().positive() })),
});
const rowSplit = z.object({
  kind: z.literal("rows"),
  shares: z.object({ validation: z.number(), test: z.number() }),
  seed: z.number(),
  groupBy: z.exactOptional(z.string()),
  keepEqual: z.boolean(),
  stratify: z.boolean(),
  where: z.exactOptional(z.string()),
  fold: z.exactOptional(z.object({ number: count, of: count })),
}) satisfies z.ZodType<RowSplit>;

/** The schema of the file. */
export const tableFile = z.object({
  format: z.literal(formatVersion, { error: ({ input }) => `must be ${formatVersion}, got ${input}` }),
  digest: z.string(),
  duckdb: z.string(),
  spec: z.object({
    source: z.union([z.string(), z.array(z.string())]),
    columns: z.exactOptional(z.array(z.string()).readonly()),
    maxBadRows: z.exactOptional(count),
    label: z.string(),
    positive: z.exactOptional(z.string()),
    task: z.exactOptional(z.enum(taskKinds)),
    labelScale: z.exactOptional(z.literal("log")),
    weight: z.exactOptional(z.string()),
    teachers: z.exactOptional(
      z
        .array(
          z.union([
            z.object({
              model: z.string(),
              sha256: z.string(),
              inputs: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
              output: z.exactOptional(z.string()),
              classes: z.exactOptional(z.array(z.string())),
              weight: z.number(),
            }),
            z.object({ model: z.string(), sha256: z.string(), weight: z.number() }),
            z.object({ column: z.string(), weight: z.number() }),
            z.object({ columns: textMap, weight: z.number() }),
          ]),
        )
        .readonly(),
    ),
    categorical: textMap,
    numeric: textMap,
    vocabularies: z.exactOptional(
      z.record(z.string(), z.object({ minRows: count.optional(), maxNames: count.optional() })),
    ),
    labelMeans: z.exactOptional(textMap),
    split: z.union([rowSplit, z.object({ train: z.string(), validation: z.string(), test: z.string() })]),
    shardBy: z.exactOptional(z.string()),
    filters: z.exactOptional(z.array(z.string()).readonly()),
    reading: z.exactOptional(givenReadingSchema),
  }),
  layout: z.object({ columns: z.array(z.object({ name: z.string(), dtype: z.enum(["int32", "float32"]) })) }),
  preprocessing: z.object({
    vocabularies: z.record(z.string(), z.array(z.string())),
    numeric: z.record(
      z.string(),
      moments.extend({ quantiles: z.array(z.number()).readonly(), isLabelMean: z.exactOptional(z.literal(true)) }),
    ),
    labels: z.exactOptional(
      z.discriminatedUnion("kind", [
        z.object({
          kind: z.literal("classes"),
          classes: z.array(z.string()).readonly(),
          counts: z.array(count).readonly(),
        }),
        moments.extend({ kind: z.literal("numbers"), logUnit: z.exactOptional(z.number().positive()) }),
      ]),
    ),
    meanWeight: z.exactOptional(z.number().positive()),
  }),
  serving: servingSchema,
  seen: z.record(z.string(), seenValuesSchema),
  reading: readingSchema,
  notes: z.array(z.string()),
  numRows: z.object({
    train: count,
    validation: count,
    test: count,
    unassigned: z.exactOptional(count),
    malformed: z.exactOptional(count),
  }),
  files: z.array(z.object({ path: z.string(), bytes: count, sha256: z.string() })),
});

/** The content of `table.json`. */
export type TableFile = z.infer<typeof tableFile>;
