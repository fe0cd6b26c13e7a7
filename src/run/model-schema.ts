/** The schemas of a configuration's network; `input/model.ts` documents the options. */
import { z } from "zod";

/** Fully connected layers over embeddings: of tables. */
export const mlpSchema = z.strictObject({
  kind: z.literal("mlp"),
  embeddings: z.record(z.string(), z.int().positive()).default({}),
  embeddingWidth: z.int().positive().default(16),
  hashed: z.record(z.string(), z.int().positive()).optional(),
  hidden: z.array(z.int().positive()).default([128, 64]),
});

/** Share of inner values that are dropped in training; teachers and evaluation drop none. */
const dropout = z.number().nonnegative().lt(1).default(0);

/** Layer-normalised LSTMs over an embedding: of text. */
const lstmSchema = z.strictObject({
  kind: z.literal("lstm"),
  width: z.int().positive().default(128),
  hidden: z.int().positive().default(256),
  layers: z.int().positive().default(2),
  tied: z.boolean().default(false),
  dropout,
});

/** Shapes of transformers, named by the number of params in their blocks, without the embedding. */
const transformerSizes = {
  "1M": { width: 128, layers: 5, heads: 4 },
  "3M": { width: 192, layers: 7, heads: 6 },
  "10M": { width: 320, layers: 8, heads: 5 },
  "30M": { width: 512, layers: 10, heads: 8 },
  "100M": { width: 768, layers: 14, heads: 12 },
} as const;

/** The names of the shapes, from small to large. */
export const transformerSizeNames = Object.keys(transformerSizes) as (keyof typeof transformerSizes)[];

const unnamedSize = { width: 128, layers: 4, heads: 4 };

/** A decoder-only transformer with rotary positions: of text. */
const transformerSchema = z
  .strictObject({
    kind: z.literal("transformer"),
    style: z.enum(["llama", "gpt"]).default("llama"),
    size: z.enum(transformerSizeNames).optional(),
    width: z.int().positive().optional(),
    layers: z.int().positive().optional(),
    heads: z.int().positive().optional(),
    tied: z.boolean().default(true),
    dropout,
  })
  .transform(({ size, width, layers, heads, ...rest }) => {
    const shape = size === undefined ? unnamedSize : transformerSizes[size];
    return { ...rest, width: width ?? shape.width, layers: layers ?? shape.layers, heads: heads ?? shape.heads };
  });

/** The networks of text. */
export const textModelSchema = z.union(
  [lstmSchema, transformerSchema],
  'must be { kind: "lstm", ... } or { kind: "transformer", ... }',
);
