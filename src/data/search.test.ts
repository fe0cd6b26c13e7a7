import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lastAtMost } from "./search.js";

test("the last number that is at most a value is found, of equal ones the last, and none beyond the count", () => {
  const ascending = fc.array(fc.nat(20), { minLength: 1, maxLength: 30 }).map((some) => some.sort((a, b) => a - b));
  fc.assert(
    fc.property(ascending, fc.nat(25), fc.nat(), (numbers, value, size) => {
      const count = 1 + (size % numbers.length);
      const expected = numbers.slice(0, count).findLastIndex((number) => number <= value);
      assert.equal(lastAtMost(numbers, count, value), Math.max(0, expected));
    }),
  );
});
