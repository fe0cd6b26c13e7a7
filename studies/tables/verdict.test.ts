import assert from "node:assert/strict";
import test from "node:test";
import type { Scored } from "./peers.js";
import { type Compared, verdictOf } from "./verdict.js";

const scored = (testLoss: number, seconds = 10): Scored => ({ testLoss, seconds, peakBytes: 1 });

/** A trial by the losses of codistill and of the peers. */
function trial(own: number, xgboost: number, histogram: number, linear: number): Compared {
  return {
    own: scored(own, 5),
    peers: { XGBoost: scored(xgboost), HistGradientBoosting: scored(histogram), linear: scored(linear) },
  };
}

test("codistill is held against the booster of the lower mean loss, and not against the linear model", () => {
  const { rival, ratio, overLinear } = verdictOf([trial(0.3, 0.4, 0.1, 0.05), trial(0.3, 0.1, 0.3, 0.05)]);
  assert.equal(rival, "HistGradientBoosting");
  assert.ok(Math.abs(ratio - 1.5) < 1e-12);
  assert.ok(Math.abs(overLinear - 6) < 1e-12);
});

test("the verdict is by the ratio of losses, and a loss that is not finite is behind", () => {
  const of = (own: number) => verdictOf([trial(own, 0.5, 0.6, 0.7)]).verdict;
  assert.deepEqual([0.4, 0.5, 0.5001, 0.51, 0.5101, Number.NaN, Number.POSITIVE_INFINITY].map(of), [
    "no worse",
    "no worse",
    "within 2 %",
    "within 2 %",
    "behind",
    "behind",
    "behind",
  ]);
});

test("the time is compared with that of the same booster's grid", () => {
  const one = { ...trial(0.5, 0.5, 0.6, 0.7), own: scored(0.5, 25) };
  assert.equal(verdictOf([one]).timeRatio, 2.5);
});

test("times that were not measured do not count, those of a peer among them", () => {
  const one = { ...trial(0.5, 0.5, 0.6, 0.7), own: scored(0.5, 25) };
  const beside = { ...one, own: { ...scored(0.5, 1000), timed: false } };
  const peer = { ...one, peers: { ...one.peers, linear: { ...scored(0.7, 1000), timed: false } } };
  assert.equal(verdictOf([one, beside, peer]).timeRatio, 2.5);
  assert.equal(verdictOf([beside, peer]).timeRatio, null);
});
