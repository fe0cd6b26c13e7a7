/** What a configuration may say of its network. */
import { z } from "zod";

/** Fully connected layers over embeddings: of tables. */
export const mlpSchema = z.strictObject({
  kind: z.literal("mlp"),
  /** Width of the embedding of each categorical feature. */
  embeddings: z.record(z.string(), z.int().positive()).default({}),
  /** Width for those that are not named. */
  embeddingWidth: z.int().positive().default(16),
  /** Of categorical features with very many names: rows of their embedding table, which names share by two hashes each. */
  hashed: z.record(z.string(), z.int().positive()).optional(),
  /** Widths of the hidden layers. */
  hidden: z.array(z.int().positive()).default([128, 64]),
});

/** Share of inner values that are dropped in training; teachers and evaluation drop none. */
const dropout = z.number().nonnegative().lt(1).default(0);

/** Layer-normalised LSTMs over an embedding: of text. */
const lstmSchema = z.strictObject({
  kind: z.literal("lstm"),
  /** Width of the embedding. */
  width: z.int().positive().default(128),
  /** Hidden units of each layer. */
  hidden: z.int().positive().default(256),
  layers: z.int().positive().default(2),
  /** Whether the embedding is the weight of the output too; `width` is then `hidden`. */
  tied: z.boolean().default(false),
  dropout,
});

/** Shapes of transformers, named by the params of their blocks; the embedding comes on top of that. */
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
    /** "llama": RMS norms, SwiGLU, no biases; "gpt": layer norms, GELU, biases. */
    style: z.enum(["llama", "gpt"]).default("llama"),
    /** A shape by name, in the place of width, layers and heads; what is given of these beside it counts more. */
    size: z.enum(transformerSizeNames).optional(),
    width: z.int().positive().optional(),
    layers: z.int().positive().optional(),
    /** Into how many heads the width divides, each of an even depth. */
    heads: z.int().positive().optional(),
    /** Whether the embedding is the weight of the output too. */
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
