import assert from "node:assert/strict";
import { test } from "node:test";
import { type FarValue, isSentinel } from "./sentinels.js";

/** A value beside 1,000 others of 0 to 40, most of them from 10 to 30. */
function far(value: number, changes: Partial<FarValue> = {}): FarValue {
  const others = { count: 1000, low: 10, middle: 20, high: 30, nearest: value < 20 ? 0 : 40 };
  return { value, time: null, numRows: 20, others, ...changes };
}

test("what has the shape of a mark, comes back and is far from the rest stands for none", () => {
  for (const value of [
    -999, 999, 9999, 99999, -9999, 999.9, 9998, -888, 8888, 32767, -32768, 2147483647, 1e20, 9.96921e36,
  ]) {
    assert.ok(isSentinel(far(value)), String(value));
  }
});

test("what is near, comes once or has no shape does not", () => {
  for (const value of [99, 55, -5, 0, 109]) assert.ok(!isSentinel(far(value, { numRows: 5 })), String(value));
  assert.ok(!isSentinel(far(-999, { numRows: 1 })));
  assert.ok(!isSentinel(far(700, { numRows: 2 })));
  assert.ok(!isSentinel(far(-999, { others: { ...far(0).others, count: 5 } })), "too few others to say what is usual");
});

test("a value without a shape must come back in 1 % of the rows and be five ranges away", () => {
  assert.ok(isSentinel(far(437)));
  assert.ok(!isSentinel(far(437, { numRows: 9 })));
  assert.ok(!isSentinel(far(137)));
  assert.ok(
    !isSentinel(far(0, { others: { count: 1000, low: 1000, middle: 1010, high: 1020, nearest: 990 } })),
    "0 is a quantity",
  );
});

test("where the others are nearly all the same, the next one must be nearer to them than to the value", () => {
  const zeros = { count: 1000, low: 0, middle: 0, high: 0 };
  assert.ok(isSentinel(far(99999, { others: { ...zeros, nearest: 41310 } })));
  assert.ok(!isSentinel(far(99999, { others: { ...zeros, nearest: 80000 } })));
});

test("days of ages that no data is of stand for none, others only as they are far", () => {
  const seconds = (time: string) => Date.parse(time) / 1000;
  const others = {
    count: 500,
    low: seconds("2023-01-01"),
    middle: seconds("2024-01-01"),
    high: seconds("2024-12-01"),
    nearest: seconds("2024-12-31"),
  };
  const day = (time: string, numRows = 3) =>
    isSentinel({ value: seconds(time), time: `${time} 00:00:00`, numRows, others });
  assert.ok(day("9999-12-31") && day("1900-01-01") && day("2999-12-31", 1) && day("1970-01-01"));
  assert.ok(!day("1900-01-01", 1), "a day of birth may be so");
  assert.ok(!day("2030-06-01") && !day("2022-01-01"));
});

test("a typical value that is frequent and stands alone stands for none, however wide the others are", () => {
  const wide = { count: 1000, low: -10, middle: 10, high: 30, nearest: -40 };
  assert.ok(isSentinel(far(-99, { others: wide })), "a temperature");
  assert.ok(!isSentinel(far(-99, { numRows: 9, others: wide })));
  assert.ok(!isSentinel(far(99, { others: { ...far(99).others, nearest: 85 } })), "an age");
  const seconds = (time: string) => Date.parse(time) / 1000;
  const births = {
    count: 1000,
    low: seconds("1940-01-01"),
    middle: seconds("1970-01-01"),
    high: seconds("2000-01-01"),
  };
  const day = (time: string, nearest: string, numRows = 50) =>
    isSentinel({
      value: seconds(time),
      time: `${time} 00:00:00`,
      numRows,
      others: { ...births, nearest: seconds(nearest) },
    });
  assert.ok(day("1900-01-01", "1921-05-06"));
  assert.ok(!day("1900-01-01", "1921-05-06", 3), "a birth may be so");
  assert.ok(!day("1970-01-01", "1970-01-02"), "the first day of a series");
});
