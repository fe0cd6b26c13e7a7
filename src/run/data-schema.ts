/** What a configuration may say of its data: a table, or text. */
import { z } from "zod";
import { columnReadingSchema, type GivenReading } from "../reading/reading.js";

const sqlExpression = z.string().min(1);

const vocabulary = z.strictObject({
  minRows: z.int().positive().optional(),
  maxNames: z.int().positive().optional(),
});

/** Groups train on disjoint shards, on all data in orders of their own, or on the same shard (an ablation). */
const regime = z.enum(["disjoint", "all", "same"]).default("disjoint");

const source = z.union([z.string(), z.array(z.string()).min(1)], "must be a path or a list of paths");

const share = z.number().positive().lt(1);

/** SQL predicates that say which rows train, which choose the best checkpoint, and which are scored once at the end. */
const splitByPredicates = z.strictObject({
  kind: z.undefined().optional(),
  train: sqlExpression,
  validation: sqlExpression,
  test: sqlExpression,
});

/** The same by chance: ranks of a hash of the row, so that the shares are right to rounding. */
const splitByRank = z.strictObject({
  kind: z.literal("rows"),
  shares: z.strictObject({ validation: share, test: share }).default({ validation: 0.1, test: 0.1 }),
  seed: z.int().nonnegative().default(1),
  groupBy: z.exactOptional(sqlExpression),
  keepEqual: z.boolean().default(true),
  stratify: z.exactOptional(z.boolean()),
  where: z.exactOptional(sqlExpression),
});

/** A table: rows with features and a label. */
export const tableDataSchema = z.strictObject({
  kind: z.literal("table").optional(),
  source,
  columns: z.array(z.string().min(1)).min(1).optional(),
  maxBadRows: z.int().nonnegative().optional(),
  encoding: z
    .string()
    .regex(/^[A-Za-z0-9_:.-]{1,30}$/, "must be the name of an encoding, as windows-1252")
    .optional(),
  delimiter: z
    .string()
    .regex(/^[^\r\n"\p{L}\p{N}]$/u, "must be one character that is no letter, digit or quote")
    .optional(),
  nullValues: z.array(z.string().max(60)).max(100).optional(),
  decimal: z.enum([".", ","]).optional(),
  dateFormat: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(12)]).optional(),
  reading: z.record(z.string(), columnReadingSchema).optional(),
  label: sqlExpression,
  positive: z.exactOptional(z.string().min(1)),
  categorical: z.record(z.string(), sqlExpression).default({}),
  numeric: z.record(z.string(), sqlExpression).default({}),
  vocabularies: z.record(z.string(), vocabulary).optional(),
  split: z.discriminatedUnion("kind", [splitByPredicates, splitByRank]),
  shardBy: sqlExpression.optional(),
  filters: z.array(sqlExpression).optional(),
  regime,
});

/** What a table's data says of how text becomes values. */
export function givenReadingOf({
  encoding,
  delimiter,
  nullValues,
  decimal,
  dateFormat,
  reading,
}: Pick<
  z.output<typeof tableDataSchema>,
  "encoding" | "delimiter" | "nullValues" | "decimal" | "dateFormat" | "reading"
>): GivenReading {
  return {
    ...(encoding !== undefined && { encoding }),
    ...(delimiter !== undefined && { delimiter }),
    ...(nullValues !== undefined && { nullValues }),
    ...(decimal !== undefined && { decimal }),
    ...(dateFormat !== undefined && { dateFormats: typeof dateFormat === "string" ? [dateFormat] : dateFormat }),
    ...(reading !== undefined && { columns: reading }),
  };
}

const textSplit = z.union(
  [z.number().positive().lt(1), z.strictObject({ source })],
  "must be a share of the documents, above 0 and below 1, or { source }",
);

/** Text: documents, whose next unit is what is learned. */
export const textDataSchema = z.strictObject({
  kind: z.literal("text"),
  source,
  field: z.string().min(1).optional(),
  separator: z.string().min(1).optional(),
  encoding: z.string().min(1).optional(),
  tokenizer: z.string().min(1).default("bytes"),
  endOfText: z.string().min(1).nullable().optional(),
  validation: textSplit.default(0.05),
  test: textSplit.default(0.05),
  splitBy: z.enum(["hash", "position"]).optional(),
  longest: z.int().positive().optional(),
  dropRepeated: z.boolean().optional(),
  sequenceLength: z.int().positive().default(64),
  regime,
});
