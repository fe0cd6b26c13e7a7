/** Models as they are opened to be used: what they give beside their predictions. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tinyConfig, tinyPreprocessing, tinyServing } from "../../../test/fixtures/tiny-run.js";
import type { Preprocessing } from "../../data/table.js";
import { CheckpointError } from "../../errors.js";
import { initWeights } from "../../nn/model.js";
import { exportModel } from "../../run/export.js";
import { tableLearner } from "../../run/learner.js";
import { normal, rootKey } from "../../runtime/random.js";
import { seenFeatures } from "../../serving/seen.js";
import { InferenceSession, Tensor } from "../ort/library.js";
import { MODEL_FORMAT, MODEL_VERSION } from "../ort/model-file.js";
import { openModel } from "./served-model.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-served-model-"));
after(() => rmSync(folder, { recursive: true }));

/** The file of a model of features that are columns as they are. */
function written(preprocessing: Preprocessing, more: Readonly<Record<string, string>> = {}): string {
  const { vocabularies, numeric } = preprocessing;
  const columns = (of: object) => Object.fromEntries(Object.keys(of).map((name) => [name, name]));
  const config = tinyConfig({
    data: {
      source: "x.csv",
      label: "late",
      categorical: columns(vocabularies),
      numeric: columns(numeric),
      split: { train: "a", validation: "b", test: "c" },
    },
    model: { kind: "mlp", hidden: [8] },
  });
  const learner = tableLearner(config, preprocessing);
  const serving = tinyServing(preprocessing);
  const metadata = {
    format: MODEL_FORMAT,
    version: String(MODEL_VERSION),
    name: "tiny",
    label: "late",
    reading: JSON.stringify({ columns: [] }),
    seen: JSON.stringify(seenFeatures({}, serving, preprocessing)),
    ...more,
  };
  const path = join(folder, `${Object.keys(numeric).length}.onnx`);
  writeFileSync(path, exportModel(learner, preprocessing, serving, initWeights(learner.model, rootKey(3)), metadata));
  return path;
}

const many = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`n${i}`, { mean: i, std: 1 + i / 10 }]));

for (const [what, preprocessing] of [
  ["an array for each feature", tinyPreprocessing],
  ["one array of all numbers", { ...tinyPreprocessing, numeric: many }],
] as const) {
  test(`a model with ${what} gives its features, and the predictions that its file gives, to the bit`, async () => {
    const path = written(preprocessing);
    const colours = ["red", "blue", "mauve", ""];
    const numbers = Object.keys(preprocessing.numeric).map((_, i) =>
      Float64Array.from(normal(rootKey(i), 4), (x) => 9 * x),
    );
    (numbers[0] as Float64Array)[1] = Number.NaN;
    const plain = await InferenceSession.create(readFileSync(path));
    const feeds = Object.fromEntries(
      Object.keys(preprocessing.numeric).map((name, i) => [
        name,
        new Tensor("float64", numbers[i] as Float64Array, [4]),
      ]),
    );
    const { probability } = await plain.run({ ...feeds, colour: new Tensor("string", colours, [4]) });
    await plain.release();
    const model = await openModel(path, 1);
    try {
      const { predicted, valuesOf } = await model.predict([colours, ...numbers]);
      assert.deepEqual(predicted, probability?.data);
      const colour = valuesOf("colour");
      assert.deepEqual(
        colours.map((_, row) => colour?.at(row)),
        [1, 3, 0, 0],
      );
      for (const [i, name] of Object.keys(preprocessing.numeric).entries()) {
        const values = valuesOf(name);
        assert.equal(values?.isId, false);
        assert.deepEqual(
          Float32Array.from({ length: 4 }, (_, row) => values?.at(row) ?? 0),
          Float32Array.from(numbers[i] as Float64Array),
          name,
        );
      }
      assert.equal(valuesOf("other"), undefined);
    } finally {
      await model.close();
    }
  });
}

test("errors from which intervals are made are refused where they are no sorted ranks and values", async () => {
  const errors = { count: 3, ranks: [1, 3], values: [-1, 2] };
  const opened = await openModel(written(tinyPreprocessing, { validationErrors: JSON.stringify(errors) }), 1);
  assert.equal(opened.errors, null, "a model of classes has none");
  await opened.close();
  for (const wrong of [{ ranks: [1, 4] }, { ranks: [2, 1] }, { ranks: [0, 1] }, { values: [2, -1] }, { values: [1] }]) {
    const path = written(tinyPreprocessing, { validationErrors: JSON.stringify({ ...errors, ...wrong }) });
    await assert.rejects(openModel(path, 1), CheckpointError, JSON.stringify(wrong));
  }
});
