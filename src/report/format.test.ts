import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  bar,
  bytes,
  count,
  duration,
  fittedTable,
  loss,
  percent,
  seconds,
  shortTogether,
  table,
  times,
} from "./format.js";

/** A function, and what it makes of some numbers. */
function formats(name: string, format: (value: number) => string, expected: readonly [value: number, text: string][]) {
  test(name, () => {
    for (const [value, text] of expected) assert.equal(format(value), text, `${name}(${value})`);
  });
}

describe("numbers as people read them", () => {
  formats("count", count, [
    [0, "0"],
    [999, "999"],
    [3660, "3,660"],
    [12_345_678, "12,345,678"],
  ]);
  formats("loss", loss, [
    [0, "0.0000"],
    [0.6930501, "0.6931"],
    [12.34567, "12.3457"],
    [Number.NaN, "NaN"],
  ]);
  formats("seconds", seconds, [
    [0.04, "0.0 s"],
    [0.06, "0.1 s"],
    [75.25, "75.3 s"],
  ]);
  formats("duration", duration, [
    [-5, "0:00"],
    [0.4, "0:00"],
    [59.4, "0:59"],
    [59.6, "1:00"],
    [61, "1:01"],
    [3599.9, "1:00:00"],
    [3661, "1:01:01"],
    [360_000, "100:00:00"],
  ]);
  formats("bytes", bytes, [
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1234, "1.2 kB"],
    [999_949, "999.9 kB"],
    [1_000_000, "1.0 MB"],
    [2_500_000_000, "2.5 GB"],
    [7e12, "7.0 TB"],
    [7e15, "7000.0 TB"],
  ]);

  test("bytes never show a thousand of a unit that has a larger one", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e12 }), (n) => assert.doesNotMatch(bytes(n), /^1000\.0 (kB|MB)/)));
    for (const n of [999_950, 999_999, 999_950_000, 999_999_999]) assert.doesNotMatch(bytes(n), /^1000/);
  });
});

describe("bar", () => {
  test("is full at 1, empty at 0, and as wide as it was asked for", () => {
    assert.equal(bar(0, 4), "░░░░");
    assert.equal(bar(0.5, 4), "██░░");
    assert.equal(bar(1, 4), "████");
    fc.assert(
      fc.property(fc.double(), fc.nat(100), (fraction, width) => {
        assert.match(bar(fraction, width), /^█*░*$/);
        assert.equal(bar(fraction, width).length, width);
      }),
    );
  });

  test("of what is not between 0 and 1 is empty or full", () => {
    assert.deepEqual(
      [-1, 2, Number.NaN, Number.POSITIVE_INFINITY].map((fraction) => bar(fraction, 2)),
      ["░░", "██", "░░", "░░"],
    );
  });
});

describe("table", () => {
  test("aligns columns of numbers right and all others left, by their widest cell", () => {
    const rows = [
      ["", "loss", "n", "ended", "sent", "share"],
      ["group 0", "0.5", "1,000", "no", "12.5 MB", "5.0 %"],
      ["all", "10.25", "", "finished", "7 B", "100.0 %"],
    ];
    assert.deepEqual(table(rows), [
      "          loss      n  ended        sent    share",
      "group 0    0.5  1,000  no        12.5 MB    5.0 %",
      "all      10.25         finished      7 B  100.0 %",
    ]);
  });

  test("of nothing is nothing", () => assert.deepEqual(table([]), []));

  test("holds every cell, and no blanks at the ends of lines", () => {
    const cells = fc.array(fc.tuple(fc.string(), fc.string(), fc.string()), { minLength: 1 });
    fc.assert(
      fc.property(cells, (rows) => {
        for (const [i, line] of table(rows).entries()) {
          for (const cell of rows[i] ?? []) assert.ok(line.includes(cell.trimEnd()), line);
          assert.equal(line, line.trimEnd());
        }
      }),
    );
  });
});

test("how often is said in two digits, and whole from ten on", () => {
  assert.deepEqual([0.0423, 0.43, 7.46, 9.94, 9.96, 1234.5].map(times), ["0.042", "0.43", "7.5", "9.9", "10", "1,235"]);
});

test("percentages never say all of what is less", () => {
  assert.deepEqual([0, -1e-5, 0.5, 0.998, 0.9995, 0.9999999, 1].map(percent), [
    "0 %",
    "0 %",
    "50 %",
    "99.8 %",
    "99.950 %",
    "99.999 %",
    "100 %",
  ]);
});

test("values of a column have as many digits as tell them apart", () => {
  assert.deepEqual(shortTogether([0.123456, 12.3456]), ["0.1235", "12.35"]);
  assert.deepEqual(shortTogether([999999990.5, 1000000010.25]), ["999999990.5", "1000000010"]);
  assert.deepEqual(shortTogether([1.0000001, 1.0000002]), ["1.0000001", "1.0000002"]);
  assert.deepEqual(shortTogether([3, 1200]), ["3", "1,200"]);
  assert.deepEqual(shortTogether([0.5, 0.5]), ["0.5", "0.5"]);
});

test("a table that is too wide goes on below, whatever its columns: every cell is there, once, and no line too long", () => {
  const cell = fc.stringMatching(/^[a-z]{1,9}$/);
  const rows = fc.integer({ min: 1, max: 8 }).chain((width) => {
    const row = fc.array(cell, { minLength: width, maxLength: width });
    return fc.array(row, { minLength: 1, maxLength: 4 });
  });
  fc.assert(
    fc.property(rows, fc.integer({ min: 20, max: 60 }), (given, width) => {
      const lines = fittedTable(given, width);
      for (const line of lines) assert.ok(line.length <= width, line);
      const numCells = (of: readonly string[][]) => of.reduce((sum, row) => sum + row.length - 1, 0);
      const words = lines.filter((line) => line !== "").map((line) => line.split(/ +/));
      assert.equal(numCells(words), numCells(given));
      for (const [i, row] of given.entries())
        assert.ok(
          row.every((one) => lines.join(" ").includes(one)),
          String(i),
        );
    }),
  );
  const rows2 = [
    ["a", "long heading"],
    ["b", "1"],
  ];
  assert.deepEqual(fittedTable(rows2, 5), table(rows2), "a column that is too wide alone stays whole");
});
