/** What a configuration may say of its data: a table, or text. */
import type { ColumnReading } from "../../reading/reading.js";

/** Groups train on disjoint shards (default), on all data in orders of their own, or on the same shard (an ablation). */
export type RegimeInput = "disjoint" | "all" | "same";

/** SQL predicates that say which rows train, which choose the best checkpoint, and which are scored once at the end. */
export interface SplitByPredicatesInput {
  readonly kind?: undefined;
  /** Rows that train, as `day < '2025-06-01'`. */
  readonly train: string;
  /** Rows that choose the best checkpoint. */
  readonly validation: string;
  /** Rows that are scored once at the end. */
  readonly test: string;
}

/** A split by chance: ranks of a hash of the row, so that the shares are right to rounding. */
export interface SplitByRankInput {
  readonly kind: "rows";
  /** Of all rows, 0.1 and 0.1 by default; the others train. */
  readonly shares?: { readonly validation: number; readonly test: number } | undefined;
  /** Another one gives other rows; 1 by default. */
  readonly seed?: number | undefined;
  /** SQL expression: rows of one value are in one split. */
  readonly groupBy?: string;
  /** Rows that are equal in all features are in one split, unless they are more than a hundredth of all; true by default. */
  readonly keepEqual?: boolean | undefined;
  /** Each class of the label has its share of every split; true by default, and false for numbers. */
  readonly stratify?: boolean;
  /** SQL predicate: other rows are in no split. */
  readonly where?: string;
}

/** Which names of a categorical feature have an embedding of their own. */
export interface VocabularyInput {
  /** Names of at least so many training rows. */
  readonly minRows?: number | undefined;
  /** At most so many, the most frequent ones. */
  readonly maxNames?: number | undefined;
}

/** A table: rows with features and a label. All strings of SQL are expressions over the columns of one row, in DuckDB's words. */
export interface TableDataInput {
  readonly kind?: "table" | undefined;
  /** Files or globs that DuckDB reads: Parquet, CSV, TSV, JSON lines. Relative paths start at the configuration file. */
  readonly source: string | readonly string[];
  /** The names of all columns, of CSV or TSV files that have no header. */
  readonly columns?: readonly string[] | undefined;
  /** Lines of CSV or TSV files that are no rows, as one with too few columns, and may be left out; 0 by default. */
  readonly maxBadRows?: number | undefined;
  /** The encoding of files that are neither UTF-8 nor marked as UTF-16, by its name in the Encoding Standard. */
  readonly encoding?: string | undefined;
  /** What parts the values of CSV files; found out for each file by default. */
  readonly delimiter?: string | undefined;
  /** Text that stands for a missing value in every column; by default "NA", "?" and others do among numbers and times. */
  readonly nullValues?: readonly string[] | undefined;
  /** The decimal mark of numbers that do not show it themselves, as 1,234; inferred by default. */
  readonly decimal?: "." | "," | undefined;
  /** How times are written, as "%d/%m/%Y"; "shipped=%m/%d/%Y" is of one column alone. Inferred by default. */
  readonly dateFormat?: string | readonly string[] | undefined;
  /** How the text of columns is read, by their names; inferred for all others. */
  readonly reading?: Record<string, ColumnReading> | undefined;
  /** SQL expression: true or 1 for the positive class; with another `task` a class of any type, or a number. */
  readonly label: string;
  /** Of a binary label of two other values: the one that is yes. Spaces around it do not count, 1, 1.0 and true are one. */
  readonly positive?: string;
  /** Feature name to SQL expression; its values are treated as names. */
  readonly categorical?: Record<string, string> | undefined;
  /** Feature name to SQL expression; its values are treated as quantities. */
  readonly numeric?: Record<string, string> | undefined;
  /** Which names of a categorical feature have an embedding of their own, where not all shall: the others count as unseen. */
  readonly vocabularies?: Record<string, VocabularyInput> | undefined;
  /** Which rows train, validate and test: by chance with `{ kind: "rows" }`, or by predicates. */
  readonly split: SplitByPredicatesInput | SplitByRankInput;
  /** SQL expression whose value decides a row's hash slot; all columns by default. */
  readonly shardBy?: string | undefined;
  /**
   * SQL predicates, one for each group: a training row is of the first group whose predicate holds, and trains nobody
   * when none does. Only with the regime "disjoint".
   */
  readonly filters?: readonly string[] | undefined;
  /** What each group trains on: a shard of its own by default. */
  readonly regime?: RegimeInput | undefined;
}

/** Documents in files of their own. */
export interface TextFilesInput {
  /** Files or globs, as those to train on. */
  readonly source: string | readonly string[];
}

/** Documents by a share of all, above 0 and below 1, or files of their own. */
export type TextSplitInput = number | TextFilesInput;

/** Text: documents, in which the next token is predicted. */
export interface TextDataInput {
  readonly kind: "text";
  /** Text files, .gz, JSON lines, Parquet, globs of them; docs/text.md. Relative paths start at the configuration file. */
  readonly source: string | readonly string[];
  /** The column with the text, of files that have columns; "text" by default. */
  readonly field?: string | undefined;
  /** What stands between the documents of a plain file, as "<|endoftext|>" or "\n\n\n"; without it each file is a document. */
  readonly separator?: string | undefined;
  /** The encoding of files without a byte order mark, as "windows-1252"; UTF-8 by default. */
  readonly encoding?: string | undefined;
  /** "bytes" (default), or the path of a tokenizer.json. */
  readonly tokenizer?: string | undefined;
  /** The token of a tokenizer.json that ends a text, null for none; by default the first of those that are known to. */
  readonly endOfText?: string | null | undefined;
  /** Documents that choose the best checkpoint, 0.05 by default: a share of all by their hash, or files of their own. */
  readonly validation?: TextSplitInput | undefined;
  /** Documents that are scored once at the end, likewise. */
  readonly test?: TextSplitInput | undefined;
  /** What a share is of: documents by the rank of their hash, or the end of all text ("position"), for texts that go on. */
  readonly splitBy?: "hash" | "position" | undefined;
  /** Characters up to which a document is whole: a longer one is cut at the ends of lines, and each piece is a document. */
  readonly longest?: number | undefined;
  /** Leave out documents of validation and test that are in training too; true by default. */
  readonly dropRepeated?: boolean | undefined;
  /** Tokens of each text in a batch, 64 by default: how far gradients go back. */
  readonly sequenceLength?: number | undefined;
  /** What each group trains on: a shard of its own by default. */
  readonly regime?: RegimeInput | undefined;
}
