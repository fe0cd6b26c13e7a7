import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type FeatureValues, type SeenFeature, type Unlike, unlikeCounter, unlikeNotes } from "./seen.js";

const inputs = [
  { name: "zone", type: "text", sql: "zone" },
  { name: "km", type: "number", sql: "km" },
  { name: "started", type: "time", sql: "started" },
] as const;

const seen: readonly SeenFeature[] = [
  { feature: "zone", kind: "name", inputs: ["zone"], count: 1e6, absent: 0 },
  { feature: "km", kind: "number", inputs: ["km"], count: 1e6, absent: 0.02, least: 0, most: 40 },
  { feature: "km_bin", kind: "name", inputs: ["km"], count: 1e6, absent: 0.02 },
  { feature: "started_days", kind: "number", inputs: ["started"], count: 1e6, absent: 0, least: 10, most: 100 },
  { feature: "zone_km", kind: "name", inputs: ["zone", "km"], count: 1e6, absent: 0 },
  { feature: "one", kind: "number", inputs: [], count: 1e6, absent: 0 },
];

const ids = (...values: number[]): FeatureValues => ({ isId: true, at: (row) => values[row] ?? 0 });
const numbers = (...values: number[]): FeatureValues => ({ isId: false, at: (row) => values[row] ?? 0 });

describe("rows that are unlike training", () => {
  const counter = unlikeCounter(inputs, seen);
  const day = Date.UTC(2025, 0, 1);
  const columns = [
    ["north", "harbour", "", "north"],
    Float64Array.of(3, 41, Number.NaN, -5),
    new Float64Array(4).fill(day),
  ];
  const made: Readonly<Record<string, FeatureValues>> = {
    zone: ids(1, 0, 0, 1),
    km: numbers(3, 41, Number.NaN, -5),
    km_bin: ids(1, 2, 0, 0),
    started_days: numbers(9, 101, 50, 200),
    zone_km: ids(1, 0, 0, 2),
  };
  counter.add(columns, (feature) => made[feature]);

  test("are counted of each column: without a value, with a name that is new, beyond the range", () => {
    const of = (...columns: string[]) => counter.found().unlike.find((one) => one.columns.join() === columns.join());
    const outsideByChance = 8 / 1_000_001;
    const none = { missing: 0, unseen: 0, example: null, outside: 0, lowest: null, highest: null, outsideByChance };
    assert.deepEqual(of("zone"), {
      columns: ["zone"],
      ...none,
      missing: 1,
      unseen: 1,
      example: "harbour",
      absentInTraining: 0,
    });
    assert.deepEqual(of("km"), {
      columns: ["km"],
      missing: 1,
      unseen: 1,
      example: "-5",
      outside: 2,
      lowest: "-5",
      highest: "41",
      outsideByChance,
      absentInTraining: 0.02,
    });
    const zone =
      'zone: 1 row (25 %) have a name that training had never or too seldom, as "harbour"; 1 row (25 %) have no value, in training 0 %';
    assert.ok(counter.found().notes.includes(zone));
    assert.deepEqual(of("started")?.outside, 3);
    assert.deepEqual(of("started")?.highest, "2025-01-01T00:00:00");
    assert.equal(of("zone", "km")?.example, "harbour with 41");
  });

  test("a batch more adds to them, and rows as those of training to nothing", () => {
    const counts = () => counter.found().unlike.map(({ outsideByChance: _, ...rest }) => rest);
    const before = counts();
    counter.add([["north"], Float64Array.of(4), Float64Array.of(day)], (feature) =>
      feature === "zone" ? ids(1) : feature === "km" ? numbers(4) : undefined,
    );
    assert.deepEqual(counts(), before);
    counter.add([["south"], Float64Array.of(4), Float64Array.of(day)], (feature) =>
      feature === "zone" ? ids(0) : undefined,
    );
    const { unseen, example } = counter.found().unlike.find(({ columns }) => columns.join() === "zone") as Unlike;
    assert.deepEqual([unseen, example], [2, "harbour"]);
  });
});

test("people are told of what is more than in training, and programs of all", () => {
  const none = {
    missing: 0,
    unseen: 0,
    example: null,
    outside: 0,
    lowest: null,
    highest: null,
    outsideByChance: 0,
    absentInTraining: 0,
  };
  const notes = unlikeNotes(
    [
      { ...none, columns: ["zone"], unseen: 12, example: " red" },
      { ...none, columns: ["km"], outside: 30, lowest: "-4", highest: "400", missing: 250, absentInTraining: 0.02 },
      { ...none, columns: ["fare"], missing: 25, absentInTraining: 0.02 },
      { ...none, columns: ["driver"], unseen: 30, example: "7", absentInTraining: 0.03 },
      { ...none, columns: ["speed"], outside: 1, highest: "9" },
      { ...none, columns: ["few"], outside: 5, highest: "9", outsideByChance: 2 },
    ],
    1000,
  );
  assert.deepEqual(notes, [
    'zone: 12 rows (1.2 %) have a name that training had never or too seldom, as " red" (spaces count)',
    "km: 30 rows (3 %) are beyond what training had, down to -4 and up to 400; 250 rows (25 %) have no value, in training 2 %",
  ]);
  const many = Array.from({ length: 20 }, (_, i) => ({ ...none, columns: [`c${i}`], missing: 900 }));
  assert.equal(unlikeNotes(many, 1000).length, 9);
  assert.match(unlikeNotes(many, 1000).at(-1) ?? "", /^12 more columns have rows that are unlike training; --json/);
});
