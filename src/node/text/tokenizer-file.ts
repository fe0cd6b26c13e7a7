/** A `tokenizer.json` of Hugging Face's tokenizers: read, checked, and as the library takes it. */
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { DataError, messageOf } from "../../errors.js";
import { count, shortened } from "../../report/format.js";
import { decoderOf, FIRST_SPACE, normalizerOf, normalizers, type Part, preTokenizerOf } from "./tokenizer-parts.js";

const id = z.int().nonnegative();
const part = z.looseObject({ type: z.string() }).nullish();
const fileSchema = z.looseObject({
  added_tokens: z
    .array(
      z.looseObject({
        id,
        content: z.string(),
        special: z.boolean().optional(),
        single_word: z.boolean().optional(),
      }),
    )
    .default([]),
  normalizer: part,
  pre_tokenizer: part,
  decoder: part,
  model: z.looseObject({
    type: z
      .enum(["BPE", "WordPiece", "WordLevel", "Unigram"], "must be BPE, WordPiece, WordLevel or Unigram")
      .optional(),
    unk_token: z.string().nullish(),
    unk_id: id.nullish(),
    vocab: z.union(
      [z.record(z.string(), id), z.array(z.tuple([z.string(), z.number()])).min(1)],
      "must be a table of ids or a list of scores",
    ),
    merges: z
      .array(
        z.union(
          [z.string().regex(/^[^ ]+ [^ ]+$/, "must be pairs of tokens"), z.tuple([z.string(), z.string()])],
          "must be pairs of tokens",
        ),
      )
      .optional(),
  }),
});

/** The content of the file. */
export type TokenizerJson = z.output<typeof fileSchema>;

/**
 * Parse a file. Throws {@link DataError}, with the reason, when it is malformed or has a part that is not implemented
 * here.
 */
export function parseTokenizer(bytes: Uint8Array, path: string): TokenizerJson {
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
  const file = parsed.data;
  const { model, added_tokens: added } = file;
  const unknown = whyNotComputed(file);
  if (unknown !== null) throw new DataError(`tokenizer: ${path} is not read here: ${unknown}. Use another tokenizer.`);
  const { names, numIds } = namesOf(file);
  if (!Array.isArray(model.vocab)) {
    const numTokens = Object.keys(model.vocab).length;
    const different = new Set(Object.values(model.vocab)).size;
    if (different !== numTokens) throw malformed(`model.vocab has ${numTokens} tokens with ${different} different ids`);
    for (const [i, merge] of (model.merges ?? []).entries()) {
      const pair = typeof merge === "string" ? merge.split(" ") : merge;
      const missing = [...pair, pair.join("")].find((token) => !Object.hasOwn(model.vocab, token));
      if (missing !== undefined)
        throw malformed(
          `model.merges.${i} needs the token ${JSON.stringify(shortened(missing, 40))}, which model.vocab has not`,
        );
    }
  }
  // Some ids may be unused; a file with mostly unused ids is damaged, and would make a huge model.
  if (numIds > 2 * names.size + 1)
    throw malformed(
      `at most half of the ids may be of no token, and ${count(names.size)} tokens have ids up to ${numIds - 1}`,
    );
  const twice = added.find(
    ({ id: own, content }, i) => added.findIndex((one) => one.id === own) < i && names.get(own) !== content,
  );
  if (twice) throw malformed(`added_tokens has the id ${twice.id} twice`);
  return file;
}

/** Every token by its id, and how many ids there are. */
export function namesOf({ model, added_tokens: added }: TokenizerJson): {
  readonly names: ReadonlyMap<number, string>;
  readonly numIds: number;
} {
  const tokens: [number, string][] = Array.isArray(model.vocab)
    ? model.vocab.map(([token], own) => [own, token])
    : Object.entries(model.vocab).map(([token, own]) => [own, token]);
  const names = new Map([...tokens, ...added.map(({ id: own, content }): [number, string] => [own, content])]);
  let numIds = 0;
  for (const own of names.keys()) numIds = Math.max(numIds, own + 1);
  return { names, numIds };
}

function whyNotComputed({ model, added_tokens: added }: TokenizerJson): string | null {
  if (kindOf(model) === "BPE" && model.continuing_subword_prefix) return "its BPE has a continuing_subword_prefix";
  if (kindOf(model) === "Unigram" && model.byte_fallback === true) return "its Unigram has byte_fallback";
  const single = added.find(({ single_word, special }) => single_word && !special);
  return single ? `its added token ${JSON.stringify(shortened(single.content, 40))} is a single_word` : null;
}

function kindOf({ type, vocab, merges, continuing_subword_prefix: prefix }: TokenizerJson["model"]): string {
  if (type) return type;
  if (Array.isArray(vocab)) return "Unigram";
  if (merges) return "BPE";
  return prefix === undefined ? "WordLevel" : "WordPiece";
}

/** A name that no text has, as no text has half of a pair of surrogates. */
const hidden = (name: string) => `\uD800${name}`;

/**
 * The library's tokenizer of a file. Text never gives tokens with `hiddenIds`, whatever is written in it.
 *
 * Throws {@link DataError} when the library refuses the file.
 */
export function libraryOf(file: TokenizerJson, path: string, hiddenIds: ReadonlySet<number> = new Set()) {
  try {
    const { pre_tokenizer: parted, decoder } = file;
    const hasFirstSpace =
      parted?.type === "ByteLevel" && parted.use_regex !== false && parted.add_prefix_space !== false;
    const normalizing = [
      ...(file.normalizer ? normalizers(file.normalizer as Part) : []),
      ...(hasFirstSpace ? [FIRST_SPACE] : []),
    ];
    const whole = {
      ...file,
      added_tokens: file.added_tokens.filter(({ id: own }) => !hiddenIds.has(own)),
      normalizer: normalizerOf(normalizing),
      pre_tokenizer: parted ? preTokenizerOf({ ...parted, ...(hasFirstSpace && { add_prefix_space: false }) }) : null,
      post_processor: null,
      decoder: decoder ? decoderOf(decoder as Part) : null,
      model: modelOf(file, hiddenIds),
    };
    const library = new HuggingFaceTokenizer(whole, { clean_up_tokenization_spaces: false });
    keepMarks(library.decoder);
    return library;
  } catch (error) {
    throw new DataError(`tokenizer: ${path} is refused by Hugging Face's library: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Make a decoder keep byte order marks as text, as in Rust; decoders of JavaScript drop them by default. */
function keepMarks(decoder: unknown): void {
  const one = decoder as { decoders?: unknown[]; text_decoder?: InstanceType<typeof TextDecoder> } | null;
  if (one?.text_decoder) one.text_decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for (const part of one?.decoders ?? []) keepMarks(part);
}

function modelOf({ model, added_tokens: added }: TokenizerJson, hiddenIds: ReadonlySet<number>): object {
  const { vocab, unk_token: unknown } = model;
  const nameOf = (name: string, own: number) => (hiddenIds.has(own) ? hidden(name) : name);
  if (Array.isArray(vocab))
    return { ...model, type: "Unigram", vocab: vocab.map(([name, score], own) => [nameOf(name, own), score]) };
  const ids = new Map(Object.entries(vocab).map(([name, own]) => [nameOf(name, own), own]));
  const unknownId = unknown == null ? undefined : (vocab[unknown] ?? added.find((one) => one.content === unknown)?.id);
  const unknownName = unknown == null || unknownId === undefined ? unknown : nameOf(unknown, unknownId);
  if (unknownName != null && unknownId !== undefined) ids.set(unknownName, unknownId);
  const own = { ...model, vocab: Object.fromEntries(ids), unk_token: unknownName };
  const kind = kindOf(model);
  if (kind === "BPE") return { ...own, type: "BPE", merges: model.merges ?? [] };
  if (kind === "WordPiece") return { ...own, type: "WordPiece" };
  // WordLevel as WordPiece: a word that is not in the vocabulary has no parts in it either.
  return { ...own, type: "WordPiece", continuing_subword_prefix: "\uD800", max_input_chars_per_word: 1e9 };
}

/** The id of the unknown token; null when there is none. */
export function unknownIdOf({ model, added_tokens: added }: TokenizerJson): number | null {
  const { vocab, unk_token: unknown, unk_id: own } = model;
  if (Array.isArray(vocab)) return own ?? null;
  if (unknown == null) return null;
  return vocab[unknown] ?? added.find(({ content }) => content === unknown)?.id ?? null;
}
