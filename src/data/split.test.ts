import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  mostEqual,
  placing,
  quotasOf,
  type SplitShares,
  type Stratum,
  TEST,
  TRAIN,
  UNITS_FOR_ALL,
  VALIDATION,
} from "./split.js";

const shares: SplitShares = { validation: 0.1, test: 0.1 };
const rowsAlone = (rows: number): Stratum => ({ rows, units: rows, second: Math.min(rows, 1) });
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Place units of some strata, given as their sizes, as a hash would have ordered them; rows by split for each stratum. */
function placed(strata: readonly (readonly number[])[], wanted: SplitShares, coin: (i: number) => number = () => 0.5) {
  const described = strata.map((sizes) => ({
    rows: sum(sizes),
    units: sizes.length,
    second: sizes.toSorted((a, b) => a - b)[Math.min(1, sizes.length - 1)] ?? 0,
  }));
  const { place } = placing(quotasOf(described, wanted));
  let i = 0;
  return strata.map((sizes, stratum) => {
    const rows = [0, 0, 0];
    for (const size of sizes) rows[place(stratum, size, coin(i++))]! += size;
    return rows as [number, number, number];
  });
}

describe("quotas", () => {
  test("are the shares of all rows to rounding, and a class in proportion", () => {
    assert.deepEqual(quotasOf([rowsAlone(1000)], shares), [{ validation: 100, test: 100 }]);
    assert.deepEqual(quotasOf([rowsAlone(4)], shares), [{ validation: 1, test: 1 }]);
    // 15 of 155: 10.5 and 5 by proportion, of which the largest remainder is rounded up to come to 16.
    assert.deepEqual(
      quotasOf([rowsAlone(50), rowsAlone(105)], shares).map(({ test: rows }) => rows),
      [5, 11],
    );
  });

  test("leave no class of three rows out of a split, and train the rarer ones", () => {
    const quotas = quotasOf([rowsAlone(1), rowsAlone(2), rowsAlone(3), rowsAlone(994)], shares);
    assert.deepEqual(quotas.slice(0, 3), [
      { validation: 0, test: 0 },
      { validation: 0, test: 0 },
      { validation: 1, test: 1 },
    ]);
    assert.equal(sum(quotas.map(({ test: rows }) => rows)), 100);
  });

  test("hold for any strata and shares: totals to rounding, each class within a row, all classes everywhere", () => {
    const strata = fc.array(fc.integer({ min: UNITS_FOR_ALL, max: 5000 }), { minLength: 1, maxLength: 30 });
    const share = fc.double({ min: 0.01, max: 0.45, noNaN: true });
    fc.assert(
      fc.property(strata, share, share, (sizes, validation, test) => {
        const quotas = quotasOf(sizes.map(rowsAlone), { validation, test });
        const total = sum(sizes);
        for (const [name, wanted] of [
          ["validation", validation],
          ["test", test],
        ] as const) {
          const rows = sum(quotas.map((quota) => quota[name]));
          const least = Math.max(sizes.length, Math.round(total * wanted));
          const most = sizes.every((size) => Math.floor(size * wanted) >= 1) ? Math.round(total * wanted) : least;
          assert.ok(
            rows >= Math.min(Math.round(total * wanted), most) && rows <= least,
            `${rows} of ${total}, ${wanted}`,
          );
        }
        quotas.forEach((quota, i) => {
          const size = sizes[i] as number;
          assert.ok(quota.validation >= 1 && quota.test >= 1 && quota.validation + quota.test < size);
          if (size * Math.min(validation, test) < 3) return;
          const slack = 1 + sizes.length;
          assert.ok(Math.abs(quota.test - size * test) <= slack, `${quota.test} of ${size} at ${test}`);
        });
      }),
    );
  });
});

describe("units", () => {
  test("that are rows fill their quotas to the row, whatever the coins", () => {
    const sizes = [fc.integer({ min: 3, max: 400 }), fc.integer({ min: 3, max: 400 }), fc.integer()] as const;
    fc.assert(
      fc.property(...sizes, (a, b, seed) => {
        const strata = [Array(a).fill(1), Array(b).fill(1)];
        const rows = placed(strata, shares, (i) => ((i + Math.abs(seed % 1000)) * 0.618034) % 1);
        const quotas = quotasOf([rowsAlone(a), rowsAlone(b)], shares);
        assert.deepEqual(
          rows.map((one) => ({ validation: one[VALIDATION], test: one[TEST] })),
          quotas,
        );
      }),
    );
  });

  test("that are groups are whole, near the shares, and in every split where there are three", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: UNITS_FOR_ALL, maxLength: 300 });
    fc.assert(
      fc.property(sizes, fc.double({ min: 0, max: 0.999, noNaN: true }), (groups, coin) => {
        const [rows = [0, 0, 0]] = placed([groups], shares, (i) => (coin + i * 0.618034) % 1);
        const total = sum(groups);
        assert.equal(sum(rows), total);
        assert.ok(
          rows.every((count) => count > 0),
          rows.join(),
        );
        const largest = Math.max(...groups);
        for (const split of [VALIDATION, TEST]) {
          assert.ok(Math.abs((rows[split] as number) - 0.1 * total) <= largest + 1, `${rows[split]} of ${total}`);
        }
      }),
    );
  });

  test("that are few or of very different sizes leave the large ones to training", () => {
    const cases = [
      [10, 10, 980],
      [980, 10, 10],
      [200, 200, 200, 200, 200],
      [300, 350, 350],
      [30, 30, 30, 30, 880],
    ];
    for (const sizes of cases) {
      const [rows = [0, 0, 0]] = placed([sizes], shares);
      assert.ok(
        rows.every((count) => count > 0),
        `${sizes}: ${rows}`,
      );
      assert.ok(rows[TRAIN] >= Math.max(...sizes), `${sizes}: ${rows}`);
    }
  });
});

test("rows that are equal stay together up to a hundredth of all", () => {
  assert.deepEqual([10, 299, 300, 3_000_000].map(mostEqual), [2, 2, 3, 30_000]);
});
