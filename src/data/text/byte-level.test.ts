import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteSigns, countWords, END_OF_TEXT, tokenizerFile, wordsOf } from "./byte-level.js";

test("words are those of GPT-2, and joined they are the text", () => {
  assert.deepEqual(wordsOf("It's 42%,  näive\n\n  x"), ["It", "'s", " 42", "%,", " ", " näive", "\n\n ", " x"]);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assert.equal(wordsOf(text).join(""), text)));
  const counts = new Map([["a", 1]]);
  countWords("a b a b", counts);
  assert.deepEqual(
    [...counts],
    [
      ["a", 2],
      [" b", 2],
      [" a", 1],
    ],
  );
});

test("bytes have signs of their own: those that can be seen themselves", () => {
  assert.equal(new Set(byteSigns).size, 256);
  // From the vocabulary of GPT-2: space, newline, "!", "~", the bytes 0, 127, 173 and 255.
  const known = { 32: "Ġ", 10: "Ċ", 33: "!", 126: "~", 0: "Ā", 127: "ġ", 173: "Ń", 255: "ÿ" };
  for (const [byte, sign] of Object.entries(known)) assert.equal(byteSigns[Number(byte)], sign);
});

test("a file has the bytes, what merges make of them, and the end of a text", () => {
  const { model, added_tokens } = tokenizerFile([
    [116, 104],
    [256, 101],
  ]);
  assert.deepEqual([model.vocab["!"], model.vocab.th, model.vocab.the], [33, 256, 257]);
  assert.deepEqual(model.merges, ["t h", "th e"]);
  assert.equal(model.vocab[END_OF_TEXT], 258);
  assert.equal(Object.keys(model.vocab).length, 259);
  assert.equal((added_tokens[0] as { id: number }).id, 258);
});
