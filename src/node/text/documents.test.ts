import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { DataError } from "../../errors.js";
import { openDuckdb } from "../sources/duckdb.js";
import { documents, findTexts } from "./documents.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-texts-"));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const options = { cacheFolder: path("cache") };

async function read(source: string | readonly string[], field?: string): Promise<string[]> {
  const { files } = await findTexts(source, options);
  const found: string[] = [];
  let open = "";
  for await (const { text, isLast } of documents(files, { ...options, field })) {
    open += text;
    if (!isLast) continue;
    found.push(open);
    open = "";
  }
  assert.equal(open, "");
  return found;
}

test("plain files are documents, in the order of the patterns and names, packed or not, each once", async () => {
  writeFileSync(path("b.txt"), "two\nlines\n");
  writeFileSync(path("a.md"), "é");
  writeFileSync(path("c.txt.gz"), gzipSync("packed"));
  writeFileSync(path("empty.txt"), "");
  assert.deepEqual(await read([path("*.txt*"), path("b.txt"), path("a.md")]), ["two\nlines\n", "packed", "é"]);
});

test("a plain file may hold many documents, and a separator that comes nowhere is refused", async () => {
  writeFileSync(path("many.txt"), "one\n<|endoftext|>\ntwo\n");
  const { files } = await findTexts(path("many.txt"), options);
  const texts = async (separator: string) => {
    const found: string[] = [];
    for await (const { text } of documents(files, { ...options, separator })) found.push(text);
    return found;
  };
  assert.deepEqual(await texts("<|endoftext|>"), ["one\n", "two\n"]);
  await assert.rejects(
    texts("<|end|>"),
    (error) =>
      error instanceof DataError && /the separator "<\|end\|>" .* comes nowhere in .*many\.txt/.test(error.message),
  );
});

test("a large document comes in parts that end with a line", async () => {
  const line = `${"wörd ".repeat(200)}\n`;
  const text = line.repeat(9000);
  writeFileSync(path("large.log"), text);
  const parts: string[] = [];
  let bytes = 0;
  for await (const { text: part, isLast, bytesRead } of documents([path("large.log")], options)) {
    parts.push(part);
    assert.ok(bytesRead >= bytes);
    bytes = bytesRead;
    assert.ok(isLast || part.endsWith("\n"));
  }
  assert.equal(bytes, Buffer.byteLength(text));
  assert.ok(parts.length > 1 && parts.every((part) => part.length < 8e6));
  assert.equal(parts.join(""), text);
});

test("rows of a column are documents, of every kind of table, without those that are empty", async () => {
  const rows = [
    { title: "x", body: "first" },
    { title: "y", body: "" },
    { title: "z", body: null },
    { title: "w", body: 'with "quotes"\nand lines' },
  ];
  writeFileSync(path("pages.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
  const db = await openDuckdb(path("spill"), {
    reads: [path("pages.jsonl")],
    writes: [path("pages.parquet"), path("pages.csv")],
  });
  await db.run(`create table pages as select * from read_json('${path("pages.jsonl")}')`);
  for (const [name, format] of Object.entries({ "pages.parquet": "parquet", "pages.csv": "csv" }))
    await db.run(`copy pages to '${path(name)}' (format ${format})`);
  await db.close();
  for (const name of ["pages.jsonl", "pages.parquet", "pages.csv"])
    assert.deepEqual(await read(path(name), "Body"), ["first", 'with "quotes"\nand lines'], name);
  await assert.rejects(
    read(path("pages.jsonl"), "bodi"),
    (error) =>
      error instanceof DataError &&
      /in its column "bodi", and it has none of that name: title, body\. Did you mean body \(--field, data\.field\)\?/.test(
        error.message,
      ),
  );
});

test("a text is as it is written, whatever else it could be read as", async () => {
  const texts = [
    "1.50",
    "3e5",
    "25-11-2025",
    "12/31/2024",
    "2024-05-01T10:20:30+02:00",
    "yes",
    "NA",
    "null",
    "007",
    "a\\nb",
  ];
  writeFileSync(path("as.jsonl"), texts.map((text) => JSON.stringify({ text })).join("\n"));
  writeFileSync(path("as.csv"), ["text", ...texts].join("\n"));
  writeFileSync(path("as.tsv"), ["id\ttext", ...texts.map((text, i) => `${i}\t${text}`)].join("\n"));
  const db = await openDuckdb(path("spill"), { writes: [path("as.parquet")] });
  const values = texts.map((text, i) => `(${i}, '${text}', encode('${text}'))`).join(", ");
  await db.run(
    `copy (select * from (values ${values}) as t(id, text, bytes)) to '${path("as.parquet")}' (format parquet)`,
  );
  await db.close();
  for (const name of ["as.jsonl", "as.csv", "as.tsv", "as.parquet"])
    assert.deepEqual(await read(path(name)), texts, name);
  assert.deepEqual(await read(path("as.parquet"), "bytes"), texts);
  const odd = 'tab\tand "quotes" \\ and \u0000 and \uFEFF and 😀\r\n';
  writeFileSync(
    path("odd.json"),
    JSON.stringify([{ text: odd, Text: "other" }, { id: 1 }, { text: null }, { text: "" }], null, 1),
  );
  assert.deepEqual(await read(path("odd.json")), [odd]);
  writeFileSync(path("case.jsonl"), '{"TEXT": "one"}\n{"Text": "two"}\n');
  assert.deepEqual(await read(path("case.jsonl")), ["one", "two"]);
});

test("a value that is no text is refused with its place and what it is", async () => {
  const cases: Readonly<Record<string, readonly [string, RegExp]>> = {
    "number.jsonl": [
      '{"text":"a"}\n{"text":12}',
      /number\.jsonl, line 2: a document is a text, and "text" is a number \(12\)\. Name a column/,
    ],
    "yes.jsonl": ['{"text":true}', /line 1: .* is a boolean \(true\)/],
    "chat.jsonl": ['{"text":[{"role":"user"}]}', /is a list of records \(\[\{"role"/],
    "tokens.json": ['[{"text":["a","b"]}]', /is a list \(\["a","b"\]\)/],
    "nested.jsonl": ['{"text":{"en":"a"}}', /is a record/],
    "bare.jsonl": ['"only a text"', /a row is a record with a text "text", and this one is a text/],
    "lists.jsonl": ['[["a"],["b"]]', /and this one is a list/],
    "half.jsonl": ['{"text":"ab\\ud83d"}', /half of a pair of surrogates at its character 3/],
  };
  for (const [name, [content, pattern]] of Object.entries(cases)) {
    writeFileSync(path(name), content);
    await assert.rejects(read(path(name)), (error) => error instanceof DataError && pattern.test(error.message), name);
  }
  const db = await openDuckdb(path("spill"), { writes: [path("none.parquet")] });
  await db.run(
    `copy (select 1 as n, ['a'] as list, '\\xE4'::blob as bytes) to '${path("none.parquet")}' (format parquet)`,
  );
  await db.close();
  await assert.rejects(read(path("none.parquet"), "n"), /none\.parquet, every row: .*"n" is of type INTEGER\. Name/);
  await assert.rejects(read(path("none.parquet"), "list"), /"list" is of type VARCHAR\[\]/);
  await assert.rejects(read(path("none.parquet"), "bytes"), /row 1: .*"bytes" is bytes that are not UTF-8/);
});

test("what cannot be read is told of by name", async () => {
  writeFileSync(path("cut.txt.gz"), gzipSync("x".repeat(1000)).subarray(0, 20));
  await assert.rejects(read(path("cut.txt.gz")), /cut\.txt\.gz cannot be read: .*Check that the file is complete/);
  writeFileSync(path("torn.jsonl"), '{"text": "a"}\n{"text": ');
  await assert.rejects(read(path("torn.jsonl")), /torn\.jsonl must be JSON lines.*its line 2 is not/);
  writeFileSync(path("packed.txt.zst"), "x");
  await assert.rejects(read(path("packed.txt.zst")), /is packed with zstd\. Unpack it/);
  await assert.rejects(read(path("nowhere/*.txt")), /no file matches/);
});
