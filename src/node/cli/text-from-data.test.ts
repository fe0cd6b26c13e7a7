import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError, DataError } from "../../errors.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { loadConfig } from "../runs/load-config.js";
import { describeText, writeTextRun } from "../text/infer-text.js";
import { configurationFromText, isText } from "./text-from-data.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-text-from-data-"));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
mkdirSync(path("books"));
mkdirSync(path("empty"));
const line = (i: number) => `Line ${i} of a text that says ${(i * 7919) % 1000} and goes on.\n`;
const text = Array.from({ length: 100 }, (_, i) => line(i)).join("");
for (const name of ["a.txt", "b.md", "books/c"]) writeFileSync(path(name), text);
writeFileSync(path("rows.csv"), "a,b\n1,2\n");

test("data is text without a label where its files are text, or where a column of texts is named", async () => {
  const of = (data: string, flags: Partial<Parameters<typeof isText>[1]> = {}) =>
    isText("train", { data: [path(data)], ...flags });
  for (const name of ["a.txt", "b.md", "books/*"]) assert.equal(await of(name), true, name);
  assert.equal(await of("rows.csv"), false);
  assert.equal(await of("rows.csv", { field: "a" }), true);
  assert.equal(await of("a.txt", { label: "x" }), false, "with a label .txt is a table");
  assert.equal(await isText("train", { data: ["https://example.org/book.txt?x=1"] }), true);
});

test("what does not go together is refused with what to leave out", async () => {
  const refused = (flags: Parameters<typeof isText>[1], pattern: RegExp) =>
    assert.rejects(isText("train", flags), (error) => error instanceof ConfigError && pattern.test(error.message));
  await refused({ data: [path("b.md")], label: "x" }, /^train: --label is of tables .*b\.md is text\. Leave it out/);
  await refused({ data: [path("rows.csv")], label: "x", field: "a" }, /Give one of them\.$/);
  await refused(
    { data: [path("a.txt")], maxBadRows: 3 },
    /^train: --max-bad-rows is of tables, .* Leave --max-bad-rows out/,
  );
  await refused({ field: "a" }, /^train from text needs --data/);
  for (const [name, says] of [
    ["books", /is a folder\. Name its files, for example ".*books\/\*"; every ending is text\.$/],
    [".", /for example ".*\/\*", or ".*\*\.csv" with --label for its tables; every ending is text\.$/],
    ["empty", /is a folder\. It is empty\.$/],
  ] as const)
    await assert.rejects(
      isText("train", { data: [path(name)] }),
      (error) => error instanceof DataError && says.test(error.message),
    );
});

test("text becomes a configuration that trains, beside what is there already", async () => {
  const said: string[] = [];
  const options = {
    cacheFolder: path("cache"),
    signal: new AbortController().signal,
    say: (one: string) => said.push(one),
  };
  const write = path("codistill.config.ts");
  const first = await configurationFromText({ data: [path("a.txt")], write }, options);
  const config = configOfKind(await loadConfig(first), "text", "this");
  assert.deepEqual([config.data.splitBy, config.data.tokenizer], ["position", "bytes"]);
  assert.deepEqual(config.data.source, [path("a.txt")]);
  assert.match(said.join("\n"), /^data +1 document of text in 1 file, 4\.\d kB/m);
  assert.match(said.join("\n"), /^time +about \d:\d\d of training on this machine$/m);
  writeFileSync(write, "mine");
  const second = await configurationFromText({ data: [path("a.txt")], write }, options);
  assert.equal(second, path("codistill.config-2.ts"));
  assert.equal(readFileSync(write, "utf8"), "mine");
  writeFileSync(path("short.txt"), "too short");
  await assert.rejects(
    configurationFromText({ data: [path("short.txt")], write }, options),
    (error) =>
      error instanceof DataError && /is learned from 2\.0 kB of text at least, and 1 file has 9 B/.test(error.message),
  );
  await assert.rejects(
    configurationFromText({ data: [path("a.txt")], set: ["numStep=3"], write }, options),
    (error) => error instanceof ConfigError && /numStep: unknown name; did you mean "numSteps"/.test(error.message),
  );
});

test("the same text leaves one configuration and one tokenizer, however often it is given", async () => {
  mkdirSync(path("again"));
  const options = { cacheFolder: path("cache"), write: path("again/c.config.ts") };
  const { plan, ...described } = await describeText([path("a.txt")], options);
  const write = (numSteps: number) =>
    writeTextRun({ ...described, plan: { ...plan, numSteps, tokenizerSize: 300 } }, [path("a.txt")], options);
  assert.deepEqual([await write(10), await write(11)], [options.write, options.write]);
  assert.deepEqual(readdirSync(path("again")).toSorted(), ["c.config.ts", "c.tokenizer.json"]);
});
