import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DataError } from "../../errors.js";
import { splitByRank } from "./split-ranks.js";

test("shares come out to rounding, at least one document each, whatever the places are, and equal ones are together", () => {
  const places = fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 20, maxLength: 200 });
  const share = fc.constantFrom(0, 0.001, 0.02, 0.1, 0.3);
  fc.assert(
    fc.property(places, share, share, (all, validation, test) => {
      const splitOf = splitByRank(Float64Array.from(all), { validation, test });
      const different = [...new Set(all)];
      fc.pre(different.length >= 10);
      const count = (name: string) => different.filter((place) => splitOf(place) === name).length;
      const expected = (part: number) => (part === 0 ? 0 : Math.max(1, Math.round(part * different.length)));
      assert.deepEqual([count("validation"), count("test")], [expected(validation), expected(test)]);
    }),
  );
  const few = splitByRank(Float64Array.of(3, 1, 2), { validation: 0.02, test: 0.02 });
  assert.deepEqual([1, 2, 3].map(few), ["validation", "test", "train"]);
});

test("documents that leave none to train on are refused with how many there are", () => {
  const attempt = () => splitByRank(Float64Array.of(1, 1, 2), { validation: 0.05, test: 0.05 });
  assert.throws(
    attempt,
    (error) => error instanceof DataError && /of 2 different documents 1 would validate and 1 test/.test(error.message),
  );
});
