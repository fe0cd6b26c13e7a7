import assert from "node:assert/strict";
import { test } from "node:test";
import { appendedColumns } from "./predicted-columns.js";

const names = (kind: "binary" | "multiclass" | "regression", classes: readonly string[] | null, taken: string[] = []) =>
  appendedColumns({ task: { kind }, classes, isDouble: false }, taken).map(({ name }) => name);

test("what is appended says what it is of, under names that are free whatever their case", () => {
  assert.deepEqual(names("binary", ["<=50K", ">50K"]), ["prediction", "probability_>50K"]);
  assert.deepEqual(names("regression", null), ["prediction"]);
  const classes = ["A", "a", "b"];
  assert.deepEqual(names("multiclass", classes), ["prediction", "probability_A", "probability_a_2", "probability_b"]);
  assert.deepEqual(names("multiclass", classes, ["Prediction", "probability_B"]), [
    "prediction_2",
    "probability_A",
    "probability_a_2",
    "probability_b_2",
  ]);
  assert.deepEqual(names("multiclass", ["a", "A", "a_2"]), [
    "prediction",
    "probability_a",
    "probability_A_3",
    "probability_a_2",
  ]);
  assert.deepEqual(
    names("multiclass", ["a", "a_2"], ["probability_a"]),
    ["prediction", "probability_a_3", "probability_a_2"],
    "no class gets the column that another one would be looked for in",
  );
  const renamed = appendedColumns({ task: { kind: "multiclass" }, classes, isDouble: false }, []).filter(
    ({ name, wanted }) => name !== wanted,
  );
  assert.deepEqual(
    renamed.map(({ wanted, name }) => [wanted, name]),
    [["probability_a", "probability_a_2"]],
  );
});
