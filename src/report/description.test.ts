import assert from "node:assert/strict";
import { test } from "node:test";
import { type DescriptionView, descriptionLines, overrideLines, planLines } from "./description.js";

const column = (name: string, type: string, role: string, reason: string, changes = {}) => ({
  figures: { name, type, numMissing: 0, numDistinct: 1062, isExact: true, ...changes },
  role,
  reason,
});

const flights: DescriptionView = {
  source: { format: "parquet", numFiles: 1, bytes: 13_493_022, numRows: 3_000_000, memoryBytes: 2e9 },
  label: {
    given: "delay >= 15",
    task: "binary",
    reason: 'two different values, yes is "true"',
    classes: [
      { value: "true", count: 626_590 },
      { value: "false", count: 2_373_410 },
    ],
  },
  columns: [
    column("date", "TIMESTAMP", "time", "as given with --time; as hour, weekday", {
      numDistinct: 237_580,
      isExact: false,
    }),
    column("delay", "BIGINT", "label", "what is predicted"),
    column("distance", "BIGINT", "numeric", "21 to 4,962", { numMissing: 12 }),
    column("a column with a very long name indeed", "VARCHAR", "ignored", "free text: 84 characters on average"),
  ],
  pairs: [{ reason: "origin with destination: about 3,399 pairs, each in 882 rows" }],
  split: { reason: "by time: validation from 2001-05-25, test from 2001-06-13" },
  rows: { train: 2_383_928, validation: 313_342, test: 302_730 },
  classRows: [
    { value: "true", train: 500_000, validation: 66_590, test: 60_000 },
    { value: "false", train: 1_883_928, validation: 246_752, test: 242_730 },
  ],
  powers: [{ name: "distance", power: 0.5158 }],
  hints: [{ text: "191 rows repeat an earlier one in all columns but identifiers" }],
};

test("a description at 80 columns leaves the types out and wraps the reasons", () => {
  assert.deepEqual(descriptionLines(flights, 80), [
    "data    3,000,000 rows of 4 columns in 1 parquet file of 13.5 MB; DuckDB has 2.0",
    "        GB of memory, the rest goes to disk",
    'label   delay >= 15: binary, two different values, yes is "true"',
    "        true 20.9 % (626,590), false 79.1 % (2,373,410)",
    "split   by time: validation from 2001-05-25, test from 2001-06-13: 2,383,928 /",
    "        313,342 / 302,730 rows",
    "        true 500,000 / 66,590 / 60,000, false 1,883,928 / 246,752 / 242,730",
    "",
    "column                role       values  missing  alone  why",
    "date                  time     237,580~                  as given with --time;",
    "                                                         as hour, weekday",
    "delay                 label       1,062                  what is predicted",
    "distance              numeric     1,062       12   0.52  21 to 4,962",
    "a column with a ver…  ignored     1,062                  free text: 84",
    "                                                         characters on average",
    "",
    "pair    origin with destination: about 3,399 pairs, each in 882 rows",
    "",
    "note    191 rows repeat an earlier one in all columns but identifiers",
  ]);
});

test("lines fit the width, unless the table alone is wider", () => {
  for (const width of [80, 100, 140, 200]) {
    const lines = [...descriptionLines(flights, width), ...overrideLines(width)];
    assert.ok(
      lines.every((line) => line.length <= width),
      lines.filter((line) => line.length > width).join("\n"),
    );
    assert.ok(lines.every((line) => line === line.trimEnd()));
  }
  assert.match(
    descriptionLines(flights, 140).join("\n"),
    /^date +TIMESTAMP +time +237,580~ +as given with --time; as hour, weekday$/m,
  );
  assert.match(descriptionLines(flights, 10).join("\n"), /what is predicted/);
});

test("a plan says why, and how long", () => {
  const plan = { reasons: { model: "64 and 32 hidden units", steps: "4,000" } };
  assert.deepEqual(planLines(plan, 3661, 80), [
    "model   64 and 32 hidden units",
    "steps   4,000",
    "time    about 1:01:01 of training on this machine",
  ]);
  assert.equal(planLines(plan, null, 80).length, 2);
});
