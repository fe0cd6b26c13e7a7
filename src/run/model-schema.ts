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

/** A decoder-only transformer with rotary positions: of text. */
const transformerSchema = z.strictObject({
  kind: z.literal("transformer"),
  /** "llama": RMS norms, SwiGLU, no biases; "gpt": layer norms, GELU, biases. */
  style: z.enum(["llama", "gpt"]).default("llama"),
  width: z.int().positive().default(128),
  layers: z.int().positive().default(4),
  /** Into how many heads the width divides, each of an even depth. */
  heads: z.int().positive().default(4),
  /** Whether the embedding is the weight of the output too. */
  tied: z.boolean().default(true),
  dropout,
});

/** The networks of text. */
export const textModelSchema = z.union(
  [lstmSchema, transformerSchema],
  'must be { kind: "lstm", ... } or { kind: "transformer", ... }',
);
