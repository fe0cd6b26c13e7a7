/** The schemas of a configuration's network; `input/model.ts` documents the options. */
import { z } from "zod";
import { resNetDepths } from "../nn/resnet.js";

/** Share of inner values that are dropped in training; teachers and evaluation drop none. */
const dropRate = z.number().nonnegative().lt(1);
const dropout = dropRate.default(0);

const numericEmbedding = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("piecewise"),
    bins: z.literal([4, 8, 16, 32, 64], "must be 4, 8, 16, 32 or 64").default(16),
  }),
  z.strictObject({
    kind: z.literal("periodic"),
    frequencies: z.int().positive().default(16),
    sigma: z.number().positive().default(0.1),
    width: z.int().positive().default(8),
  }),
]);

/** Options of all networks of tables. Those that came later have no default, so that older runs stay what they are. */
const tableNetwork = {
  embeddings: z.record(z.string(), z.int().positive()).default({}),
  embeddingWidth: z.int().positive().default(16),
  hashed: z.record(z.string(), z.int().positive()).optional(),
  hidden: z.array(z.int().positive()).default([128, 64]),
  numericEmbedding: numericEmbedding.optional(),
  dropout: dropRate.optional(),
} as const;

/** Fully connected layers over embeddings: of tables. */
const mlpSchema = z.strictObject({ kind: z.literal("mlp"), ...tableNetwork });

/** Several of these that share their weights. */
const tabmSchema = z.strictObject({
  kind: z.literal("tabm"),
  ...tableNetwork,
  members: z.int().min(1).max(64).default(8),
  membersPerRow: z.int().positive().optional(),
});

/** The networks of tables. */
export const tableModelSchema = z.discriminatedUnion("kind", [mlpSchema, tabmSchema]);

/** The network of a table as it is configured, with its defaults. */
export type TableModelConfig = z.output<typeof tableModelSchema>;

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

/** Convolutions, each with the maximum of 2x2 windows: of small images. */
const cnnSchema = z.strictObject({
  kind: z.literal("cnn"),
  widths: z.array(z.int().positive()).min(1).default([32, 64, 128]),
  dropout,
});

/** Residual networks of either form: of images. */
const resNetSchema = z.strictObject({
  kind: z.literal("resnet"),
  depth: z.literal(resNetDepths, `must be one of ${resNetDepths.join(", ")}`).default(20),
});

/** Depthwise separable convolutions: of images. */
const mobileNetSchema = z.strictObject({
  kind: z.literal("mobilenet"),
  widthMultiplier: z.number().positive().default(1),
});

/** The networks of images. */
export const imageModelSchema = z.discriminatedUnion("kind", [cnnSchema, resNetSchema, mobileNetSchema]);

/** The network of images as it is configured, with its defaults. */
export type ImageModelConfig = z.output<typeof imageModelSchema>;
