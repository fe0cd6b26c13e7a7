import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunResult } from "../log/events.js";
import { multiclassTask } from "../train/task.js";
import { besideShares } from "./image-yardsticks.js";

const task = multiclassTask({ classes: ["a", "b", "c"] });
const labels = Int32Array.of(0, 0, 1, 2);
const resultOf = (testLoss: number) =>
  ({ shippedGroup: 0, lossName: "log loss", groups: [{ group: 0, testLoss }] }) as unknown as RunResult;

test("the answer has the shares of training, and a model that is no better is remarked on", () => {
  const counts = [5, 3, 2];
  const loss = -(2 * Math.log(0.5) + Math.log(0.3) + Math.log(0.2)) / 4;
  const { yardsticks = [], remarks } = besideShares(resultOf(1), task, { counts, labels });
  const [constant] = yardsticks;
  assert.equal(constant?.name, "shares of the classes");
  assert.ok(Math.abs((constant?.testLoss ?? 0) - loss) < 1e-6);
  assert.equal(constant?.testAccuracy, 0.5);
  assert.equal(remarks, undefined);
  const poor = besideShares(resultOf(1.3), task, { counts, labels });
  assert.match(
    poor.remarks?.[0] ?? "",
    /no better than one answer to all images: log loss 1\.3000, and 1\.0499 by the/,
  );
});

test("with class weights it is the best single answer of the weighted loss", () => {
  const classWeights = [1, 4, 2];
  const weighted = multiclassTask({ classes: ["a", "b", "c"], classWeights });
  const lossOf = (weights: readonly number[]) =>
    besideShares(resultOf(1), weighted, { counts: [2, 1, 1], classWeights: weights, labels }).yardsticks?.[0]
      ?.testLoss ?? 0;
  for (const others of [
    [1, 1, 1],
    [1, 5, 2],
    [1, 4, 1],
  ])
    assert.ok(lossOf(classWeights) < lossOf(others));
});
