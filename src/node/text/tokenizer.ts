/** Text as units and back: bytes, or any `tokenizer.json` of Hugging Face's tokenizers. */
import { createHash } from "node:crypto";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { END_OF_TEXT, wordsOf } from "../../data/text/byte-level.js";
import { ConfigError, DataError, messageOf } from "../../errors.js";
import { count, shortened } from "../../report/format.js";
import { readRegular } from "../plain-files.js";
import { withinSeconds } from "./time-limit.js";

export interface Tokenizer {
  /** Ids are 0 to size - 1. */
  readonly size: number;
  /** The id that stands between documents, which no text has; null where the tokenizer has none. */
  readonly endOfText: number | null;
  /** SHA-256 of what defines it, in hexadecimal. */
  readonly digest: string;
  encode(text: string): ArrayLike<number>;
  decode(ids: readonly number[]): string;
}

/** Each byte of UTF-8 a unit; 256 is the end of a text. */
export function byteTokenizer(): Tokenizer {
  const encoder = new TextEncoder();
  return {
    size: 257,
    endOfText: 256,
    digest: createHash("sha256").update("bytes").digest("hex"),
    encode: (text) => encoder.encode(text),
    decode: (ids) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(ids.filter((id) => id < 256))),
  };
}

const id = z.int().nonnegative();
const fileSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id, content: z.string(), special: z.boolean().optional() })).default([]),
  pre_tokenizer: z.looseObject({ type: z.string() }).nullish(),
  model: z.looseObject({
    type: z.enum(["BPE", "WordPiece", "Unigram"], "must be BPE, WordPiece or Unigram").optional(),
    vocab: z.union(
      [z.record(z.string(), id), z.array(z.tuple([z.string(), z.number()]))],
      "must be a table of ids or a list of scores",
    ),
    merges: z
      .array(
        z.union(
          [z.string().regex(/^[^ ]+ [^ ]+$/, "must be pairs of units"), z.tuple([z.string(), z.string()])],
          "must be pairs of units",
        ),
      )
      .optional(),
  }),
});
type TokenizerJson = z.infer<typeof fileSchema>;

/** What a tokenizer may take for a text: a pattern of its file can take for ever. */
const secondsFor = (length: number) => 60 + length / 1000;

/** Words whose units are remembered: text repeats itself, and joining units takes long. */
const MOST_WORDS = 1_000_000;

/**
 * Open a `tokenizer.json`. Texts have no special units, whatever is written in them.
 *
 * Throws {@link ConfigError} when there is no such file, and {@link DataError} for one that is malformed, with the reason.
 */
export function openTokenizer(path: string): Tokenizer {
  let bytes: Uint8Array;
  try {
    bytes = readRegular(path);
  } catch (error) {
    throw new ConfigError(
      `tokenizer: ${path} cannot be read: ${messageOf(error)}. Train one with codistill tokenizer.`,
      {
        cause: error,
      },
    );
  }
  const file = parse(bytes, path);
  const library = made(file, path);
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
    const { ids } = library.encode(word, { add_special_tokens: false });
    if (known.size >= MOST_WORDS) known.clear();
    known.set(word, ids);
    return ids;
  }

  return {
    size: sizeOf(file),
    endOfText:
      file.added_tokens.find(({ content }) => content === END_OF_TEXT || /^<\/s>$|^<eos>$/.test(content))?.id ?? null,
    digest: createHash("sha256").update(bytes).digest("hex"),
    encode: (text) =>
      isByWord
        ? wordsOf(text).flatMap(encodeWord)
        : limited(text.length, () => library.encode(text, { add_special_tokens: false }).ids),
    // The library refuses to decode nothing.
    decode: (ids) =>
      ids.length === 0
        ? ""
        : limited(ids.length, () =>
            library.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
          ),
  };
}

function parse(bytes: Uint8Array, path: string): TokenizerJson {
  const malformed = (why: string, cause?: unknown) =>
    new DataError(`tokenizer: ${path} must be the tokenizer.json of Hugging Face's tokenizers: ${why}`, { cause });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw malformed(`it is no JSON (${messageOf(error)}). Is it whole?`, error);
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join(".") || "it"}: ${issue?.message}`, parsed.error);
  }
  const { model, added_tokens: added } = parsed.data;
  if (Array.isArray(model.vocab)) return parsed.data;
  const ids = new Map(Object.entries(model.vocab).map(([unit, own]) => [own, unit]));
  const numUnits = Object.keys(model.vocab).length;
  if (ids.size !== numUnits) throw malformed(`model.vocab has ${numUnits} units with ${ids.size} different ids`);
  for (const { id: own, content } of added) ids.set(own, content);
  const missing = Array.from({ length: ids.size }, (_, own) => own).find((own) => !ids.has(own));
  if (missing !== undefined) throw malformed(`ids must be 0 to ${ids.size - 1} without gaps, and none is ${missing}`);
  for (const [i, merge] of (model.merges ?? []).entries()) {
    const pair = typeof merge === "string" ? merge.split(" ") : merge;
    const unknown = [...pair, pair.join("")].find((unit) => !Object.hasOwn(model.vocab, unit));
    if (unknown !== undefined)
      throw malformed(
        `model.merges.${i} needs the unit ${JSON.stringify(shortened(unknown, 40))}, which model.vocab has not`,
      );
  }
  return parsed.data;
}

function made(file: TokenizerJson, path: string): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(file as object, { clean_up_tokenization_spaces: false });
  } catch (error) {
    throw new DataError(`tokenizer: ${path} is refused by Hugging Face's library: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function sizeOf({ model: { vocab }, added_tokens: added }: TokenizerJson): number {
  const numUnits = Array.isArray(vocab) ? vocab.length : Object.keys(vocab).length;
  return added.reduce((size, { id: own }) => Math.max(size, own + 1), numUnits);
}

/** Whether text is parted into words as GPT-2 does, and nothing looks beyond a word. */
function isByteLevel(file: TokenizerJson): boolean {
  const { pre_tokenizer: parted, model } = file;
  const { normalizer = null } = file as { normalizer?: unknown };
  return (
    normalizer === null &&
    parted?.type === "ByteLevel" &&
    parted.add_prefix_space === false &&
    parted.use_regex !== false &&
    model.type === "BPE"
  );
}
