import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { content, csv, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";
import { gatherBatch } from "../../data/records.js";
import { assertDisjoint, numSlots, rowsOfSlots, slotRange, slotsOf } from "../../data/shard.js";
import type { TableSpec } from "../../data/table.js";
import { ConfigError } from "../../errors.js";
import { openTable, type PreparedTable } from "./ingest.js";

const { path, write, prepare, refused } = workplace();

/** Row id to hash slot. */
function slotsById({ train }: PreparedTable): Map<number, number> {
  const slots = new Map<number, number>();
  const ids = content(train)["features.id"] ?? [];
  for (let slot = 0; slot < numSlots; slot++) {
    const { start, end } = slotRange(train.slotOffsets, slot);
    for (const id of ids.slice(start, end)) slots.set(id, slot);
  }
  return slots;
}

test("rows become ids, values and labels as the spec says", async () => {
  const table = await prepare(await write("plain.csv", csv(lines)));
  assert.equal(table.cached, false);
  const { vocabularies, numeric } = table.preprocessing;

  const trained = lines.slice(0, 200).map((line) => line.split(","));
  const counts = new Map<string, number>();
  for (const [, city = ""] of trained) if (city !== "") counts.set(city, (counts.get(city) ?? 0) + 1);
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([city]) => city);
  assert.deepEqual(vocabularies.city, byCount);
  assert.equal(vocabularies.city?.[0], "Lima");
  // 200 training rows are 20 days of 10: weekdays 0 to 5 come three times, the rest twice, ties by text.
  assert.deepEqual(vocabularies.weekday, ["0", "1", "2", "3", "4", "5", "6"]);

  const sizes = trained
    .map(([, , size]) => size)
    .filter((size) => size !== "")
    .map(Number);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const std = Math.sqrt(sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length);
  assert.ok(Math.abs((numeric.size?.mean ?? 0) - mean) < 1e-12);
  assert.ok(Math.abs((numeric.size?.std ?? 0) - std) < 1e-12);

  for (const [rows, start, end] of [
    [table.validation, 200, 250],
    [table.test, 250, 300],
  ] as const) {
    assert.equal(rows.numRows, end - start);
    const got = content(rows);
    for (let id = start; id < end; id++) {
      const [, city = "", size = ""] = /^\d+,("[^"]*"|[^,]*),([^,]*)/.exec(lines[id] ?? "") ?? [];
      assert.equal(got["features.id"]?.[id - start], id, "validation and test keep the order of the source");
      assert.equal(got["features.city"]?.[id - start], byCount.indexOf(city) + 1);
      assert.equal(got["features.size"]?.[id - start], size === "" ? Number.NaN : Number(size));
      assert.equal(got.labels?.[id - start], (id * 11) % 3 === 0 ? 1 : 0);
    }
  }
  assert.ok(content(table.test)["features.city"]?.includes(0), "an unknown city has id 0");

  const trainIds = content(table.train)["features.id"] ?? [];
  assert.deepEqual(
    trainIds.toSorted((a, b) => a - b),
    Array.from({ length: 200 }, (_, id) => id),
  );
});

test("a vocabulary may leave out what is rare, which is then unseen", async () => {
  const source = await write("limits.csv", csv(lines));
  const whole = await prepare(source);
  const names = whole.preprocessing.vocabularies.city ?? [];
  const counts = names.map((_, i) => content(whole.train)["features.city"]?.filter((id) => id === i + 1).length ?? 0);
  const [most = 0, second = 0] = counts;
  assert.ok(most > second, `${counts}`);
  for (const [limits, kept] of [
    [{ minRows: second + 1 }, 1],
    [{ minRows: second }, counts.filter((count) => count >= second).length],
    [{ maxNames: 2 }, 2],
    [{ minRows: second + 1, maxNames: 2 }, 1],
  ] as const) {
    const table = await prepare(source, { vocabularies: { city: limits } });
    assert.deepEqual(table.preprocessing.vocabularies.city, names.slice(0, kept), JSON.stringify(limits));
    const expected = content(whole.test)["features.city"]?.map((id) => (id > kept ? 0 : id));
    assert.deepEqual(content(table.test)["features.city"], expected);
    assert.notEqual(table.digest, whole.digest);
  }
  const none = specOf(source, { vocabularies: { city: { minRows: 1000 } } });
  await refused(none, /none of city has 1000 training rows/, /Lower data\.vocabularies\.city\.minRows/);
});

test("an expression of very many branches is cached, and read again", async () => {
  const file = await write("branches.csv", csv(lines));
  const edges = Array.from({ length: 40 }, (_, i) => `when size < ${i} then ${i}`);
  const numeric = { bin: `case ${edges.join(" ")} else 40 end` };
  const table = await prepare(file, { numeric });
  assert.ok(table.train.numRows > 0);
  assert.ok(JSON.stringify(table.serving.features.bin).split('"args"').length > 40, "as deep as it has branches");
  assert.deepEqual((await prepare(file, { numeric })).cached, true);
});

test("the shards of 1 to 7 groups are disjoint and complete, and open alone", async () => {
  const table = await prepare(await write("plain.csv", csv(lines)));
  for (let numGroups = 1; numGroups <= 7; numGroups++) {
    const shards = Array.from({ length: numGroups }, (_, g) =>
      rowsOfSlots(table.train.slotOffsets, slotsOf(g, numGroups)),
    );
    assertDisjoint(shards);
    assert.equal(
      shards.reduce((sum, shard) => sum + shard.length, 0),
      200,
    );
    for (const [group, shard] of shards.entries()) {
      const alone = await openTable(table.folder, { slots: slotsOf(group, numGroups), leaveOut: ["test"] });
      assert.equal(alone.test, null);
      assert.equal(alone.validation?.numRows, 50);
      const mine = rowsOfSlots(alone.train.slotOffsets, slotsOf(group, numGroups));
      assert.deepEqual(
        mine,
        Uint32Array.from(shard, (_, i) => i),
      );
      assert.deepEqual(gatherBatch(alone.train, mine), gatherBatch(table.train, shard));
    }
  }
  await assert.rejects(openTable(table.folder, { slots: [numSlots] }), ConfigError);
});

test("a row's slot depends on its values only: not on the order of the rows, nor on the file", async () => {
  const table = await prepare(await write("plain.csv", csv(lines)));
  const turned = await prepare(await write("turned.csv", csv(lines.toReversed())));
  assert.notEqual(turned.digest, table.digest);
  assert.deepEqual(slotsById(turned), slotsById(table));
  assert.deepEqual(turned.preprocessing.vocabularies, table.preprocessing.vocabularies);
  const parts = await prepare([
    await write("part-1.csv", csv(lines.slice(0, 90))),
    await write("part-2.csv", csv(lines.slice(90))),
  ]);
  assert.deepEqual(slotsById(parts), slotsById(table));
});

test("exact duplicates land in one slot, and `shardBy` keeps together what it says", async () => {
  const doubled = lines.slice(0, 200).flatMap((line) => [line, line]);
  const twice = await prepare(await write("doubled.csv", csv([...doubled, ...lines.slice(200)])));
  assert.equal(twice.train.numRows, 400);
  const table = await prepare(await write("plain.csv", csv(lines)));
  const slots = slotsById(table);
  assert.ok(new Set(slots.values()).size > 150, "different rows mostly have different slots");
  const ids = content(twice.train)["features.id"] ?? [];
  for (let slot = 0; slot < numSlots; slot++) {
    const { start, end } = slotRange(twice.train.slotOffsets, slot);
    for (const id of ids.slice(start, end)) assert.equal(slot, slots.get(id));
  }
  const byDay = slotsById(await prepare(await write("plain.csv", csv(lines)), { shardBy: "day" }));
  for (const [id, slot] of byDay) assert.equal(slot, byDay.get(10 * Math.floor(id / 10)));
});

test("CSV, TSV, JSON lines, Parquet and gzip of the same data give the same records", async () => {
  const plain = await prepare(await write("plain.csv", csv(lines)));
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const read = `from read_csv('${path("plain.csv")}')`;
  await connection.run(`copy (${read}) to '${path("plain.parquet")}' (format parquet)`);
  await connection.run(`copy (${read}) to '${path("plain.jsonl")}' (format json)`);
  await connection.run(`copy (${read}) to '${path("plain.tsv")}' (format csv, delimiter '\t')`);
  connection.closeSync();
  instance.closeSync();
  await write("plain.csv.gz", gzipSync(csv(lines)));
  for (const name of ["plain.parquet", "plain.jsonl", "plain.tsv", "plain.csv.gz"]) {
    const other = await prepare(path(name));
    assert.notEqual(other.digest, plain.digest);
    assert.deepEqual(other.preprocessing, plain.preprocessing, name);
    assert.deepEqual(content(other.train), content(plain.train), name);
    assert.deepEqual(content(other.validation), content(plain.validation), name);
    assert.deepEqual(content(other.test), content(plain.test), name);
  }
});

test("globs, odd file names and file URLs find their files", async () => {
  const odd = path("odd [1] it's");
  await mkdir(join(odd, "deep"), { recursive: true });
  await writeFile(join(odd, "a[1].csv"), csv(lines.slice(0, 100)));
  await writeFile(join(odd, "deep", "b.csv"), csv(lines.slice(100)));
  await writeFile(join(odd, "deep", "notes.md"), "not data");
  const named = await prepare([join(odd, "a[1].csv"), pathToFileURL(join(odd, "deep", "b.csv")).href]);
  const globbed = await prepare(path("odd*", "**", "[ab]*.csv"));
  assert.equal(named.train.numRows, 200);
  assert.equal(globbed.digest, named.digest, "the digest is of the content, not of the paths");
  assert.equal(globbed.cached, true);
  await refused(specOf([join(odd, "*.csv"), join(odd, "a[1].csv")]), /read once.*a\[1\]\.csv twice/);
});

test("columns with quotes, spaces and SQL words are read", async () => {
  const rows = Array.from({ length: 30 }, (_, i) => `${i},"it's ""${i % 3}""",${i % 2}`);
  const source = await write("quoted.csv", `"select","a ""b"" 'c'",late\n${rows.join("\n")}\n`);
  const table = await prepare(source, {
    categorical: { odd: `"a ""b"" 'c'"` },
    numeric: { one: "1" },
    label: "late",
    split: { train: '"select" < 20', validation: '"select" between 20 and 24', test: '"select" > 24' },
  });
  assert.deepEqual(table.preprocessing.vocabularies.odd, [`it's "0"`, `it's "1"`, `it's "2"`]);
  assert.deepEqual(table.preprocessing.numeric.one, { mean: 1, std: 1, quantiles: Array(65).fill(1) });
});

test("columns may have the names that the ingestion uses itself", async () => {
  const rows = Array.from({ length: 30 }, (_, i) => `${i},${i % 3},${i % 5},${i % 2},x${i % 4}`);
  const source = await write("clash.csv", `split,slot,c0,label,source_rows\n${rows.join("\n")}\n`);
  const changes: Partial<TableSpec> = {
    categorical: { slot: "slot", c0: "c0" },
    numeric: { label: "label + split", none: "nullif(c0, c0)" },
    label: "label = 1",
    split: { train: "split < 20", validation: "split between 20 and 24", test: "split > 24" },
  };
  const table = await prepare(source, changes);
  const got = content(table.validation);
  assert.deepEqual(table.preprocessing.vocabularies, { slot: ["0", "1", "2"], c0: ["0", "1", "2", "3", "4"] });
  assert.deepEqual(got["features.slot"], [3, 1, 2, 3, 1]);
  assert.deepEqual(got["features.c0"], [1, 2, 3, 4, 5]);
  assert.deepEqual(got["features.label"], [20, 22, 22, 24, 24]);
  assert.deepEqual(
    table.preprocessing.numeric.none,
    { mean: 0, std: 1, quantiles: Array(65).fill(0) },
    "a value that is always missing",
  );
});
