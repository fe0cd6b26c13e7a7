/** What text a run is of, and what is known of it once it is read. */
import type { Corpus } from "./corpus.js";

/** A share of the documents by their hash, or documents of their own. */
export type TextSplit = number | { readonly source: string | readonly string[] };

export interface TextSpec {
  /** Files, globs or URLs of the training documents, and of those that a share of them is. */
  readonly source: string | readonly string[];
  /** The column with the text, of files that have columns; "text" by default. */
  readonly field?: string;
  /** What stands between the documents of a plain file, each of which is one document without it. */
  readonly separator?: string;
  /** The encoding of files without a byte order mark, by its name in the Encoding Standard; "utf-8" by default. */
  readonly encoding?: string;
  /** "bytes", or the path of a `tokenizer.json`. */
  readonly tokenizer: string;
  /** The token of a `tokenizer.json` that ends a text, null for none; by default the first of those that are known to. */
  readonly endOfText?: string | null;
  readonly validation: TextSplit;
  readonly test: TextSplit;
  /** What a share is of: documents by the rank of their hash, the default, or the end of all text. */
  readonly splitBy?: "hash" | "position";
  /** Characters up to which a document is whole, at most the default of 4,194,304: a longer one is cut at the ends of lines, and each piece is a document. */
  readonly longest?: number;
  /** Leave out documents of validation and test that are in training too; true by default. */
  readonly dropRepeated?: boolean;
}

export const textSplits = ["train", "validation", "test"] as const;
export type TextSplitName = (typeof textSplits)[number];

/** How much a split has. */
export interface TextSize {
  readonly documents: number;
  /** Tokens, the ends of documents among them. */
  readonly tokens: number;
  /** Of the text in UTF-8: what nats per token become bits per byte with. */
  readonly bytes: number;
  /** Whether the tokens do not give the text back: then there are no bits per byte of it. */
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
