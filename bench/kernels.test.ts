import assert from "node:assert/strict";
import { test } from "node:test";
import { bestOf, isCrippled, type Trial, trialsInWords } from "./kernels.js";

const trial = (asked: string | null, gigaFlops: number | null, error = 1e-7): Trial => ({
  asked,
  measured: gigaFlops === null ? null : { blas: `for ${asked}`, gigaFlops, error },
  failure: gigaFlops === null ? "not of this processor" : null,
});

test("the fastest kernels that compute the right thing are taken", () => {
  const [own, fast] = [trial(null, 25), trial("Haswell", 70)];
  const trials = [own, trial("Zen", 68), fast, trial("Cooperlake", 140, 0.3), trial("SkylakeX", null)];
  assert.equal(bestOf(trials), fast);
  assert.equal(bestOf([trial("SkylakeX", null), trial("Zen", 90, 1)]), null);
  const words = trialsInWords(trials, fast);
  assert.match(words, /OpenBLAS's own choice: 25 GFLOP\/s;/);
  assert.match(words, /Haswell: 70 GFLOP\/s, taken;/);
  assert.match(words, /Cooperlake: 140 GFLOP\/s, wrong by 3\.0e-1;/);
  assert.match(words, /SkylakeX: not of this processor/);
});

test("a peer at less than half of the rate of our products is no peer", () => {
  assert.equal(isCrippled(trial("Prescott", 25), 70), true);
  assert.equal(isCrippled(trial("Haswell", 60), 70), false);
  assert.equal(isCrippled(null, 70), true);
});
