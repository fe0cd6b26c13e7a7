import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError } from "../errors.js";
import { fold, rootKey } from "../runtime/random.js";
import {
  constantInit,
  fansOf,
  glorotNormal,
  glorotUniform,
  heNormal,
  heNormalBackward,
  heUniform,
  type Init,
  lecunNormal,
  normalInit,
  onesInit,
  orthogonal,
  sideBySide,
  truncatedNormal,
  uniformInit,
  zerosInit,
} from "./initialisers.js";

const LINEAR = [400, 300];
const CONVOLUTION = [64, 48, 3, 3];

const draw = (init: Init, shape: readonly number[]) => init(rootKey(5), shape).data as Float32Array;
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;
const moment = (values: ArrayLike<number>, power: number) => mean(Array.from(values, (v) => v ** power));

test("fans are those of linear layers and of convolutions", () => {
  assert.deepEqual(fansOf([7, 5]), { inputs: 7, outputs: 5 });
  assert.deepEqual(fansOf([8, 3, 5]), { inputs: 15, outputs: 40 });
  assert.deepEqual(fansOf([8, 3, 2, 5]), { inputs: 30, outputs: 80 });
  assert.deepEqual(fansOf([6, 1, 3, 3]), { inputs: 9, outputs: 54 });
  assert.deepEqual(fansOf([4]), { inputs: 4, outputs: 4 });
});

/** The variance of each, and whether it is uniform, by the fans of a weight. */
const scaled: readonly (readonly [
  name: string,
  init: Init,
  variance: (inputs: number, outputs: number) => number,
  isUniform: boolean,
])[] = [
  ["He normal", heNormal, (inputs) => 2 / inputs, false],
  ["He uniform", heUniform, (inputs) => 2 / inputs, true],
  ["He normal for the way back", heNormalBackward, (_, outputs) => 2 / outputs, false],
  ["Glorot normal", glorotNormal, (inputs, outputs) => 2 / (inputs + outputs), false],
  ["Glorot uniform", glorotUniform, (inputs, outputs) => 2 / (inputs + outputs), true],
  ["LeCun normal", lecunNormal, (inputs) => 1 / inputs, false],
];

describe("mean 0, the variance of the paper, and the shape of the distribution", () => {
  for (const [name, init, variance, isUniform] of scaled) {
    for (const shape of [LINEAR, CONVOLUTION]) {
      test(`${name} [${shape.join(", ")}]`, () => {
        const values = draw(init, shape);
        const { inputs, outputs } = fansOf(shape);
        const expected = variance(inputs, outputs);
        // Some 5 standard errors of 27,648 draws and more.
        assert.ok(Math.abs(mean(values)) < 0.03 * Math.sqrt(expected), `mean ${mean(values)}`);
        const ratio = moment(values, 2) / expected;
        assert.ok(Math.abs(ratio - 1) < 0.045, `variance ${ratio} times the expected`);
        const kurtosis = moment(values, 4) / moment(values, 2) ** 2;
        assert.ok(Math.abs(kurtosis - (isUniform ? 1.8 : 3)) < 0.15, `kurtosis ${kurtosis}`);
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const limit = Math.sqrt(3 * expected);
        assert.ok(isUniform ? largest <= limit * 1.000001 && largest > 0.99 * limit : largest > 1.5 * limit);
      });
    }
  }
});

test("a truncated normal stays within two standard deviations and is normal there", () => {
  const values = draw(truncatedNormal(0.5), LINEAR);
  assert.ok(values.every((value) => Math.abs(value) <= 1));
  assert.ok(values.some((value) => Math.abs(value) > 0.99));
  // Variance of a normal within (-2, 2): 1 - 4 phi(2) / (2 Phi(2) - 1).
  const variance = 1 - (4 * Math.exp(-2)) / Math.sqrt(2 * Math.PI) / 0.9544997;
  assert.ok(Math.abs(moment(values, 2) / (0.25 * variance) - 1) < 0.02);
  assert.ok(Math.abs(Math.sqrt(variance) - 0.8796) < 1e-4);
  assert.ok(Math.abs(mean(values)) < 0.01);
  // What was within from the first stays as it was drawn.
  const plain = draw(normalInit(0.5), LINEAR);
  assert.ok(plain.every((value, i) => Math.abs(value) > 1 || value === values[i]));
});

describe("orthogonal weights", () => {
  for (const shape of [
    [20, 20],
    [30, 12],
    [12, 30],
    [8, 3, 2, 2],
    [1, 5],
  ]) {
    test(`[${shape.join(", ")}]`, () => {
      const [rows = 1] = shape;
      const values = draw(orthogonal(2), shape);
      const columns = values.length / rows;
      const row = (i: number) => Array.from({ length: columns }, (_, j) => values[i * columns + j] ?? 0);
      const column = (j: number) => Array.from({ length: rows }, (_, i) => values[i * columns + j] ?? 0);
      const vectors = rows <= columns ? [...Array(rows).keys()].map(row) : [...Array(columns).keys()].map(column);
      for (const [i, a] of vectors.entries()) {
        for (const [j, b] of vectors.entries()) {
          const product = a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0);
          assert.ok(Math.abs(product - (i === j ? 4 : 0)) < 1e-5, `${i}, ${j}: ${product}`);
        }
      }
    });
  }

  test("are uniform among all: every element has mean 0 and variance 1 / n, the first ones too", () => {
    const n = 8;
    const draws = Array.from({ length: 4000 }, (_, seed) => orthogonal()(rootKey(seed), [n, n]).data as Float32Array);
    for (const at of [0, n + 1, n * n - 1]) {
      const elements = draws.map((values) => values[at] ?? Number.NaN);
      assert.ok(Math.abs(mean(elements)) < 5 / Math.sqrt(n * 4000), `mean of element ${at}: ${mean(elements)}`);
      assert.ok(Math.abs(moment(elements, 2) * n - 1) < 0.12, `variance of element ${at}`);
    }
  });
});

test("blocks side by side are each what it would be alone", () => {
  const { data, shape } = sideBySide(3, (block) => (block === 1 ? constantInit(7) : normalInit(1)))(rootKey(5), [2, 6]);
  assert.deepEqual(shape, [2, 6]);
  const [first, last] = [0, 2].map((block) => normalInit(1)(fold(rootKey(5), block), [2, 2]).data as Float32Array);
  const rows = [0, 2].flatMap((at) => [first?.[at], first?.[at + 1], 7, 7, last?.[at], last?.[at + 1]]);
  assert.deepEqual([...data], rows);
  assert.notDeepEqual(first, last);
  assert.throws(
    () => sideBySide(3, () => zerosInit)(rootKey(5), [2, 7]),
    (error) =>
      error instanceof ShapeError && /last axis must divide into the blocks, got 7 and 3 blocks/.test(error.message),
  );
});

test("each is a function of the key and the shape", () => {
  const all = [...scaled.map(([, init]) => init), truncatedNormal(1), orthogonal(), uniformInit(2), normalInit(3)];
  for (const init of all) {
    assert.deepEqual(init(rootKey(1), [4, 5]), init(rootKey(1), [4, 5]));
    assert.notDeepEqual(init(rootKey(1), [4, 5]), init(rootKey(2), [4, 5]));
    assert.deepEqual(init(rootKey(1), [4, 5]).shape, [4, 5]);
  }
  assert.deepEqual([...draw(zerosInit, [3])], [0, 0, 0]);
  assert.deepEqual([...draw(onesInit, [3])], [1, 1, 1]);
});
