import assert from "node:assert/strict";
import { test } from "node:test";
import { type Planned, secondsOf, secondsOfAll, seedsWithin } from "./schedule.js";

const runs: Planned[] = [1, 2, 3].flatMap((seed) => [
  { arm: "single", seed, passes: 100 },
  { arm: "codistilled", seed, passes: 150 },
]);

test("a run takes as long as those of its arm, or else as its passes say", () => {
  const done = [
    { arm: "single", passes: 100, seconds: 10 },
    { arm: "single", passes: 100, seconds: 14 },
  ];
  assert.equal(secondsOf({ arm: "single", passes: 100 }, done), 12);
  assert.equal(secondsOf({ arm: "codistilled", passes: 150 }, done), 18);
  assert.equal(
    secondsOf({ arm: "codistilled", passes: 150 }, [...done, { arm: "codistilled", passes: 150, seconds: 40 }]),
    40,
  );
  assert.equal(secondsOf({ arm: "single", passes: 100 }, []), null);
  assert.equal(secondsOfAll(runs, done), 90);
  assert.equal(secondsOfAll(runs, []), null);
});

test("a budget holds whole seeds, of which what is done takes no time", () => {
  const done = [{ arm: "single", passes: 100, seconds: 10 }];
  const open = runs.slice(1);
  assert.deepEqual(seedsWithin([1, 2, 3], open, done, 40), { seeds: [1, 2], seconds: 40, allSeconds: 65 });
  assert.deepEqual(seedsWithin([1, 2, 3], open, done, 39)?.seeds, [1]);
  assert.deepEqual(seedsWithin([1, 2, 3], open, done, 14)?.seeds, []);
  assert.deepEqual(seedsWithin([1, 2, 3], open, done, 65)?.seeds, [1, 2, 3]);
  assert.equal(seedsWithin([1, 2, 3], open, [], 65), null);
});
