import assert from "node:assert/strict";
import { test } from "node:test";
import { DataError } from "../../errors.js";
import { lostText } from "./lost-text.js";
import { byteTokenizer, type Tokenizer } from "./tokenizer.js";

/** A token for each letter below U+0100, 0 for others; decoding changes the text as `lose` says. */
const letters = (lose: (text: string) => string): Tokenizer => ({
  ...byteTokenizer(),
  unknown: 0,
  encode: (text) =>
    Array.from(text, (sign) => ((sign.codePointAt(0) as number) < 256 ? (sign.codePointAt(0) as number) : 0)),
  decode: (ids) => lose(ids.map((id) => (id === 0 ? "[UNK]" : String.fromCodePoint(id))).join("")),
});

function seen(tokenizer: Tokenizer, ...texts: string[]) {
  const lost = lostText(tokenizer, "validation");
  for (const text of texts) lost.see(text, tokenizer.encode(text));
  return lost;
}

test("what comes back, but for a space at the beginning, loses nothing", () => {
  const bytes = seen(byteTokenizer(), "Any text, naïve 中文 😀\n\n  x", "");
  assert.deepEqual([bytes.isGivenBack(), bytes.notes()], [true, []]);
  for (const lose of [(text: string) => ` ${text}`, (text: string) => text.replace(/^ /, "")]) {
    const lost = seen(letters(lose), " some words", "others");
    assert.deepEqual([lost.isGivenBack(), lost.notes()], [true, []]);
  }
});

test("case, accents, spaces and signs that do not come back are counted, and bits per byte are of another text then", () => {
  const cases: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    [
      "Two words\nand",
      (text) => text.toLowerCase(),
      /back 23\.1 % of validation, by a sample \("Two" becomes "two"\): figures are of another text, without bits per byte/,
    ],
    ["Two words\nand", (text) => text.replaceAll("\n", " "), /back 7\.7 % .*\("\\n" becomes " "\)/],
    ["Two, words", (text) => text.replaceAll(",", " ,"), /\("Two," becomes "Two"\)/],
    ["Two words", (text) => `${text}${text}`, /\("Two words" becomes "Two wordsTwo words"\)/],
    ["one two", (text) => text.split(" ").toReversed().join(" "), /\("one two" becomes "two one"\)/],
  ];
  for (const [text, lose, pattern] of cases) {
    const lost = seen(letters(lose), text);
    assert.equal(lost.isGivenBack(), false);
    lost.check();
    assert.match(lost.notes().join("\n"), pattern);
  }
});

test("a little that is lost is said, and leaves bits per byte", () => {
  const lost = seen(
    letters((text) => text),
    `${"plain words ".repeat(1000)}中`,
  );
  assert.ok(lost.isGivenBack());
  assert.match(
    lost.notes()[0] ?? "",
    /^less than 0\.1 % of the tokens of validation stand for what the tokenizer does not know: bits per byte leave/,
  );
  lost.check();
});

test("a text of which a fifth is unknown is refused with how much it is", () => {
  const lost = seen(
    letters((text) => text),
    "abcdefg中文字",
  );
  assert.equal(lost.isGivenBack(), false);
  assert.throws(
    () => lost.check(),
    (error) =>
      error instanceof DataError &&
      /at most 20 % of the tokens .* of validation 30 % are.*codistill tokenizer/.test(error.message),
  );
});

test("what is lost late in a long text, or in one of many texts, is seen", () => {
  const lose = (text: string) => text.replaceAll("é", "e");
  const long = seen(letters(lose), `${"plain words ".repeat(20_000)}${"café ".repeat(10_000)}`);
  assert.equal(long.isGivenBack(), false);
  const many = seen(letters(lose), ...Array.from({ length: 3000 }, (_, i) => (i < 1000 ? "plain" : "café")));
  assert.equal(many.isGivenBack(), false);
});
