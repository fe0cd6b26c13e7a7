/**
 * Byte-level tokens in the `tokenizer.json` of Hugging Face's tokenizers: any text has tokens, and any tokens give
 * bytes.
 */
import type { Merge } from "./bpe.js";

/** The token between documents, which does not occur in text. */
export const END_OF_TEXT = "<|endoftext|>";

/**
 * GPT-2's pattern of words, inside which tokens are merged (Radford et al. 2019): contractions; letters, numbers or
 * other characters, each with the space before them; and spaces.
 */
const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The words of a text, which joined are the text. */
export function wordsOf(text: string): readonly string[] {
  return text.match(WORDS) ?? [];
}

/** Add the words of a text to counts of them. */
export function countWords(text: string, counts: Map<string, number>): void {
  for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
}

/** The character for a byte in a vocabulary: the byte itself if printable, else one from U+0100 on (Radford et al.). */
export const byteSigns: readonly string[] = signs();

function signs(): string[] {
  const isSeen = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isSeen(byte) ? byte : next++));
}

/** What a `tokenizer.json` of bytes and merges holds. */
export interface TokenizerFile {
  readonly version: "1.0";
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly object[];
  readonly normalizer: null;
  readonly pre_tokenizer: object;
  readonly post_processor: null;
  readonly decoder: object;
  readonly model: {
    readonly type: "BPE";
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly string[];
    readonly [option: string]: unknown;
  };
}

/** The tokenizer of the bytes (ids 0 to 255), what merges make (from 256 on), and last {@link END_OF_TEXT}. */
export function tokenizerFile(merges: readonly Merge[]): TokenizerFile {
  const tokens = [...byteSigns];
  for (const [left, right] of merges) tokens.push(`${tokens[left]}${tokens[right]}`);
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const endOfText = {
    id: tokens.length,
    content: END_OF_TEXT,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [endOfText],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: { ...Object.fromEntries(tokens.map((token, id) => [token, id])), [END_OF_TEXT]: tokens.length },
      merges: merges.map(([left, right]) => `${tokens[left]} ${tokens[right]}`),
    },
  };
}
