import assert from "node:assert/strict";
import { test } from "node:test";
import { workersWatch } from "./workers.js";

const use = (compute: number, reduce: number) => ({ compute, reduce });

test("workers that spend much of a step on sums are told of it once, after the steps in which programs are compiled", () => {
  const watch = workersWatch();
  const slow = [use(2, 1), use(1, 2)];
  const said = Array.from({ length: 12 }, () => watch(slow));
  assert.equal(said.filter((one) => one !== null).length, 1);
  assert.match(said[5] ?? "", /its 2 workers spend 33 % of a step on adding up/);
});

test("what waits for a slow worker, little in sums and one worker alone are no reason to say so", () => {
  for (const workers of [[use(10, 1), use(1, 10)], [use(9, 1), use(9, 1)], [use(1, 5)], undefined]) {
    const watch = workersWatch();
    assert.deepEqual(
      Array.from({ length: 12 }, () => watch(workers)).filter((one) => one !== null),
      [],
    );
  }
});
