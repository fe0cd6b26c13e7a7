import assert from "node:assert/strict";
import { test } from "node:test";
import { allFinite, float32, int32, strings } from "./array.js";

test("NaN and infinities are found at any place, and nothing else is taken for one", () => {
  const others = { ids: int32([2 ** 31 - 1]), names: strings(["NaN"]), none: float32([]) };
  const largest = 3.4028234663852886e38; // the largest float32, whose plain sum would overflow
  assert.equal(allFinite({ ...others, a: float32([largest, largest, -0, 2 ** -149]) }), true);
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const at of [0, 1, 2]) {
      const data = [largest, 0, -1].map((value, i) => (i === at ? wrong : value));
      assert.equal(allFinite({ ...others, a: float32([1]), b: float32(data) }), false);
    }
  }
});
