import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { TextPart } from "./documents.js";
import { separated } from "./separated.js";

/** The documents of a text that comes in parts of so many characters. */
async function documentsOf(text: string, separator: string, size = 3): Promise<string[]> {
  async function* parts(): AsyncGenerator<TextPart, void, void> {
    for (let from = 0; from < text.length; from += size) {
      yield { text: text.slice(from, from + size), isLast: from + size >= text.length, place: "file", bytesRead: from };
    }
  }
  const found: string[] = [];
  let document = "";
  for await (const { text: more, isLast } of separated(parts(), separator)) {
    document += more;
    if (!isLast) continue;
    found.push(document);
    document = "";
  }
  assert.equal(document, "", "the last document ends");
  return found;
}

test("documents stand between separators, whose own lines are theirs", async () => {
  for (const size of [1, 2, 3, 100]) {
    assert.deepEqual(await documentsOf("one<|e|>two<|e|>three", "<|e|>", size), ["one", "two", "three"]);
    assert.deepEqual(await documentsOf("one\n<|e|>\ntwo\n<|e|>\r\nthree\n<|e|>\n", "<|e|>", size), [
      "one\n",
      "two\n",
      "three\n",
    ]);
    assert.deepEqual(await documentsOf("one\n\n\ntwo\n\n\n\n\n\n", "\n\n\n", size), ["one", "two"]);
    assert.deepEqual(await documentsOf("<|e|>\n<|e|>\n", "<|e|>", size), []);
    assert.deepEqual(await documentsOf("none here", "<|e|>", size), ["none here"]);
  }
});

test("however a file is read, its documents are the same", async () => {
  const text = fc
    .array(fc.constantFrom("a", "\n", "<|e|>", "<|", "e|>", " b"), { maxLength: 30 })
    .map((all) => all.join(""));
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (given, size) => {
      assert.deepEqual(await documentsOf(given, "<|e|>", size), await documentsOf(given, "<|e|>", 1000));
    }),
  );
});

test("a document that is longer than a part comes in several", async () => {
  const long = "0123456789\n".repeat(1_000_000);
  const numParts = { of: 0 };
  async function* one(): AsyncGenerator<TextPart, void, void> {
    for (let from = 0; from < long.length; from += 1 << 20)
      yield {
        text: long.slice(from, from + (1 << 20)),
        isLast: from + (1 << 20) >= long.length,
        place: "",
        bytesRead: 0,
      };
  }
  let length = 0;
  for await (const { text } of separated(one(), "<|e|>")) {
    assert.ok(text.length < 6e6);
    length += text.length;
    numParts.of++;
  }
  assert.equal(length, long.length);
  assert.ok(numParts.of > 1);
});
