/** What a configuration may say of its data: a table, or text. */
import { z } from "zod";
import { columnReadingSchema, type GivenReading } from "../reading/reading.js";

const sqlExpression = z.string().min(1);

const vocabulary = z.strictObject({
  /** Names of at least so many training rows. */
  minRows: z.int().positive().optional(),
  /** At most so many, the most frequent ones. */
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
  /** Of all rows; the others train. */
  shares: z.strictObject({ validation: share, test: share }).default({ validation: 0.1, test: 0.1 }),
  /** Another one gives other rows. */
  seed: z.int().nonnegative().default(1),
  /** SQL expression: rows of one value are in one split. */
  groupBy: z.exactOptional(sqlExpression),
  /** Rows that are equal in all features are in one split, unless they are more than a hundredth of all. */
  keepEqual: z.boolean().default(true),
  /** Each class of the label has its share of every split; true by default, and false for numbers. */
  stratify: z.exactOptional(z.boolean()),
  /** SQL predicate: other rows are in no split. */
  where: z.exactOptional(sqlExpression),
});

/** A table: rows with features and a label. */
export const tableDataSchema = z.strictObject({
  kind: z.literal("table").optional(),
  /** Files or globs that DuckDB reads: Parquet, CSV, TSV, JSON lines. Relative paths start at the configuration file. */
  source,
  /** The names of all columns, of CSV or TSV files that have no header. */
  columns: z.array(z.string().min(1)).min(1).optional(),
  /** Lines of CSV or TSV files that are no rows, as one with too few columns, and may be left out; 0 by default. */
  maxBadRows: z.int().nonnegative().optional(),
  /** The encoding of files that are neither UTF-8 nor marked as UTF-16, by its name in the Encoding Standard. */
  encoding: z
    .string()
    .regex(/^[A-Za-z0-9_:.-]{1,30}$/, "must be the name of an encoding, as windows-1252")
    .optional(),
  /** What parts the values of CSV files; found out for each file by default. */
  delimiter: z
    .string()
    .regex(/^[^\r\n"\p{L}\p{N}]$/u, "must be one character that is no letter, digit or quote")
    .optional(),
  /** Text that stands for a missing value in every column; by default "NA", "?" and others do among numbers and times. */
  nullValues: z.array(z.string().max(60)).max(100).optional(),
  /** The decimal mark of numbers that do not show it themselves, as 1,234; inferred by default. */
  decimal: z.enum([".", ","]).optional(),
  /** How times are written, as "%d/%m/%Y"; "shipped=%m/%d/%Y" is of one column alone. Inferred by default. */
  dateFormat: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(12)]).optional(),
  /** How the text of columns is read, by their names; inferred for all others. */
  reading: z.record(z.string(), columnReadingSchema).optional(),
  /** SQL expression: true or 1 for the positive class; with another `task` a class of any type, or a number. */
  label: sqlExpression,
  /** Of a yes/no label of two other values: the one that is yes. Spaces around it do not count, 1, 1.0 and true are one. */
  positive: z.exactOptional(z.string().min(1)),
  /** Feature name to SQL expression; its values are treated as names. */
  categorical: z.record(z.string(), sqlExpression).default({}),
  /** Feature name to SQL expression; its values are treated as quantities. */
  numeric: z.record(z.string(), sqlExpression).default({}),
  /** Which names of a categorical feature have an embedding of their own, where not all shall: the others count as unseen. */
  vocabularies: z.record(z.string(), vocabulary).optional(),
  split: z.discriminatedUnion("kind", [splitByPredicates, splitByRank]),
  /** SQL expression whose value decides a row's hash slot; all columns by default. */
  shardBy: sqlExpression.optional(),
  /**
   * SQL predicates, one for each group: a training row is of the first group whose predicate holds, and trains nobody
   * when none does. Only with the regime "disjoint".
   */
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
  /** Text files, .gz, JSON lines, Parquet, globs of them; docs/text.md. Relative paths start at the configuration file. */
  source,
  /** The column with the text, of files that have columns; "text" by default. */
  field: z.string().min(1).optional(),
  /** What stands between the documents of a plain file, as "<|endoftext|>" or "\n\n\n"; without it each file is a document. */
  separator: z.string().min(1).optional(),
  /** The encoding of files without a byte order mark, as "windows-1252"; UTF-8 by default. */
  encoding: z.string().min(1).optional(),
  /** "bytes", or the path of a tokenizer.json. */
  tokenizer: z.string().min(1).default("bytes"),
  /** The token of a tokenizer.json that ends a text, null for none; by default the first of those that are known to. */
  endOfText: z.string().min(1).nullable().optional(),
  /** Documents that choose the best checkpoint: a share of all by their hash, or files of their own. */
  validation: textSplit.default(0.05),
  /** Documents that are scored once at the end, likewise. */
  test: textSplit.default(0.05),
  /** What a share is of: documents by the rank of their hash, or the end of all text ("position"), for texts that go on. */
  splitBy: z.enum(["hash", "position"]).optional(),
  /** Characters up to which a document is whole: a longer one is cut at the ends of lines, and each piece is a document. */
  longest: z.int().positive().optional(),
  /** Leave out documents of validation and test that are in training too; true by default. */
  dropRepeated: z.boolean().optional(),
  /** Units of each text in a batch: how far gradients go back. */
  sequenceLength: z.int().positive().default(64),
  regime,
});
