import assert from "node:assert/strict";
import { test } from "node:test";
import { someDuration } from "./flags.js";

test("durations are numbers with a unit, more than nothing and no longer than a timer", () => {
  assert.deepEqual(["90s", "20m", "1.5h", " 2d "].map(someDuration), [90, 1200, 5400, 172_800]);
  for (const wrong of ["", "20", "m", "-5s", "0s", "1 h", "1e3s", "25d", "2w"])
    assert.throws(
      () => someDuration(wrong),
      /must be a duration such as 90s, 20m or 1.5h, 24 days at most, got "/,
      wrong,
    );
});
