import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { content, csv, header, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";
import { assertDisjoint, numSlots, rowsOfSlots, slotsOf } from "../../data/shard.js";
import type { TableSpec } from "../../data/table.js";
import type { PreparedTable } from "./ingest.js";
import { describeShards } from "./shards.js";
import { tableDigest } from "./table-cache.js";
import { labelRules } from "./table-labels.js";
import { examplesQuery, partsOf } from "./table-query.js";

const { write, prepare, refused } = workplace();

const slotsOfAll = (numGroups: number) => Array.from({ length: numGroups }, (_, group) => slotsOf(group, numGroups));

/** The ids of each group's training rows, ascending. */
function idsOf({ train }: PreparedTable, numGroups: number): number[][] {
  const ids = content(train)["features.id"] ?? [];
  const shards = slotsOfAll(numGroups).map((slots) => rowsOfSlots(train.slotOffsets, slots));
  assertDisjoint(shards);
  return shards.map((shard) => [...shard].map((row) => ids[row] ?? -1).sort((a, b) => a - b));
}

/** The ids of the training rows (days 0 to 19) whose day a predicate holds for. */
function idsWhere(holds: (day: number) => boolean): number[] {
  return lines.flatMap((_, id) => (id < 200 && holds(Math.floor(id / 10)) ? [id] : []));
}

test("a training row is of the first group whose filter holds, and trains nobody when none does", async () => {
  const source = await write("rows.csv", csv(lines));
  const table = await prepare(source, { filters: ["day < 5", "day < 8 or day = 15", "nullif(day, 16) >= 15"] });
  assert.deepEqual(idsOf(table, 3), [
    idsWhere((day) => day < 5),
    idsWhere((day) => (day >= 5 && day < 8) || day === 15),
    idsWhere((day) => day > 16),
  ]);
  assert.equal(table.numUnassigned, idsWhere((day) => (day >= 8 && day < 15) || day === 16).length);
  assert.equal(table.train.numRows + table.numUnassigned, 200);
  assert.deepEqual([table.validation.numRows, table.test.numRows], [50, 50], "the other splits are everybody's");
  const again = await prepare(source, { filters: ["day < 5", "day < 8 or day = 15", "nullif(day, 16) >= 15"] });
  assert.deepEqual([again.cached, again.numUnassigned], [true, table.numUnassigned]);
  const { pairs, rows, problem } = describeShards(table, "disjoint", slotsOfAll(3));
  assert.deepEqual([rows.unassigned, problem], [table.numUnassigned, null]);
  assert.ok(pairs.every(({ sharedRows }) => sharedRows === 0));
});

test("filters of every number of groups deal within the slots that there are, spread over many", async () => {
  const source = await write("rows.csv", csv(lines));
  for (const numGroups of [1, 3, 7, 64]) {
    const filters = Array.from({ length: numGroups }, (_, group) => `id % ${numGroups} = ${group}`);
    const table = await prepare(source, { filters });
    const expected = Array.from({ length: numGroups }, (_, group) =>
      idsWhere(() => true).filter((id) => id % numGroups === group),
    );
    assert.deepEqual(idsOf(table, numGroups), expected);
    const used = slotsOfAll(1)[0]?.filter(
      (slot) => table.train.slotOffsets[slot] !== table.train.slotOffsets[slot + 1],
    );
    assert.ok((used?.length ?? 0) > 150, "different rows mostly have different slots");
  }
});

test("shards stay when the order of the rows, another filter's text or an unused row changes", async () => {
  const filters = ["day < 10", "day >= 10"];
  // The vocabularies are fitted on all training rows, so only what leaves those rows as they are leaves the digests.
  const digests = (table: PreparedTable) =>
    describeShards(table, "disjoint", slotsOfAll(2)).groups.map(({ digest }) => digest);
  const table = await prepare(await write("rows.csv", csv(lines)), { filters });
  const other = await prepare(await write("more.csv", csv([...lines, "999,Lima,1,99,true"])), {
    filters: ["not (day >= 10)", "day > 9"],
  });
  assert.notEqual(other.digest, table.digest);
  assert.deepEqual(digests(other), digests(table));
  const turned = await prepare(await write("turned.csv", csv(lines.toReversed())), { filters });
  assert.deepEqual(idsOf(turned, 2), idsOf(table, 2));
  const swapped = await prepare(await write("rows.csv", csv(lines)), { filters: filters.toReversed() });
  assert.deepEqual(idsOf(swapped, 2), idsOf(table, 2).toReversed());
});

test("what trains nobody has no part in vocabularies and scales", async () => {
  const source = await write("rows.csv", csv(lines));
  const table = await prepare(source, { filters: ["day = 3"], categorical: { day: "day" }, numeric: { id: "id" } });
  assert.deepEqual(table.preprocessing.vocabularies, { day: ["3"] });
  assert.equal(table.preprocessing.numeric.id?.mean, 34.5);
});

test("a filter that fails, or filters that want no row, are refused by name", async () => {
  const source = await write("rows.csv", csv(lines));
  await refused(specOf(source, { filters: ["day < 5", "dya > 5"] }), /filter of group 1 does not compile: dya > 5/);
  await refused(specOf(source, { filters: ["day < 5", "sum(day) > 5"] }), /filter of group 1/);
  await refused(specOf(source, { filters: ["day > 50", "null"] }), /none of the 200 rows matches any: day > 50; null/);
});

test("without filters the query and the digest are what they were before there were filters", () => {
  const files = { format: "csv", files: [{ path: "x.csv", bytes: 1, modifiedMs: 0, sha256: "a".repeat(64) }] } as const;
  const spec: TableSpec = {
    source: "x.csv",
    label: "late",
    categorical: { city: "city" },
    numeric: { size: "size" },
    split: { train: "day < 20", validation: "day >= 20 and day < 25", test: "day >= 25" },
  };
  const columns = header.split(",").slice(1);
  const hashes = (changes: Partial<TableSpec>) => {
    const query = examplesQuery(partsOf({ ...spec, ...changes }), columns, labelRules(spec).column("BOOLEAN"));
    return [tableDigest({ ...spec, ...changes }, files), createHash("sha256").update(query).digest("hex")];
  };
  // Computed by the commit that raised the format to 8, and in the same way but for the type of numbers since before there were filters.
  assert.deepEqual(hashes({}), [
    "1b9fb19c7e56fed478493880ec4e69b34c71e5aabc5810b0315a2f3c0f7d7650",
    "0d67578acaddf03a25f9b32dbe75e0e99ca08c68a6328d0814affd339c21bfb3",
  ]);
  assert.deepEqual(hashes({ shardBy: "day" }), [
    "ab1193a2215b5f3a37d62b0f9935efc9c20cec8325c5637b028ebf8da9e4578d",
    "62fd0e8f81223018064385768da7ba1f75a43048e96a9ae20eb206d19a08d0a4",
  ]);
  assert.notDeepEqual(hashes({ filters: ["true"] }), hashes({}));
  assert.equal(numSlots, 4096);
});
