/** Images that a table lists: by paths, by bytes, and what may be wrong with it. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { shapeNames, writeShapes } from "../../../test/fixtures/image-files.js";
import { literal } from "../../data/sql.js";
import { DataError } from "../../errors.js";
import { openDuckdb } from "../sources/duckdb.js";
import type { ImageSpec } from "./image-spec.js";
import { prepareImages } from "./prepare-images.js";
import type { ImageColumns } from "./table-images.js";

const root = mkdtempSync(join(tmpdir(), "codistill-tables-"));
after(() => rmSync(root, { recursive: true, force: true }));
const path = (...names: string[]) => join(root, ...names);
await writeShapes(path("shapes"), 10);
const rows = shapeNames.flatMap((label) =>
  Array.from({ length: 10 }, (_, i) => ({ file: `shapes/${label}/${String(i).padStart(3, "0")}.png`, label })),
);

const prepare = (source: string | readonly string[], columns: ImageColumns = {}, more: Partial<ImageSpec> = {}) =>
  prepareImages(
    {
      ...{ source, columns, size: [12, 12], fit: "crop", validation: 0.1, test: 0.1, seed: 1 },
      ...{ maxBadImages: 0, maxPixels: 1e6 },
      ...more,
    },
    { cacheFolder: path("cache") },
  );

/** All training pixels with their classes, in the order of the cache. */
const contentOf = ({ train, classes }: Awaited<ReturnType<typeof prepare>>) =>
  [...train.labels].map((label, i) => [classes[label], Buffer.from(train.read([i])).toString("base64")]);

/** Write rows of SQL as Parquet. */
async function writeParquet(name: string, select: string): Promise<string> {
  const db = await openDuckdb(path("spill"), { writes: [path(name)] });
  try {
    await db.run(`copy (${select}) to ${literal(path(name))} (format parquet)`);
  } finally {
    await db.close();
  }
  return path(name);
}

test("paths in CSV and JSON lines, bytes and records of bytes in Parquet, and folders hold the same images", async () => {
  const folders = contentOf(await prepare(path("shapes")));
  assert.equal(folders.length, 24);
  mkdirSync(path("lists"));
  writeFileSync(
    path("lists", "a.csv"),
    `id,where,kind\n${rows.map(({ file, label }, i) => `${i},../${file},${label}`).join("\n")}\n`,
  );
  const csv = await prepare(path("lists", "a.csv"), { image: "where", label: "kind" });
  assert.deepEqual(contentOf(csv), folders);
  writeFileSync(
    path("a.jsonl"),
    rows.map(({ file, label }) => JSON.stringify({ image: path(file), label })).join("\n"),
  );
  assert.deepEqual(contentOf(await prepare(path("a.jsonl"))), folders);
  const values = rows.map(
    ({ file, label }) => `(${literal(readFileSync(path(file)).toString("base64"))}, ${literal(label)})`,
  );
  const from = `(values ${values.join(", ")}) as t(content, label)`;
  const bytes = await writeParquet("bytes.parquet", `select from_base64(content) as image, label from ${from}`);
  const found = await prepare(bytes);
  assert.deepEqual(contentOf(found), folders);
  const records = await writeParquet(
    "records.parquet",
    `select {'bytes': from_base64(content), 'path': null::varchar} as image, label from ${from}`,
  );
  assert.deepEqual(contentOf(await prepare(records, {}, { classes: ["stripes", "circle"] })).length, 16);
  assert.deepEqual(contentOf(await prepare(records)), folders);
});

test("rows without a label are left out; numbers are classes in their order; images that are not there are bad ones", async () => {
  const lines = rows.map(({ file, label }, i) => `${file},${i === 3 ? "" : 10 * shapeNames.indexOf(label)}`);
  writeFileSync(path("b.csv"), `image,label\n${lines.join("\n")}\nnone.png,0\nhttps://a.b/c.png,0\n,10\n`);
  const { classes, counts, notes, bad, numImages } = await prepare(path("b.csv"), {}, { maxBadImages: 3 });
  assert.deepEqual(classes, ["0", "10", "20"]);
  assert.equal(numImages.train + numImages.validation + numImages.test, 29);
  assert.equal(counts.length, 3);
  assert.match(notes.join("\n"), /^1 row of \S+b\.csv without a label is left out$/m);
  const whyOf = (name: string) => bad.find((one) => one.name.endsWith(name))?.why ?? "";
  assert.match(whyOf("none.png"), /^cannot be read: .*no such file/);
  assert.equal(whyOf("c.png"), "is an address, and files of this machine are read");
  assert.equal(whyOf("row 33"), "has no path");
});

test("a table without the columns, with other values in them, or that is none is refused", async () => {
  const refused = (source: string, columns: ImageColumns, message: RegExp, more: Partial<ImageSpec> = {}) =>
    assert.rejects(prepare(source, columns, more), (error) => {
      assert.ok(error instanceof DataError, String(error));
      assert.match(error.message, message);
      return true;
    });
  await refused(
    path("lists", "a.csv"),
    {},
    /should have a column image, and has id, where, kind\. Name those .* as data\.image and data\.label/,
  );
  await refused(
    path("b.csv"),
    { label: "lable" },
    /should have a column lable, and has image, label\..* Did you mean label\?/,
  );
  const numbers = await writeParquet("numbers.parquet", "select 3 as image, 'a' as label");
  await refused(
    numbers,
    {},
    /the column image of \S+ must be paths, the bytes of files, or records with "bytes", and its type is INTEGER/,
  );
  const nested: Readonly<Record<string, readonly [string, RegExp]>> = {
    "select ['x'::blob] as image, 'a' as label": ["image", /its type is BLOB\[\]/],
    "select {'bytes': ['x'::blob]} as image, 'a' as label": ["image", /its type is STRUCT\(bytes BLOB\[\]\)/],
    "select {'more': {'bytes': 'x'::blob}} as image, 'a' as label": ["image", /its type is STRUCT\(more /],
    "select {'bytes': 'x'} as image, 'a' as label": ["image", /its type is STRUCT\(bytes VARCHAR\)/],
    "select map {'bytes': 'x'::blob} as image, 'a' as label": ["image", /its type is MAP\(/],
    "select 'x'::blob as image, {'a': 1} as label": ["label", /names or numbers .* its type is STRUCT\(a INTEGER\)/],
    "select 'x'::blob as image, [1] as label": ["label", /names or numbers .* its type is INTEGER\[\]/],
    "select 'x'::blob as image, 'a'::blob as label": ["label", /names or numbers .* its type is BLOB/],
  };
  for (const [i, [select, [column, why]]] of Object.entries(nested).entries()) {
    const file = await writeParquet(`nested${i}.parquet`, select);
    await refused(file, {}, new RegExp(`the column ${column} of \\S+ must be .*${why.source}`));
  }
  await refused(path("b.csv"), {}, /a class is a label of \S+, and none is "star"; there are /, {
    classes: ["star", "0"],
  });
  writeFileSync(path("c.parquet"), "no table");
  await refused(path("c.parquet"), {}, /the table \S+c\.parquet cannot be read: /);
});
