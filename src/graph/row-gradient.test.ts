import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { assertClose } from "../../test/fixtures/close.js";
import { interpret } from "../../test/numerics/interpreter.js";
import { float32, int32 } from "../runtime/array.js";
import { gradients } from "./grad.js";
import { add, concat, constant, gather, input, matmul, mul, reduceSum, reshape, scatterAdd } from "./ops.js";
import { rowGradient } from "./row-gradient.js";
import type { Tensor } from "./tensor.js";

const NUM_ROWS = 6;
const table = input("table", [NUM_ROWS, 2]);
const ids = input("ids", ["batch"], "int32");
const pairs = input("pairs", ["batch", 2], "int32");
const fixed = constant(int32([0, 5, 0]));

/** A loss whose gradient is another one at each element that is read. */
const lossOf = (...read: Tensor[]): Tensor =>
  read.map((rows) => reduceSum(mul(rows, mul(rows, input("scale", [2]))))).reduce(add);
const gradientOf = (loss: Tensor): Tensor => gradients(loss, [table])[0] as Tensor;

const cases: Readonly<Record<string, Tensor>> = {
  "one gather": lossOf(gather(table, ids)),
  "one gather of rank 2": lossOf(gather(table, pairs)),
  "two gathers": lossOf(gather(table, ids), gather(table, pairs)),
  "one gather, used twice": lossOf(gather(table, ids), mul(gather(table, ids), 3)),
  "gathers that no batch has a part in": lossOf(gather(table, fixed), gather(table, constant(int32([1])))),
};

const anyTable = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 12, maxLength: 12 });
const anyId = fc.nat(NUM_ROWS - 1);
const anyBatch = fc.array(fc.tuple(anyId, anyId, anyId), { minLength: 1, maxLength: 8 });

describe("the rows of a gradient are all that is not 0 in it", () => {
  for (const [name, loss] of Object.entries(cases)) {
    test(name, () => {
      const whole = gradientOf(loss);
      const gradient = rowGradient(whole);
      assert.ok(gradient);
      const { indices, first, rows } = gradient;
      const spread = scatterAdd(indices, rows, NUM_ROWS);
      const squares = reduceSum(mul(rows, rows));
      const graph = { outputs: { whole, spread, squares, indices, first, rows }, updates: {} };
      fc.assert(
        fc.property(anyTable, anyBatch, (values, batch) => {
          const { outputs } = interpret(graph, {
            table: float32(values, [NUM_ROWS, 2]),
            scale: float32([1, -2]),
            ids: int32(batch.map(([id]) => id)),
            pairs: int32(
              batch.flatMap(([, a, b]) => [a, b]),
              [batch.length, 2],
            ),
          });
          const { whole, spread, squares, indices, first, rows } = outputs as Required<typeof outputs>;
          assert.ok(whole && spread && squares && indices && first && rows);
          assertClose(spread, whole, 1e-12, "the sum of the rows", 1);
          const norm = whole.data.reduce((sum, value) => sum + value ** 2, 0);
          assert.ok(Math.abs((squares.data[0] ?? Number.NaN) - norm) <= 1e-12 * Math.max(1, norm));
          indices.data.forEach((row, i) => {
            assert.equal(first.data[i], indices.data.indexOf(row));
            if (first.data[i] !== i) assert.deepEqual([...rows.data.subarray(2 * i, 2 * i + 2)], [0, 0]);
          });
        }),
        { numRuns: 50 },
      );
    });
  }
});

describe("there are none", () => {
  const wide = gather(concat([table, table], 1), ids);
  const others: Readonly<Record<string, Tensor>> = {
    "of a table that is read as a whole": table,
    "of a table that is read as a whole too": add(reduceSum(gather(table, ids)), reduceSum(mul(table, table))),
    "of a table that is a factor": matmul(gather(table, ids), table, { transposeB: true }),
    "of a table that is read in another form": gather(reshape(table, [12]), pairs),
    "of a table that is part of another": wide,
    "of rows with and without the batch": add(reduceSum(gather(table, ids)), reduceSum(gather(table, fixed))),
  };
  for (const [name, read] of Object.entries(others)) {
    test(name, () => assert.equal(rowGradient(gradientOf(reduceSum(mul(read, read)))), undefined));
  }
});
