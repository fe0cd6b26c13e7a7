/** Options of a configuration's data: a table, or text. */
import type { ColumnReading } from "../../reading/reading.js";

/**
 * Each group trains on a shard of its own ("disjoint", default), on all data in an order of its own ("all"), or on the
 * shard of group 0 ("same", an ablation).
 */
export type RegimeInput = "disjoint" | "all" | "same";

/** SQL predicates that say which rows train, which choose the best checkpoint, and which are scored once at the end. */
export interface SplitByPredicatesInput {
  readonly kind?: undefined;
  /** Rows that train, for example `day < '2025-06-01'`. */
  readonly train: string;
  /** Rows that choose the best checkpoint. */
  readonly validation: string;
  /** Rows that are scored once at the end. */
  readonly test: string;
}

/** A random split: rows are ordered by a hash, so that each split has its share of the rows up to rounding. */
export interface SplitByRankInput {
  readonly kind: "rows";
  /** Shares of all rows that validate and that test, 0.1 each by default; the other rows train. */
  readonly shares?: { readonly validation: number; readonly test: number } | undefined;
  /** Seed of the hash; another seed gives another random split. 1 by default. */
  readonly seed?: number | undefined;
  /**
   * SQL expression: rows with the same value, as text, go to the same split, and to the shard of the same group unless
   * `shardBy` says otherwise. Each row without a value is by itself.
   */
  readonly groupBy?: string;
  /**
   * Whether rows with equal features go to the same split, unless they are more than a hundredth of all rows; true by
   * default.
   */
  readonly keepEqual?: boolean | undefined;
  /**
   * Whether every split has the classes of the label in the same proportions; true by default, false for regression.
   */
  readonly stratify?: boolean;
  /** SQL predicate: rows for which it does not hold are in no split. */
  readonly where?: string;
  /**
   * The rows are dealt to `of` folds of equal size, and the fold of this number, from 1, tests in place of a share; as each
   * run of `codistill cross-validate` has it.
   */
  readonly fold?: { readonly number: number; readonly of: number };
}

/** Which names of a categorical feature have an embedding of their own. */
export interface VocabularyInput {
  /** A name must occur in at least this many training rows. */
  readonly minRows?: number | undefined;
  /** At most this many names, the most frequent ones. */
  readonly maxNames?: number | undefined;
}

/** A table: rows with features and a label. All strings of SQL are expressions over the columns of one row, in DuckDB's words. */
export interface TableDataInput {
  readonly kind?: "table" | undefined;
  /** Files or globs that DuckDB reads: Parquet, CSV, TSV, JSON lines. Relative paths start at the configuration file. */
  readonly source: string | readonly string[];
  /** The names of all columns, of CSV or TSV files that have no header. */
  readonly columns?: readonly string[] | undefined;
  /**
   * How many malformed lines of CSV or TSV files, such as lines with too few columns, may be left out; 0 by default.
   */
  readonly maxBadRows?: number | undefined;
  /** The encoding of files that are neither UTF-8 nor marked as UTF-16, by its name in the Encoding Standard. */
  readonly encoding?: string | undefined;
  /** The delimiter between the values of CSV files; inferred for each file by default. */
  readonly delimiter?: string | undefined;
  /**
   * Texts that stand for a missing value in every column; by default "NA", "?" and the like do so in columns of numbers
   * and times.
   */
  readonly nullValues?: readonly string[] | undefined;
  /** The decimal mark of columns whose numbers do not show it, such as 1,234; inferred by default. */
  readonly decimal?: "." | "," | undefined;
  /**
   * How times are written, for example "%d/%m/%Y"; "shipped=%m/%d/%Y" is for the column "shipped" alone. Inferred by
   * default.
   */
  readonly dateFormat?: string | readonly string[] | undefined;
  /** Column name to how its text is read; inferred for columns that are not named. */
  readonly reading?: Record<string, ColumnReading> | undefined;
  /**
   * SQL expression of the label: true or 1 is the positive class. With task "multiclass" it is a class of any type,
   * with "regression" a number.
   */
  readonly label: string;
  /**
   * The positive class of a binary label whose two values are not 0 and 1, or true and false. Spaces around a value do
   * not count; 1, 1.0 and true are the same value.
   */
  readonly positive?: string;
  /**
   * SQL expression of a row's weight, a finite number of 0 or more: it multiplies the loss of the row, in training,
   * validation and test, and is divided by its mean over the training rows. Rows count alike by default.
   */
  readonly weight?: string;
  /** Feature name to SQL expression; its values are treated as names. */
  readonly categorical?: Record<string, string> | undefined;
  /** Feature name to SQL expression; its values are treated as quantities. */
  readonly numeric?: Record<string, string> | undefined;
  /**
   * Categorical feature to the names that have an embedding of their own: by default all names of the training rows.
   * Other names count as unseen.
   */
  readonly vocabularies?: Record<string, VocabularyInput> | undefined;
  /**
   * Feature name to SQL expression of a name: a number that is the mean of the label over the training rows of the name
   * (of the logarithms that are learned, where the task's scale is "log"), or the log-odds of its share of yes; of
   * classes, where they are 8 at most, those of each, as `<name>_<class's place>`. It is shrunken towards the mean of
   * all rows the more, the fewer rows a name has, and for a training row it is over the rows of other folds, so that it
   * does not tell that row's label. The 50,000 most frequent names have one; others, and missing ones, the mean of all
   * rows.
   */
  readonly labelMeans?: Record<string, string> | undefined;
  /** Which rows train, validate and test: by chance with `{ kind: "rows" }`, or by predicates. */
  readonly split: SplitByPredicatesInput | SplitByRankInput;
  /**
   * SQL expression by whose value rows are dealt to groups: rows with the same value go to the same group. By default
   * `split.groupBy`, or else all columns.
   */
  readonly shardBy?: string | undefined;
  /**
   * SQL predicates, one for each group: a training row goes to the first group whose predicate holds, and to no group
   * when none does. Only with the regime "disjoint".
   */
  readonly filters?: readonly string[] | undefined;
  /**
   * For studies: the share of training labels that are replaced by another class, drawn evenly, from 0 to below 1; the same rows for all
   * groups and seeds. Validation and test labels stay as they are. Not of numbers.
   */
  readonly labelNoise?: number | undefined;
  /** What each group trains on: a shard of its own by default. */
  readonly regime?: RegimeInput | undefined;
  /**
   * How large the parts of the groups are, relative to one another, as [2, 1]: a number for each group. Only with the regime
   * "disjoint"; equally large by default.
   */
  readonly shares?: readonly number[] | undefined;
}

/** Documents in files of their own. */
export interface TextFilesInput {
  /** Files or globs, in the same forms as the `source` to train on. */
  readonly source: string | readonly string[];
}

/** A share of all documents, above 0 and below 1, or documents in files of their own. */
export type TextSplitInput = number | TextFilesInput;

/** Text: documents, in which the next token is predicted. */
export interface TextDataInput {
  readonly kind: "text";
  /** Text files, .gz, JSON lines, Parquet, globs of them; docs/text.md. Relative paths start at the configuration file. */
  readonly source: string | readonly string[];
  /** The column of the text, in files that have columns; "text" by default. */
  readonly field?: string | undefined;
  /**
   * The text between two documents of a plain file, for example "<|endoftext|>" or "\n\n\n"; without it each file is a
   * document.
   */
  readonly separator?: string | undefined;
  /** The encoding of files without a byte order mark, for example "windows-1252"; UTF-8 by default. */
  readonly encoding?: string | undefined;
  /** "bytes" (default), or the path of a tokenizer.json. */
  readonly tokenizer?: string | undefined;
  /**
   * The end-of-text token of a tokenizer.json, null for none; by default the first one of a list of usual ones
   * (docs/text.md).
   */
  readonly endOfText?: string | null | undefined;
  /** Documents that choose the best checkpoint: a share of all documents, or files of their own; 0.05 by default. */
  readonly validation?: TextSplitInput | undefined;
  /** Documents that are scored once at the end: a share of all documents, or files of their own; 0.05 by default. */
  readonly test?: TextSplitInput | undefined;
  /**
   * How a share of the documents is taken: in the order of their hashes ("hash", default), or from the end of all text
   * ("position"): validation is the end, and test comes before it.
   */
  readonly splitBy?: "hash" | "position" | undefined;
  /**
   * The longest document in characters, 4 million by default: a longer one is cut at the ends of lines, and each piece
   * is a document.
   */
  readonly longest?: number | undefined;
  /** Whether to leave out documents of validation and test that are in training too; true by default. */
  readonly dropRepeated?: boolean | undefined;
  /** Tokens of each sequence in a batch, through which gradients are propagated back; 64 by default. */
  readonly sequenceLength?: number | undefined;
  /** What each group trains on: a shard of its own by default. */
  readonly regime?: RegimeInput | undefined;
  /**
   * How large the parts of the groups are, relative to one another, as [2, 1]: a number for each group. Only with the regime
   * "disjoint"; equally large by default.
   */
  readonly shares?: readonly number[] | undefined;
}
