import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClassCell, classPower, type NumberCell, numberPower } from "./power.js";

const cell = (value: string | null, half: 0 | 1, label: string, count: number): ClassCell => ({
  value,
  half,
  label,
  count,
});

test("a column that is the label has all the power, one that knows nothing none", () => {
  const told = ([0, 1] as const).flatMap((half) => [cell("x", half, "true", 30), cell(null, half, "false", 70)]);
  assert.equal(classPower(told, "true"), 1);
  assert.equal(classPower(told, null), 1);
  const nothing = ([0, 1] as const).flatMap((half) =>
    ["x", "y"].flatMap((value) => [cell(value, half, "true", 30), cell(value, half, "false", 70)]),
  );
  assert.equal(classPower(nothing, "true"), 0.5);
  assert.equal(classPower(nothing, null), 0);
});

test("power is the area under the curve, worked out by hand, ties by half", () => {
  // Scores 3/4 and 1/4. Of 4 x 4 pairs: 3 x 3 in order, 3 x 1 + 1 x 3 tied.
  const cells = ([0, 1] as const).flatMap((half) => [
    cell("a", half, "true", 3),
    cell("a", half, "false", 1),
    cell("b", half, "true", 1),
    cell("b", half, "false", 3),
  ]);
  assert.equal(classPower(cells, "true"), (9 + 6 / 2) / 16);
});

test("values of the second half alone are guessed as all are", () => {
  const cells = [cell("a", 0, "p", 6), cell("b", 0, "q", 4), cell("new", 1, "p", 6), cell("b", 1, "q", 4)];
  assert.equal(classPower(cells, null), 1);
  const identifiers = [0, 1, 2, 3].map((i) => cell(`row ${i}`, i < 2 ? 0 : 1, i % 2 === 0 ? "true" : "false", 1));
  assert.equal(classPower(identifiers, "true"), 0.5);
});

test("for numbers it is the variance that means by value explain", () => {
  const of = (value: string, half: 0 | 1, labels: readonly number[]): NumberCell => ({
    value,
    half,
    count: labels.length,
    sum: labels.reduce((sum, label) => sum + label, 0),
    squares: labels.reduce((sum, label) => sum + label * label, 0),
  });
  const told = ([0, 1] as const).flatMap((half) => [of("a", half, [1, 1]), of("b", half, [5, 5])]);
  assert.equal(numberPower(told), 1);
  // Around its mean 3 the second half has squares 4 + 0 + 0 + 4; around the means by value, 2 and 4, it has 1 + 1 + 1 + 1.
  const half = ([0, 1] as const).flatMap((which) => [of("a", which, [1, 3]), of("b", which, [3, 5])]);
  assert.equal(numberPower(half), 1 - 4 / 8);
  assert.equal(numberPower([of("a", 0, [1]), of("a", 1, [1])]), 0);
});
