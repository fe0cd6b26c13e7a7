import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { content, csv, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";
import type { TableSpec } from "../../data/table.js";
import { DamagedCacheError } from "../../errors.js";
import { openTable, prepareTable } from "./ingest.js";

const { path, write, prepare } = workplace();

test("the digest follows the content and the query", async () => {
  const source = await write("edited.csv", csv(lines));
  const first = await prepare(source);
  assert.equal((await prepare(source)).cached, true);
  await write("edited.csv", csv(lines).replace("Oslo", "Osla"));
  const edited = await prepare(source);
  assert.equal(edited.cached, false);
  assert.ok(edited.preprocessing.vocabularies.city?.includes("Osla"));
  await write("edited.csv", csv(lines));
  assert.equal((await prepare(source)).digest, first.digest);
  const shorter = await prepare(source, { categorical: { city: "city" } });
  assert.equal(shorter.cached, false);
  assert.deepEqual(Object.keys(shorter.preprocessing.vocabularies), ["city"]);
});

/** Run `prepareTable` in a process where DuckDB is not installed, as a loader hook makes believe. */
function prepareWithoutDuckdb(spec: TableSpec): { readonly stdout: string; readonly stderr: string } {
  const hook = `export function resolve(name, context, next) {
    if (name.startsWith("@duckdb/")) throw new Error("Cannot find package " + name);
    return next(name, context);
  }`;
  const ingest = new URL("./ingest.js", import.meta.url).href;
  const program = `
    import { register } from "node:module";
    register("data:text/javascript," + encodeURIComponent(${JSON.stringify(hook)}));
    const { prepareTable } = await import(${JSON.stringify(ingest)});
    const table = await prepareTable(${JSON.stringify(spec)}, { cacheFolder: ${JSON.stringify(path("cache"))} });
    process.stdout.write(JSON.stringify([table.cached, table.train.numRows]));
  `;
  return spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
}

test("a cached table opens without DuckDB; a new one names the install command", async () => {
  const source = await write("plain.csv", csv(lines));
  await prepare(source);
  assert.equal(prepareWithoutDuckdb(specOf(source)).stdout, "[true,200]");
  const { stderr } = prepareWithoutDuckdb(specOf(source, { shardBy: "id + 1" }));
  assert.match(stderr, /DataError: .*npm install @duckdb\/node-api/);
});

test("two callers that race both end with the cache", async () => {
  const source = await write("race.csv", csv(lines.slice(1)));
  const tables = await Promise.all([prepare(source), prepare(source), prepare(source)]);
  for (const table of tables) assert.deepEqual(content(table.train), content(tables[0].train));
  assert.equal((await prepare(source)).cached, true);
  assert.deepEqual(
    (await readdir(path("cache"))).filter((name) => name.startsWith(".")),
    [],
  );
});

test("an abort stops the work and leaves nothing behind", async () => {
  const source = await write("stopped.csv", csv(lines.slice(2)));
  const reason = new Error("enough");
  for (const stage of ["identifying the source", "reading the source", "writing the training cache"]) {
    const stop = new AbortController();
    const onProgress = (now: string) => {
      if (now === stage) stop.abort(reason);
    };
    const ownFolder = path("stopped");
    const options = { cacheFolder: ownFolder, onProgress, signal: stop.signal };
    await assert.rejects(prepareTable(specOf(source), options), reason, stage);
    assert.deepEqual(await readdir(ownFolder).catch(() => []), []);
  }
});

test("what a killed process left is cleared after a day, and never a cache", async () => {
  const ownFolder = path("littered");
  await mkdir(join(ownFolder, ".making-old", "table"), { recursive: true });
  await mkdir(join(ownFolder, ".making-new"));
  await utimes(join(ownFolder, ".making-old"), 1e9, 1e9);
  const table = await prepareTable(specOf(await write("plain.csv", csv(lines))), { cacheFolder: ownFolder });
  assert.deepEqual((await readdir(ownFolder)).sort(), [".making-new", table.digest].sort());
});

/** Change a byte in the middle of a file. */
async function flipIn(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(file, bytes);
}

test("a damaged cache is refused when it is opened, and named and made again when it is prepared", async () => {
  const source = await write("damaged.csv", csv(lines.slice(3)));
  const whole = await prepare(source);
  const { folder } = whole;
  const before = content(whole.train);
  const damages: Readonly<Record<string, () => Promise<void>>> = {
    "train.bin": () => flipIn(join(folder, "train.bin")),
    "train.slots.bin": () => flipIn(join(folder, "train.slots.bin")),
    "table.json": () => flipIn(join(folder, "table.json")),
    "validation.bin": () => truncate(join(folder, "validation.bin"), 0),
    "test.bin": () => rm(join(folder, "test.bin")),
    "digests.json": () => rm(join(folder, "digests.json")),
  };
  for (const [name, damage] of Object.entries(damages)) {
    await damage();
    await assert.rejects(openTable(folder), DamagedCacheError, name);
    const stages: string[] = [];
    const options = { cacheFolder: path("cache"), onProgress: (stage: string) => void stages.push(stage) };
    const again = await prepareTable(specOf(source), options);
    assert.equal(again.cached, false);
    const [told = ""] = stages.filter((stage) => stage.includes("damaged"));
    assert.match(
      told,
      new RegExp(`the cache .* is damaged, or of another version: .*${name}.* It is made again`),
      name,
    );
    assert.deepEqual(content(again.train), before);
    assert.equal((await prepare(source)).cached, true, name);
  }
  assert.deepEqual(
    (await readdir(path("cache"))).filter((name) => name.startsWith(".")),
    [],
  );
  await rm(folder, { recursive: true });
  await assert.rejects(openTable(folder), /no training cache/);
});

test("a source that changes while it is read is not cached", async () => {
  const source = await write("moving.csv", csv(lines.slice(4)));
  const ownFolder = path("moving");
  const changed = prepareTable(specOf(source), {
    cacheFolder: ownFolder,
    onProgress: (stage) => {
      if (stage === "fitting the vocabularies") appendFileSync(source, "1,Oslo,1,1,true\n");
    },
  });
  await assert.rejects(changed, /changed or removed meanwhile/);
  assert.deepEqual(await readdir(ownFolder), []);
});
