import assert from "node:assert/strict";
import { test } from "node:test";
import { recordLayout, tableRows } from "../src/data/table.js";
import type { CachedTable } from "../src/node/table/ingest.js";
import { bytesOf } from "../src/runtime/array.js";
import { constantLoss } from "./constant-loss.js";

function tableOf(task: "binary" | "multiclass" | "regression", train: number[], testLabels: number[]): CachedTable {
  const layout = recordLayout({ categorical: {}, numeric: { x: "x" }, task });
  const rows = (labels: number[]) => {
    const values = labels.flatMap((label) => [0, label]);
    const floats = Float32Array.from(values);
    const isWhole = task === "multiclass";
    return tableRows(layout, isWhole ? Int32Array.from(values) : new Int32Array(bytesOf(floats).slice().buffer));
  };
  const numbers = { labels: { kind: "numbers", mean: 2, deviation: 0.5 } };
  const preprocessing = task === "regression" ? numbers : {};
  return { train: rows(train), test: rows(testLabels), preprocessing } as unknown as CachedTable;
}

test("the constant's loss is that of the training split's shares, or of its mean", () => {
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}`);
  near(constantLoss(tableOf("binary", [1, 0, 0, 0], [1, 0])), -(Math.log(0.25) + Math.log(0.75)) / 2);
  near(constantLoss(tableOf("multiclass", [0, 1, 2, 2], [2, 0])), -(Math.log(0.5) + Math.log(0.25)) / 2);
  near(constantLoss(tableOf("regression", [1, 3], [2, 5])), (0 + 36) / 2);
});
