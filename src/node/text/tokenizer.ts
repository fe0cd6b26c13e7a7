/** Text as tokens and back: bytes, or any `tokenizer.json` of Hugging Face's tokenizers. */
import { createHash } from "node:crypto";
import { wordsOf } from "../../data/text/byte-level.js";
import { ConfigError, DataError, messageOf } from "../../errors.js";
import { count } from "../../report/format.js";
import { readWithin } from "../files/read-bounded.js";
import { endCandidates, endOfText } from "./end-of-text.js";
import { withinSeconds } from "./time-limit.js";
import { libraryOf, namesOf, parseTokenizer, type TokenizerJson, unknownIdOf } from "./tokenizer-file.js";

export interface Tokenizer {
  /** Ids are 0 to size - 1. */
  readonly size: number;
  /** The id of the end-of-text token, which ends documents and which no text gives; null when there is none. */
  readonly endOfText: number | null;
  /** The id of the unknown token; null when there is none. */
  readonly unknown: number | null;
  /** Notes on the tokenizer for the user, in sentences. */
  readonly notes: readonly string[];
  /** SHA-256 of the tokenizer's definition, in hexadecimal. */
  readonly digest: string;
  encode(text: string): ArrayLike<number>;
  decode(ids: readonly number[]): string;
}

/** Each byte of UTF-8 a token; 256 is the end of a text. */
export function byteTokenizer(): Tokenizer {
  const encoder = new TextEncoder();
  return {
    size: 257,
    endOfText: 256,
    unknown: null,
    notes: [],
    digest: createHash("sha256").update("bytes").digest("hex"),
    encode: (text) => encoder.encode(text),
    decode: (ids) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(ids.filter((id) => id < 256))),
  };
}

export interface TokenizerOptions {
  /**
   * The end-of-text token, by its name or id; null for none. By default the first that the tokenizer has of a list of
   * usual ones.
   */
  readonly endOfText?: string | number | null | undefined;
}

/** The time limit of a tokenizer for a text, in seconds, as a pattern of its file can take almost for ever. */
const secondsFor = (length: number) => 60 + length / 1000;

/** The most bytes of a tokenizer.json; the largest known ones have some 40 MB. */
const MAX_BYTES = 256 << 20;

/** Words whose tokens are remembered: text repeats itself, and joining tokens takes long. */
const MOST_WORDS = 1_000_000;

/**
 * Open a `tokenizer.json`. Text never gives special tokens, whatever is written in it.
 *
 * Throws {@link ConfigError} when there is no such file or no such end-of-text token, and {@link DataError}, with the
 * reason, for a file that is malformed.
 */
export function openTokenizer(path: string, options: TokenizerOptions = {}): Tokenizer {
  let bytes: Uint8Array;
  try {
    bytes = readWithin(path, MAX_BYTES);
  } catch (error) {
    throw new ConfigError(
      `tokenizer: ${path} cannot be read: ${messageOf(error)}. Train one with codistill tokenizer.`,
      {
        cause: error,
      },
    );
  }
  const file = parseTokenizer(bytes, path);
  const { names, numIds } = namesOf(file);
  const end = endOfText(file, names, options.endOfText, path);
  const unknown = unknownIdOf(file);
  const special = file.added_tokens.filter((one) => one.special).map((one) => one.id);
  const writing = libraryOf(file, path, new Set([...special, ...[end, unknown].filter((own) => own !== null)]));
  const reading = libraryOf(file, path);
  const isByWord = isByteLevel(file);
  const known = new Map<string, readonly number[]>();

  function limited<T>(length: number, work: () => T): T {
    const seconds = secondsFor(length);
    return withinSeconds(
      seconds,
      work,
      () =>
        new DataError(
          `tokenizer: ${path} must be done with a text of ${count(length)} characters in ${Math.round(seconds)} s, and is not: one of its patterns tries too many ways. Use another tokenizer, or mend the pattern.`,
        ),
    );
  }

  function encodeWord(word: string): readonly number[] {
    const before = known.get(word);
    if (before) return before;
    const { ids } = writing.encode(word, { add_special_tokens: false });
    if (known.size >= MOST_WORDS) known.clear();
    known.set(word, ids);
    return ids;
  }

  return {
    size: numIds,
    endOfText: end,
    unknown,
    notes: notesOf(file, names, end),
    digest: createHash("sha256").update(bytes).digest("hex"),
    encode: (text) =>
      isByWord
        ? wordsOf(text).flatMap(encodeWord)
        : limited(text.length, () => writing.encode(text, { add_special_tokens: false }).ids),
    decode: (ids) => {
      // The library refuses to decode an empty list, and ids without a token.
      const named = ids.filter((own) => names.has(own));
      if (named.length === 0) return "";
      const options = { skip_special_tokens: false, clean_up_tokenization_spaces: false };
      return limited(ids.length, () => reading.decode(named, options));
    },
  };
}

function notesOf(file: TokenizerJson, names: ReadonlyMap<number, string>, end: number | null): string[] {
  const { length } = JSON.stringify(file.normalizer ?? null).match(/"type":"Precompiled"/g) ?? [];
  const others = endCandidates(file).filter((own) => own !== end);
  const shown = others.slice(0, 5).map((own) => names.get(own));
  return [
    end === null
      ? "no token of the tokenizer ends a text: documents run together, and samples do not end; data.endOfText names one"
      : `${names.get(end)} ends a text${shown.length > 0 ? `, and not ${shown.join(", ")}: data.endOfText says otherwise` : ""}`,
    ...(length
      ? ["the normalizer is a table of SentencePiece, which is taken for NFKC and differs in rare characters"]
      : []),
  ];
}

/** Whether text is split into words as by GPT-2, and no part of the tokenizer looks beyond a word. */
function isByteLevel({ pre_tokenizer: parted, model, normalizer, added_tokens: added }: TokenizerJson): boolean {
  return (
    !normalizer &&
    parted?.type === "ByteLevel" &&
    parted.add_prefix_space === false &&
    parted.use_regex !== false &&
    model.type === "BPE" &&
    added.every(({ special }) => special === true)
  );
}
