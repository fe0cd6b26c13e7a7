/** All rows of folds measured together, for every task, by models that have learned nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, lines, workplace } from "../../../test/fixtures/table-fixture.js";
import { initWeights } from "../../nn/model.js";
import { resolveConfig } from "../../run/config.js";
import type { TableRunInput } from "../../run/input/run.js";
import type { TableRunConfig } from "../../run/kinds/table.js";
import { tableLearner } from "../../run/learner.js";
import { paramsPredictor } from "../../run/score-table.js";
import { rootKey } from "../../runtime/random.js";
import { totalOf } from "../../train/metrics.js";
import { onnxRuntimeEngine } from "../ort/onnxruntime.js";
import { prepareTable } from "./ingest.js";
import { outOfFold } from "./out-of-fold.js";
import { tableSpecOf } from "./table-reader.js";

const { path, write } = workplace();

const tasks: Readonly<Record<string, Pick<TableRunInput, "task"> & { readonly label: string }>> = {
  binary: { label: "late" },
  multiclass: { task: "multiclass", label: "coalesce(city, 'none')" },
  // Far from 0, so that labels are kept less their median, another one in each fold.
  regression: { task: "regression", label: "1e7 + id" },
};

for (const [name, { task, label }] of Object.entries(tasks)) {
  test(`${name}: every row once, each by the model of its fold`, async () => {
    const source = await write("plain.csv", csv(lines));
    const options = { cacheFolder: path("cache"), signal: new AbortController().signal };
    const configOf = (number: number) =>
      resolveConfig({
        name: "folds",
        data: {
          source,
          label,
          weight: "1 + id % 3",
          numeric: { day: "day", size: "size" },
          split: { kind: "rows", where: "city is null or city <> 'O''Hare, IL'", fold: { number, of: 3 } },
        },
        ...(task && { task }),
        model: { kind: "mlp", hidden: [4] },
        optimizer: { kind: "adam", learningRate: 0.1 },
        numSteps: 1,
        globalBatchSize: 8,
      }) as TableRunConfig;
    let [total, loss, squares, hits] = [0, 0, 0, 0];
    const folds = [];
    for (const number of [1, 2, 3]) {
      const config = configOf(number);
      const { preprocessing, test: rows } = await prepareTable(tableSpecOf(config), options);
      const learner = tableLearner(config, preprocessing);
      const best = { step: 1, validationLoss: 1, params: initWeights(learner.model, rootKey(number)) };
      folds.push({ config, best });
      const engine = onnxRuntimeEngine({ threads: 1 });
      const predictions = await (await paramsPredictor(engine, learner))(best, rows);
      await engine.close();
      const measured = learner.task.measure(predictions);
      const weight = (preprocessing.meanWeight ?? 0) * totalOf(rows.numRows, predictions.weights);
      total += weight;
      loss += weight * measured.loss;
      squares += weight * (measured.rmse ?? 0) ** 2;
      hits += weight * (measured.accuracy ?? 0);
    }
    const all = (await outOfFold(folds, options)) ?? assert.fail("no figures");
    const numRows = lines.filter((line) => !line.includes("O'Hare")).length;
    assert.equal(all.rows, numRows);
    const close = (actual: number | undefined, expected: number, what: string) =>
      assert.ok(Math.abs((actual ?? Number.NaN) / expected - 1) < 1e-5, `${what}: ${actual}, ${expected}`);
    close(all.metrics.loss, loss / total, "loss");
    if (name === "regression") close(all.metrics.rmse, Math.sqrt(squares / total), "RMSE");
    else close(all.metrics.accuracy, hits / total, "accuracy");
  });
}
