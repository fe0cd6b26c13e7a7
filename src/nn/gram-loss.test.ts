import assert from "node:assert/strict";
import { test } from "node:test";
import { checkGradients } from "../../test/numerics/gradcheck.js";
import { interpret } from "../../test/numerics/interpreter.js";
import { gradients } from "../graph/grad.js";
import { input } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { float32, type NamedArrays, type NdArray } from "../runtime/array.js";
import { fold, normal, rootKey } from "../runtime/random.js";
import { gramLoss } from "./gram-loss.js";

const NUM_ROWS = 7;
const drawn = (name: string, width: number) =>
  float32(normal(fold(rootKey(1), name), NUM_ROWS * width), [NUM_ROWS, width]);
const [student, teacher] = [drawn("student", 3), drawn("teacher", 5)];

function lossOf(own: NdArray, other: NdArray, weights?: readonly number[]): number {
  const [a, b] = [input("student", own.shape), input("teacher", other.shape)];
  const each = weights && input("weights", [weights.length]);
  const feeds = { student: own, teacher: other, ...(weights && { weights: float32([...weights]) }) };
  return Number(interpret({ outputs: { loss: gramLoss(a, b, each) }, updates: {} }, feeds).outputs.loss?.data[0]);
}

/** Half the squared distance of the two matrices of rows by rows themselves. */
function byMatrices(own: NdArray, other: NdArray): number {
  const [a, b] = [normalisedGram(own), normalisedGram(other)];
  return a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0) / 2;
}

function normalisedGram({ shape, data }: NdArray): number[] {
  const [rows = 0, width = 0] = shape;
  const at = (row: number, column: number) => Number(data[row * width + column]);
  const means = Array.from({ length: width }, (_, column) => {
    return Array.from({ length: rows }, (_, row) => at(row, column)).reduce((sum, value) => sum + value, 0) / rows;
  });
  const gram = Array.from({ length: rows * rows }, (_, pair) => {
    const [i, j] = [Math.floor(pair / rows), pair % rows];
    return means.reduce((sum, mean, column) => sum + (at(i, column) - mean) * (at(j, column) - mean), 0);
  });
  const norm = Math.hypot(...gram);
  return gram.map((value) => value / norm);
}

const close = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);

test("it is half the squared distance of the normalised Gram matrices of centred rows, of any two widths", () => {
  const expected = byMatrices(student, teacher);
  assert.ok(expected > 0.2 && expected < 1);
  close(lossOf(student, teacher), expected);
});

test("it is 0 of rows that are turned, scaled and moved, and sees no other widths", () => {
  const turned = float32(
    Array.from({ length: NUM_ROWS }, (_, row) => {
      const [x = 0, y = 0, z = 0] = Array.from(student.data.slice(3 * row, 3 * row + 3), Number);
      return [3 * (0.6 * x - 0.8 * y) + 4, 3 * (0.8 * x + 0.6 * y) - 1, 3 * z, 7];
    }).flat(),
    [NUM_ROWS, 4],
  );
  close(lossOf(student, turned), 0, 1e-6);
});

test("a row of weight 2 counts as two rows, one of weight 0 not at all", () => {
  const pick = ({ shape, data }: NdArray, rows: readonly number[]) =>
    float32(
      rows.flatMap((row) => Array.from(data.slice(row * (shape[1] ?? 0), (row + 1) * (shape[1] ?? 0)), Number)),
      [rows.length, shape[1] ?? 0],
    );
  const repeated = [0, 1, 1, 2, 4, 5, 6];
  close(
    lossOf(student, teacher, [1, 2, 1, 0, 1, 1, 1]),
    lossOf(pick(student, repeated), pick(teacher, repeated)),
    1e-6,
  );
});

test("gradients by both layers, with and without weights, are those of central differences", () => {
  const weights = float32([1, 2, 0.5, 0, 1, 3, 1]);
  for (const weighted of [false, true]) {
    const [own, other] = [input("student", student.shape), input("teacher", teacher.shape)];
    const each = weighted ? input("weights", [NUM_ROWS]) : undefined;
    checkGradients(gramLoss(own, other, each), [own, other], { student, teacher, ...(weighted && { weights }) });
  }
});

test("of layers that say the same of all rows, and of rows without weight, it is 1 and moves nothing", () => {
  const flat = float32(new Float32Array(NUM_ROWS * 3).fill(2), [NUM_ROWS, 3]);
  const cases: readonly NamedArrays[] = [
    { student: flat, teacher, weights: float32(new Float32Array(NUM_ROWS).fill(1)) },
    { student, teacher, weights: float32(new Float32Array(NUM_ROWS)) },
  ];
  for (const feeds of cases) {
    const own = input("student", [NUM_ROWS, 3]);
    const loss = gramLoss(own, input("teacher", teacher.shape), input("weights", [NUM_ROWS]));
    const [grad] = gradients(loss, [own]);
    const { outputs } = interpret({ outputs: { loss, grad: grad as Tensor }, updates: {} }, feeds);
    close(Number(outputs.loss?.data[0]), 1);
    assert.ok(Array.from(outputs.grad?.data ?? [Number.NaN], Number).every((value) => value === 0));
  }
});
