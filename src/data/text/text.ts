/** The text that a run reads, and the sizes of its splits. */
import type { Corpus } from "./corpus.js";

/** A share of the training documents, or documents of a source of their own. */
export type TextSplit = number | { readonly source: string | readonly string[] };

export interface TextSpec {
  /** Files, globs or URLs of the training documents, from which shares for validation and test are taken. */
  readonly source: string | readonly string[];
  /** The column with the text, of files that have columns; "text" by default. */
  readonly field?: string;
  /** The text between the documents of a plain file; without it each file is one document. */
  readonly separator?: string;
  /** The encoding of files without a byte order mark, by its name in the Encoding Standard; "utf-8" by default. */
  readonly encoding?: string;
  /** "bytes", or the path of a `tokenizer.json`. */
  readonly tokenizer: string;
  /** The token of a `tokenizer.json` that ends a text, null for none; by default the likeliest that it has. */
  readonly endOfText?: string | null;
  readonly validation: TextSplit;
  readonly test: TextSplit;
  /** How a share is taken: documents by the rank of their hash, the default, or the end of all text. */
  readonly splitBy?: "hash" | "position";
  /**
   * The most characters of a document, by default and at most 4,194,304: a longer one is cut at the ends of lines, and
   * each piece is a document.
   */
  readonly longest?: number;
  /** Leave out documents of validation and test that are in training too; true by default. */
  readonly dropRepeated?: boolean;
}

export const textSplits = ["train", "validation", "test"] as const;
export type TextSplitName = (typeof textSplits)[number];

/** The size of a split. */
export interface TextSize {
  readonly documents: number;
  /** Tokens, including the ends of documents. */
  readonly tokens: number;
  /** Bytes of the text in UTF-8, which turn nats per token into bits per byte. */
  readonly bytes: number;
  /** Whether tokens lose some of the text, which then has no bits per byte. */
  readonly isLossy?: boolean | undefined;
}

/** Documents of one split by hash slot. */
export interface SlottedCorpus extends Corpus {
  /** The slot of each document. */
  readonly slots: Uint16Array;
}

/** The documents of some slots. */
export function documentsOf({ slots }: SlottedCorpus, wanted: readonly number[]): Uint32Array {
  const isWanted = new Set(wanted);
  return Uint32Array.from(slots.keys()).filter((d) => isWanted.has(slots[d] as number));
}
