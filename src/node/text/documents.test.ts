import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { DataError } from "../../errors.js";
import { openDuckdb } from "../duckdb.js";
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

test("what cannot be read is told of by name", async () => {
  writeFileSync(path("cut.txt.gz"), gzipSync("x".repeat(1000)).subarray(0, 20));
  await assert.rejects(read(path("cut.txt.gz")), /cut\.txt\.gz cannot be read: .*Check that the file is complete/);
  writeFileSync(path("torn.jsonl"), '{"text": "a"}\n{"text": ');
  await assert.rejects(read(path("torn.jsonl")), /cannot be read as json \(.*torn\.jsonl\)/);
  writeFileSync(path("packed.txt.zst"), "x");
  await assert.rejects(read(path("packed.txt.zst")), /is packed with zstd\. Unpack it/);
  await assert.rejects(read(path("nowhere/*.txt")), /no file matches/);
});
