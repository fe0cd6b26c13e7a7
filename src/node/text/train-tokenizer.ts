/** A tokenizer of the user's own text: byte-level BPE, as the `tokenizer.json` that Hugging Face's libraries read. */
import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { trainBpe } from "../../data/text/bpe.js";
import { countWords, tokenizerFile } from "../../data/text/byte-level.js";
import { ConfigError, DataError, messageOf } from "../../errors.js";
import { bytes, count } from "../../report/format.js";
import { type DocumentsOptions, documents, findTexts } from "./documents.js";

export interface TrainTokenizerOptions extends DocumentsOptions {
  /** The number of tokens: 256 bytes, merged tokens, and the end of a text. */
  readonly size: number;
  readonly out: string;
}

export interface TrainedTokenizer {
  readonly out: string;
  /** The number of tokens; fewer than asked for when no pair occurs twice any more. */
  readonly size: number;
  readonly numDocuments: number;
  /** Bytes of the text in UTF-8. */
  readonly textBytes: number;
  /** SHA-256 of the file, in hexadecimal. */
  readonly digest: string;
  readonly seconds: number;
}

const BYTES_AND_END = 257;
const MOST_TOKENS = 1 << 20;
/** With more different words than this, words that occur once are forgotten, so that memory stays bounded. */
const MOST_WORDS = 5_000_000;

/**
 * Learn a tokenizer from all documents of a source, and write it. The same text gives the same file.
 *
 * Throws {@link ConfigError} for an invalid size and for an existing file, and {@link DataError} when there is no text.
 */
export async function trainTokenizer(
  source: string | readonly string[],
  options: TrainTokenizerOptions,
): Promise<TrainedTokenizer> {
  const { size, out, signal, onProgress = () => {} } = options;
  const started = performance.now();
  if (!Number.isInteger(size) || size < BYTES_AND_END || size > MOST_TOKENS) {
    throw new ConfigError(
      `tokenizer: the size must be a whole number from ${BYTES_AND_END} (the bytes and the end of a text) to ${count(MOST_TOKENS)}, got ${size}`,
    );
  }
  if (existsSync(out))
    throw new ConfigError(`tokenizer: ${out} is there already. Remove it, or name another with --out.`);
  const found = await findTexts(source, options);
  const words = new Map<string, number>();
  let [numDocuments, textBytes, told] = [0, 0, started];
  for await (const { text, isLast, bytesRead } of documents(found.files, options)) {
    countWords(text, words);
    if (words.size > MOST_WORDS) forgetRare(words);
    textBytes += Buffer.byteLength(text);
    numDocuments += Number(isLast);
    if (performance.now() - told < 1000) continue;
    told = performance.now();
    onProgress(
      `reading: ${bytes(bytesRead || textBytes)} of ${bytes(found.bytes)}, ${count(words.size)} different words`,
    );
  }
  if (words.size === 0)
    throw new DataError("tokenizer: tokens are learned from text, and there is none. Check --data and --field.");
  onProgress(`read ${count(numDocuments)} documents, ${bytes(textBytes)}, ${count(words.size)} different words`);
  // Merging blocks the thread: a signal that came before is seen here; during it, only a second signal ends the
  // process.
  await setImmediate();
  signal?.throwIfAborted();
  const numMerges = size - BYTES_AND_END;
  const merges = trainBpe(words, {
    numMerges,
    onProgress(done) {
      if (performance.now() - told < 1000) return;
      told = performance.now();
      onProgress(`joining: ${count(BYTES_AND_END + done)} of ${count(size)} tokens`);
    },
  });
  const text = `${JSON.stringify(tokenizerFile(merges))}\n`;
  try {
    writeFileSync(out, text, { flag: "wx" });
  } catch (error) {
    throw new ConfigError(`tokenizer: ${out} cannot be written: ${messageOf(error)}`, { cause: error });
  }
  return {
    out,
    size: BYTES_AND_END + merges.length,
    numDocuments,
    textBytes,
    digest: createHash("sha256").update(text).digest("hex"),
    seconds: (performance.now() - started) / 1000,
  };
}

function forgetRare(words: Map<string, number>): void {
  for (const [word, times] of words) if (times === 1) words.delete(word);
}
