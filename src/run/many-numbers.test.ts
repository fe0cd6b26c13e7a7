import assert from "node:assert/strict";
import { test } from "node:test";
import { tinyConfig } from "../../test/fixtures/tiny-run.js";
import { numbersName } from "../data/batch.js";
import { gatherBatch, recordLayout, tableRows } from "../data/records.js";
import type { Preprocessing } from "../data/table.js";
import { mlp } from "../nn/mlp.js";
import { initWeights } from "../nn/model.js";
import * as ort from "../node/ort/library.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { mapValues, withPrefix } from "../runtime/named.js";
import { rootKey, uniform } from "../runtime/random.js";
import type { Expression, Serving } from "../serving/expression.js";
import { predictGraph, stateNames } from "../train/graphs.js";
import { exportModel } from "./export.js";
import { tableLearner } from "./learner.js";

const NUM_FEATURES = 70;
const NUM_ROWS = 5;
const names = Array.from({ length: NUM_FEATURES }, (_, i) => `g${i}`);
const layout = recordLayout({ categorical: {}, numeric: Object.fromEntries(names.map((name) => [name, name])) });
const preprocessing: Preprocessing = {
  vocabularies: {},
  numeric: Object.fromEntries(names.map((name, i) => [name, { mean: i / 10, std: 1 + i }])),
};
const values = Float32Array.from(uniform(rootKey(3), NUM_ROWS * (NUM_FEATURES + 1)), (x) => 10 * x);
values[3] = Number.NaN;
const rows = tableRows(layout, new Int32Array(values.buffer));
const numberAt = (row: number, feature: number) => values[row * (NUM_FEATURES + 1) + feature] as number;

async function predicted(learner: Parameters<typeof predictGraph>[0], batch: Parameters<typeof gatherBatch>[0] | null) {
  const engine = onnxRuntimeEngine({ threads: 1 });
  try {
    const params = initWeights(learner.model, rootKey(5));
    await engine.write(withPrefix(stateNames.params, params));
    const program = await engine.compile(predictGraph(learner, stateNames.params));
    const single = Object.fromEntries(
      names.map((name, i) => [
        `features.${name}`,
        {
          dtype: "float32" as const,
          shape: [NUM_ROWS],
          data: Float32Array.from({ length: NUM_ROWS }, (_, row) => numberAt(row, i)),
        },
      ]),
    );
    const { probs } = await program.run(batch ? gatherBatch(batch, { start: 0, end: NUM_ROWS }) : single);
    return Array.from(probs?.data as Float32Array);
  } finally {
    await engine.close();
  }
}

const config = tinyConfig({
  data: {
    source: "x.csv",
    label: "y",
    categorical: {},
    numeric: Object.fromEntries(names.map((name) => [name, name])),
    split: { train: "a", validation: "b", test: "c" },
  },
  model: { kind: "mlp", hidden: [8] },
});

test("many numeric features are one array of a batch", () => {
  const batch = gatherBatch(rows, [4, 0]);
  assert.deepEqual(Object.keys(batch).sort(), ["labels", numbersName]);
  assert.deepEqual(batch[numbersName]?.shape, [2, NUM_FEATURES]);
  const numbers = batch[numbersName]?.data;
  assert.equal(numbers[7], numberAt(4, 7));
  assert.ok(Number.isNaN(numbers[NUM_FEATURES + 3]));
});

test("the network gives the same bits whether numbers are one array or one each", async () => {
  const learner = tableLearner(config, preprocessing);
  const { numeric } = preprocessing;
  const single = { ...learner, model: mlp({ categorical: {}, numeric, hidden: [8], numOutputs: 1 }) };
  assert.deepEqual(Object.keys(learner.model.inputs), [numbersName]);
  assert.deepEqual(await predicted(learner, rows), await predicted(single, null));
});

test("an exported model computes equal expressions of many columns at once, and has an input for each column", async () => {
  const column = (name: string): Expression => ({ input: name });
  // What all have, what every third has, and one that reads two columns.
  const expressionOf = (name: string, i: number): Expression => {
    if (i === 10) return { call: "add", args: [column(name), column("g11")] };
    return i % 3 === 0 ? { call: "abs", args: [column(name)] } : column(name);
  };
  const serving: Serving = {
    inputs: names.map((name) => ({ name, type: "number", sql: name, column: name })),
    features: Object.fromEntries(names.map((name, i) => [name, { type: "number", expression: expressionOf(name, i) }])),
  };
  const learner = tableLearner(config, preprocessing);
  const params = initWeights(learner.model, rootKey(5));
  const bytes = exportModel(
    learner,
    preprocessing,
    serving,
    mapValues(params, (array) => array),
    {},
  );
  const session = await ort.InferenceSession.create(bytes);
  const feeds = Object.fromEntries(
    names.map((name, i) => {
      const given = (row: number) => (i % 3 === 0 ? -1 : 1) * numberAt(row, i);
      const data = Float64Array.from({ length: NUM_ROWS }, (_, row) => given(row) - (i === 10 ? numberAt(row, 11) : 0));
      return [name, new ort.Tensor("float64", data, [NUM_ROWS])];
    }),
  );
  const { probability } = await session.run(feeds);
  const served = Array.from(probability?.data as Float32Array);
  const trained = await predicted(learner, rows);
  for (const [row, p] of served.entries()) {
    assert.ok(Math.abs(p - (trained[row] as number)) < 1e-6, `${p} and ${trained[row]}`);
  }
  await session.release();
});
