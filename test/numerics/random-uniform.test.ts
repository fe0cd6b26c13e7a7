/** The random numbers of a graph: the same integers everywhere, and nothing that statistics can see in them. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { gradients } from "../../src/graph/grad.js";
import * as ops from "../../src/graph/ops.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { float32, int32 } from "../../src/runtime/array.js";
import { interpret } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 2 });
after(() => engine.close());

const COUNT = 1 << 16;
const key = ops.input("key", [2], "int32");
const like = ops.input("like", ["batch"]);
const COLUMNS = 256;

type Stream = "first" | "other";
type Draw = (one: number, two: number, stream?: Stream, count?: number) => Promise<Float32Array>;

/** Draws of one axis, and of rows of `columns`, flattened. */
async function drawer(columns?: number): Promise<Draw> {
  const of = columns === undefined ? like : ops.input("like", ["batch", columns]);
  const program = await engine.compile({
    outputs: { first: ops.randomUniform(key, of), other: ops.randomUniform(key, of, 1) },
    updates: {},
  });
  return async (one, two, stream = "first", count = COUNT) => {
    const values = new Float32Array(count);
    const fed = columns === undefined ? float32(values) : float32(values, [count / columns, columns]);
    const outputs = await program.run({ key: int32([one, two]), like: fed });
    return outputs[stream]?.data as Float32Array;
  };
}

const draw = await drawer();
const drawMatrix = await drawer(COLUMNS);
const draws: readonly (readonly [string, Draw])[] = [
  ["of 65,536 numbers", draw],
  [`of 65,536 numbers in rows of ${COLUMNS}`, drawMatrix],
];

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The correlation of two samples, times sqrt(n): standard normal where they are independent. */
function correlation(a: Float32Array, b: Float32Array): number {
  const [ma, mb] = [mean(a), mean(b)];
  let [cross, ofA, ofB] = [0, 0, 0];
  a.forEach((value, i) => {
    const [x, y] = [value - ma, (b[i] ?? 0) - mb];
    cross += x * y;
    ofA += x * x;
    ofB += y * y;
  });
  return (cross / Math.sqrt(ofA * ofB)) * Math.sqrt(a.length);
}

/** Keys as they are used: small numbers one after the other, in either word, and extremes. */
const KEYS: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
  [7, 100],
  [7, 101],
  [-1, 2 ** 31 - 1],
  [-(2 ** 31), 5],
];
/** Standard deviations beyond which fewer than one in 10 million samples lie; these samples are always the same. */
const FAR = 5.5;

test("the engine and the interpreter give the same numbers to the bit, on whole multiples of 2^-24", async () => {
  for (const [one, two] of KEYS) {
    const feeds = { key: int32([one, two]), like: float32(new Float32Array(1000)) };
    for (const stream of [0, 1]) {
      const graph = { outputs: { y: ops.randomUniform(key, like, stream) }, updates: {} };
      const expected = interpret(graph, feeds).outputs.y?.data ?? [];
      const actual = await draw(one, two, stream === 0 ? "first" : "other", 1000);
      assert.deepEqual([...actual], [...expected]);
      assert.ok(actual.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24)));
    }
  }
});

test("the same key gives the same numbers, and a longer draw begins with a shorter one", async () => {
  assert.deepEqual(await draw(3, 4), await draw(3, 4));
  assert.deepEqual((await draw(3, 4)).slice(0, 100), await draw(3, 4, "first", 100));
});

for (const [what, draw] of draws)
  describe(what, () => {
    for (const [one, two] of KEYS) {
      test(`key ${one}, ${two}: mean, variance and neighbours are those of independent uniform numbers`, async () => {
        const values = await draw(one, two);
        const root = Math.sqrt(COUNT);
        assert.ok(Math.abs((mean(values) - 1 / 2) * root * Math.sqrt(12)) < FAR);
        const squares = values.map((value) => (value - 1 / 2) ** 2);
        assert.ok(Math.abs((mean(squares) - 1 / 12) * root * Math.sqrt(180)) < FAR);
        for (const lag of [1, 2, 3, 16, 256, 4096]) {
          assert.ok(Math.abs(correlation(values.slice(lag), values.slice(0, COUNT - lag))) < FAR, `lag ${lag}`);
        }
      });

      test(`key ${one}, ${two}: each of the 24 bits is set half of the time, and so is each pair of bits equal`, async () => {
        const words = Uint32Array.from(await draw(one, two), (value) => value * 2 ** 24);
        const excess = (f: (word: number) => number) => {
          const ones = words.reduce((sum, word) => sum + f(word), 0);
          return Math.abs(ones - COUNT / 2) / Math.sqrt(COUNT / 4);
        };
        for (let bit = 0; bit < 24; bit++) {
          assert.ok(excess((word) => (word >>> bit) & 1) < FAR, `bit ${bit}`);
          for (let other = 0; other < bit; other++) {
            assert.ok(excess((word) => ((word >>> bit) ^ (word >>> other)) & 1) < FAR, `bits ${bit} and ${other}`);
          }
        }
      });

      test(`key ${one}, ${two}: chi-square over 256 bins, of single numbers and of pairs`, async () => {
        const values = await draw(one, two);
        const single = new Float64Array(256);
        const pairs = new Float64Array(256);
        values.forEach((value, i) => {
          single[Math.floor(value * 256)]!++;
          if (i % 2 === 1) pairs[Math.floor((values[i - 1] ?? 0) * 16) * 16 + Math.floor(value * 16)]!++;
        });
        for (const bins of [single, pairs]) {
          const expected = bins.reduce((sum, count) => sum + count, 0) / 256;
          const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
          // 255 degrees of freedom: mean 255, variance 510. Too even would be as suspicious.
          assert.ok(Math.abs(chiSquare - 255) < FAR * Math.sqrt(510), `chi-square ${chiSquare}`);
        }
      });
    }

    test("different keys and streams are independent, element by element and shifted", async () => {
      const samples: Float32Array[] = [];
      for (const [one, two] of KEYS) samples.push(await draw(one, two), await draw(one, two, "other"));
      samples.forEach((a, i) => {
        for (const b of samples.slice(0, i)) {
          assert.ok(Math.abs(correlation(a, b)) < FAR);
          assert.ok(Math.abs(correlation(a.slice(1), b.slice(0, COUNT - 1))) < FAR);
          assert.ok(Math.abs(correlation(a.slice(0, COUNT - 1), b.slice(1))) < FAR);
        }
      });
    });

    test("different keys do not give the same numbers in another order", async () => {
      const [a, b] = [await draw(0, 1), new Set(await draw(0, 2))];
      const numShared = a.reduce((count, value) => count + Number(b.has(value)), 0);
      // By chance 65,536 of them meet 65,536 of 2^24 values: about 255 times.
      assert.ok(Math.abs(numShared - COUNT ** 2 / 2 ** 24) < FAR * Math.sqrt(COUNT ** 2 / 2 ** 24), `${numShared}`);
    });
  });

test("the four corners of a rectangle are independent, each bit of them", async () => {
  for (const [one, two] of KEYS) {
    const words = Uint32Array.from(await drawMatrix(one, two), (value) => value * 2 ** 24);
    for (const [down, right] of [
      [1, 1],
      [1, 128],
      [128, 1],
      [77, 100],
    ] as const) {
      const odd = new Float64Array(24);
      for (let row = 0; row + down < COUNT / COLUMNS; row++) {
        for (let column = 0; column + right < COLUMNS; column++) {
          const [at, below] = [row * COLUMNS + column, (row + down) * COLUMNS + column];
          const corners = [at, at + right, below, below + right].reduce((all, i) => all ^ (words[i] ?? 0), 0);
          for (let bit = 0; bit < 24; bit++) odd[bit]! += (corners >>> bit) & 1;
        }
      }
      const rectangles = (COUNT / COLUMNS - down) * (COLUMNS - right);
      odd.forEach((count, bit) => {
        assert.ok(
          Math.abs(count - rectangles / 2) < FAR * Math.sqrt(rectangles / 4),
          `bit ${bit}, ${down} by ${right}`,
        );
      });
    }
  }
});

test("dropout keeps a share of 1 - rate, the expectation, and the same elements for the same key", async () => {
  const x = ops.input("x", ["batch"]);
  const RATE = 0.3;
  const dropped = ops.dropout(x, RATE, key, 5);
  const [gradient] = gradients(ops.reduceSum(dropped), [x]);
  const program = await engine.compile({ outputs: { dropped, gradient: gradient as Tensor }, updates: {} });
  const run = async (two: number) =>
    (await program.run({ x: float32(new Float32Array(COUNT).fill(1)), key: int32([1, two]) })) as unknown as Record<
      "dropped" | "gradient",
      { data: Float32Array }
    >;
  const first = await run(1);
  assert.deepEqual(await run(1), first);
  assert.notDeepEqual((await run(2)).dropped.data, first.dropped.data);
  // Of ones: the gradient is what each of them was multiplied with.
  assert.deepEqual(first.gradient.data, first.dropped.data);
  const numKept = first.dropped.data.filter((value) => value !== 0).length;
  assert.ok(Math.abs(numKept - 0.7 * COUNT) < FAR * Math.sqrt(COUNT * 0.7 * 0.3));
  assert.ok(first.dropped.data.every((value) => value === 0 || Math.abs(value - 1 / 0.7) < 1e-6));
  assert.equal(ops.dropout(x, 0, key), x);
});
