import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { csv, lines, workplace } from "../../../test/fixtures/table-fixture.js";
import { recordLayout, tableRows } from "../../data/records.js";
import { type DataRegime, numSlots, slotsUnder } from "../../data/shard.js";
import { describeShards, shardLines } from "./shards.js";

const { write, prepare } = workplace();
const none = { numRows: 0 };

const slotsOfAll = (regime: DataRegime, numGroups: number) =>
  Array.from({ length: numGroups }, (_, group) => slotsUnder({ regime }, group, numGroups));

/** Training rows of one feature and the label, `rows[slot]` being those of a slot. */
function training(rows: readonly (readonly (readonly [number, number])[])[]) {
  const layout = recordLayout({ categorical: { a: "a" }, numeric: {} });
  const flat = rows.flat();
  const words = new Int32Array(flat.length * 2);
  const floats = new Float32Array(words.buffer);
  flat.forEach(([feature, label], row) => {
    words[2 * row] = feature;
    floats[2 * row + 1] = label;
  });
  const slotOffsets = new Uint32Array(numSlots + 1);
  for (let slot = 0; slot < numSlots; slot++)
    slotOffsets[slot + 1] = (slotOffsets[slot] ?? 0) + (rows[slot]?.length ?? 0);
  return { ...tableRows(layout, words), slotOffsets };
}

test("disjoint shards share no row, and what one has in all is in none twice", async () => {
  const table = await prepare(await write("rows.csv", csv(lines)));
  const report = describeShards(table, "disjoint", slotsOfAll("disjoint", 3));
  assert.equal(report.problem, null);
  assert.deepEqual(report.rows, { train: 200, validation: 50, test: 50, unassigned: 0 });
  assert.equal(
    report.groups.reduce((sum, { rows }) => sum + rows, 0),
    200,
  );
  assert.deepEqual(
    report.pairs.map(({ groups, sharedRows, sharedRecords }) => [...groups, sharedRows, sharedRecords]),
    [
      [0, 1, 0, 0],
      [0, 2, 0, 0],
      [1, 2, 0, 0],
    ],
    "the id is a feature, so no two records are equal",
  );
  assert.match(shardLines(report).at(-1) ?? "", /^disjoint: /);
});

test("the regimes that share say so", async () => {
  const table = await prepare(await write("rows.csv", csv(lines)));
  for (const regime of ["all", "same"] as const) {
    const report = describeShards(table, regime, slotsOfAll(regime, 2));
    const rows = report.groups[0]?.rows;
    assert.equal(regime === "all" ? rows === 200 : (rows ?? 0) < 200, true);
    assert.deepEqual(report.pairs, [{ groups: [0, 1], sharedRows: rows, sharedRecords: rows }]);
    assert.equal(report.groups[0]?.digest, report.groups[1]?.digest);
    assert.match(shardLines(report).at(-1) ?? "", /^not disjoint, as asked: /);
    assert.equal(report.problem, null);
  }
});

test("shards that should be disjoint and are not are told", () => {
  const train = training([[[1, 0]], [[2, 1]], [[3, 1]]]);
  const report = describeShards({ train, validation: none, test: none, numUnassigned: 0 }, "disjoint", [
    [0, 1],
    [1, 2],
  ]);
  assert.match(report.problem ?? "", /row 1 is in shard 0 and in shard 1/);
  assert.equal(report.pairs[0]?.sharedRows, 1);
  assert.match(shardLines(report).at(-1) ?? "", /^not disjoint: .*row 1/);
});

test("shared rows and records are those that counting one by one finds, in up to 64 groups", () => {
  const record = fc.tuple(fc.nat(3), fc.nat(1));
  fc.assert(
    fc.property(
      fc.array(fc.array(record, { maxLength: 3 }), { minLength: 40, maxLength: 64 }),
      fc.constantFrom(1, 2, 33, 64),
      (rows, numGroups) => {
        const slots = slotsOfAll("disjoint", numGroups);
        const train = training(rows);
        const { pairs, groups } = describeShards(
          { train, validation: none, test: none, numUnassigned: 0 },
          "disjoint",
          slots,
        );
        const recordsOf = (group: number) => rows.filter((_, slot) => slot % numGroups === group).flat();
        for (const { group, rows: number, positive } of groups) {
          const own = recordsOf(group);
          assert.equal(number, own.length);
          const expected = own.length === 0 ? 0 : own.filter(([, label]) => label === 1).length / own.length;
          assert.equal(positive, expected);
        }
        assert.equal(pairs.length, (numGroups * (numGroups - 1)) / 2);
        for (const {
          groups: [a, b],
          sharedRows,
          sharedRecords,
        } of pairs) {
          const ofB = recordsOf(b).map(String);
          const both = new Set(
            recordsOf(a)
              .map(String)
              .filter((text) => ofB.includes(text)),
          );
          assert.deepEqual([sharedRows, sharedRecords], [0, both.size]);
        }
      },
    ),
    { numRuns: 25 },
  );
});

test("a shard's digest changes with any of its rows, and with no other's", () => {
  const digests = (...rows: Parameters<typeof training>[0]) =>
    describeShards(
      { train: training(rows), validation: none, test: none, numUnassigned: 0 },
      "disjoint",
      slotsOfAll("disjoint", 2),
    ).groups.map(({ digest }) => digest);
  const [even, odd] = digests([[1, 0]], [[2, 1]]);
  // printf '\1\0\0\0\0\0\0\0' | sha256sum
  assert.equal(even, "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8");
  assert.deepEqual(digests([[1, 0]], [[2, 0]])[0], even);
  assert.notEqual(digests([[1, 0]], [[2, 0]])[1], odd);
});
