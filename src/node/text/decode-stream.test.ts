import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeStream } from "./decode-stream.js";
import { byteTokenizer } from "./tokenizer.js";

const bytes = byteTokenizer();
/** Words by spaces, of which a text's first has none, as tokenizers of SentencePiece have it. */
const words = {
  decode: (ids: readonly number[]) =>
    ids
      .map((id) => `${" "}w${id}`)
      .join("")
      .slice(1),
};

const streamed = (
  tokenizer: Parameters<typeof decodeStream>[0],
  tokens: readonly number[],
  before: readonly number[] = [],
) => {
  const stream = decodeStream(tokenizer, before);
  return [...tokens.map((token) => stream.push(token)), stream.end()];
};

test("all parts of a text are the text, whatever its bytes", () => {
  const any = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0xe4, 0xbd, 0xa0, 0xf0, 0x9f, 0x98, 0x80)), {
    maxLength: 80,
  });
  fc.assert(fc.property(any, (tokens) => assert.equal(streamed(bytes, tokens).join(""), bytes.decode(tokens))));
  const text = "naïve 你好 😀 end";
  assert.equal(streamed(bytes, [...Buffer.from(text)]).join(""), text);
});

test("a character is given once its bytes are there, and bytes that never become one are given too", () => {
  assert.deepEqual(streamed(bytes, [...Buffer.from("a你")]), ["a", "", "", "你", ""]);
  for (const byte of [0x80, 0xe4]) {
    const tokens = Array.from({ length: 1000 }, () => byte);
    assert.equal(streamed(bytes, tokens).join(""), bytes.decode(tokens));
  }
});

test("what follows a text is decoded as what follows it", () => {
  assert.deepEqual(streamed(words, [3, 4], [1, 2]), [" w3", " w4", ""]);
  assert.deepEqual(streamed(words, [3, 4]), ["w3", " w4", ""]);
});

test("what is decoded for a token does not grow with those before it", () => {
  let most = 0;
  const counting = {
    decode(ids: readonly number[]) {
      most = Math.max(most, ids.length);
      return bytes.decode(ids);
    },
  };
  streamed(
    counting,
    Array.from({ length: 3000 }, (_, i) => 97 + (i % 20)),
  );
  assert.ok(most < 10, `${most} tokens at once`);
  streamed(
    counting,
    Array.from({ length: 3000 }, () => 0x80),
  );
  assert.ok(most < 300, `${most} tokens at once`);
});
