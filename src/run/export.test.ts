import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { tinyConfig, tinyPreprocessing, tinyServing } from "../../test/fixtures/tiny-run.js";
import type { Preprocessing } from "../data/table.js";
import { decodeModel } from "../graph/onnx-proto.js";
import { initWeights } from "../nn/model.js";
import { NUM_QUANTILES } from "../nn/numeric-embedding.js";
import * as ort from "../node/ort/library.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32, int32, type NamedArrays } from "../runtime/array.js";
import { mapValues, withPrefix } from "../runtime/named.js";
import { rootKey } from "../runtime/random.js";
import { predictGraph, stateNames } from "../train/graphs.js";
import { exportModel } from "./export.js";
import { type RunLearner, tableLearner } from "./learner.js";

const preprocessing: Preprocessing = {
  vocabularies: { colour: ["red", "green", "blue", "O'Hare, IL", "Zürich 東京"], weekday: ["1", "0"] },
  numeric: {
    size: { mean: 0.5, std: 2, quantiles: Array.from({ length: NUM_QUANTILES }, (_, i) => (i - 14) / 4) },
    logDistance: { mean: 6, std: 0.25, quantiles: Array.from({ length: NUM_QUANTILES }, (_, i) => 5 + (i >> 2) / 4) },
  },
};
const config = tinyConfig({
  data: {
    source: "x.csv",
    label: "late",
    categorical: { colour: "colour", weekday: "weekday" },
    numeric: { size: "size", logDistance: "ln(distance)" },
    split: { train: "a", validation: "b", test: "c" },
  },
  model: { kind: "mlp", embeddings: { colour: 3 }, embeddingWidth: 2, hidden: [8, 4] },
});

/** A learner and params whose biases are not zero, so that they count. */
function trained(given = config, fitted = preprocessing): { learner: RunLearner; params: NamedArrays } {
  const learner = tableLearner(given, fitted);
  const params = mapValues(initWeights(learner.model, rootKey(5)), ({ data, shape }) =>
    float32(
      Float32Array.from(data, (value) => value + 0.05),
      shape,
    ),
  );
  return { learner, params };
}

interface Example {
  readonly colour: string;
  readonly weekday: string;
  readonly size: number;
  readonly logDistance: number;
}

/** What the exported file says of raw values. */
async function servedProbs(session: ort.InferenceSession, examples: readonly Example[]): Promise<Float32Array> {
  const { probability } = await session.run(rawFeeds(examples));
  assert.deepEqual(probability?.dims, [examples.length]);
  return probability?.data as Float32Array;
}

/** Raw values as the inputs of an exported file. */
function rawFeeds(examples: readonly Example[]) {
  const n = [examples.length];
  return {
    colour: new ort.Tensor(
      "string",
      examples.map(({ colour }) => colour),
      n,
    ),
    weekday: new ort.Tensor(
      "string",
      examples.map(({ weekday }) => weekday),
      n,
    ),
    size: new ort.Tensor(
      "float64",
      Float64Array.from(examples, ({ size }) => size),
      n,
    ),
    logDistance: new ort.Tensor(
      "float64",
      Float64Array.from(examples, ({ logDistance }) => logDistance),
      n,
    ),
  };
}

/** The inputs of the predict graph for the same values. */
function encoded(examples: readonly Example[]): NamedArrays {
  const ids = (feature: "colour" | "weekday") =>
    int32(examples.map((example) => (preprocessing.vocabularies[feature] ?? []).indexOf(example[feature]) + 1));
  return {
    "features.colour": ids("colour"),
    "features.weekday": ids("weekday"),
    "features.size": float32(examples.map(({ size }) => size)),
    "features.logDistance": float32(examples.map(({ logDistance }) => logDistance)),
  };
}

const numbers = fc.oneof(
  fc.float({ noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1e30),
);
const example: fc.Arbitrary<Example> = fc.record({
  colour: fc.oneof(fc.constantFrom(...(preprocessing.vocabularies.colour ?? [])), fc.string(), fc.constant("Red")),
  weekday: fc.constantFrom("0", "1", "2", "", " 1"),
  size: numbers,
  logDistance: numbers,
});

describe("an exported model", () => {
  for (const [name, own] of [
    ["gives", config],
    [
      "with a hashed feature gives",
      tinyConfig({ data: config.data, model: { ...config.model, hashed: { colour: 4 } } }),
    ],
    [
      "of members on piecewise numbers gives",
      tinyConfig({
        data: config.data,
        model: { ...config.model, kind: "tabm", members: 3, numericEmbedding: { kind: "piecewise", bins: 8 } },
      }),
    ],
    [
      "on periodic numbers gives",
      tinyConfig({
        data: config.data,
        model: { ...config.model, numericEmbedding: { kind: "periodic", frequencies: 4, sigma: 0.5, width: 3 } },
      }),
    ],
  ] as const)
    test(`${name} for raw values what the predict graph gives for encoded ones, to 1e-6`, async () => {
      const { learner, params } = trained(own);
      const session = await ort.InferenceSession.create(
        exportModel(learner, preprocessing, tinyServing(preprocessing), params, {}),
      );
      const engine = onnxRuntimeEngine({ threads: 1 });
      await engine.write(withPrefix(stateNames.params, params));
      const program = await engine.compile(predictGraph(learner, stateNames.params));
      const seen = new Set<string>();
      await fc.assert(
        fc.asyncProperty(fc.array(example, { minLength: 1, maxLength: 30 }), async (examples) => {
          const served = await servedProbs(session, examples);
          const { probs } = await program.run(encoded(examples));
          assert.equal(served.length, examples.length);
          served.forEach((p, i) => {
            const expected = Number(probs?.data[i]);
            assert.ok(p >= 0 && p <= 1 && Math.abs(p - expected) <= 1e-6, `${p}, expected ${expected}`);
            seen.add(p.toFixed(2));
          });
        }),
        { numRuns: 40 },
      );
      assert.ok(seen.size > 5, `the predictions differ: ${[...seen].join(", ")}`);
      await engine.close();
      await session.release();
    });

  test("has the temperature of its probabilities, to 1e-6 of what scoring makes of them", async () => {
    const { learner, params } = trained({ ...config, task: { kind: "binary", temperature: true } });
    const serving = tinyServing(preprocessing);
    const sessionOf = (temperature?: number) =>
      ort.InferenceSession.create(exportModel(learner, preprocessing, serving, params, {}, temperature));
    const [plain, scaled] = await Promise.all([sessionOf(), sessionOf(1.7)]);
    const examples = fc.sample(example, { numRuns: 50, seed: 6 });
    const probs = await servedProbs(plain, examples);
    const expected = learner.task.calibration?.apply(probs, 1.7) ?? [];
    const served = await servedProbs(scaled, examples);
    assert.equal(served.length, expected.length);
    served.forEach((p, i) => {
      assert.ok(Math.abs(p - (expected[i] as number)) <= 1e-6, `${p}, expected ${expected[i]}`);
    });
    assert.notDeepEqual([...served], [...probs]);
    await Promise.all([plain.release(), scaled.release()]);
  });

  test("cannot have a hashed feature of fewer names than rows", () => {
    const model = { ...config.model, hashed: { colour: 6 } };
    assert.throws(
      () => trained(tinyConfig({ data: config.data, model })),
      /model\.hashed\.colour: must be fewer rows than .*names \(5\), got 6/,
    );
  });

  const ofClasses = { kind: "classes", classes: ["eel", "Zürich 東京", "3"], counts: [5, 3, 2] } as const;
  const ofNumbers = { kind: "numbers", mean: 250, std: 40 } as const;
  for (const [task, labels, output, width] of [
    ["multiclass", ofClasses, "probabilities", 3],
    ["regression", ofNumbers, "prediction", 1],
  ] as const) {
    test(`of task ${task} gives what evaluation gives, to 1e-6, and says what it is`, async () => {
      const fitted = { ...preprocessing, labels };
      const { learner, params } = trained({ ...config, task: { kind: task } }, fitted);
      const bytes = exportModel(learner, fitted, tinyServing(fitted), params, { name: "x" });
      const session = await ort.InferenceSession.create(bytes);
      assert.deepEqual([...session.outputNames], [output]);
      const engine = onnxRuntimeEngine({ threads: 1 });
      await engine.write(withPrefix(stateNames.params, params));
      const program = await engine.compile(predictGraph(learner, stateNames.params));
      const examples = fc.sample(example, { numRuns: 50, seed: 5 });
      const { probs } = await program.run(encoded(examples));
      const { [output]: served } = await session.run(rawFeeds(examples));
      assert.deepEqual(served?.dims, width === 1 ? [50] : [50, width]);
      const scale = task === "regression" ? 250 : 1;
      const values = Array.from(served?.data as Float32Array);
      for (const [i, value] of values.entries()) {
        assert.ok(
          Math.abs(value - Number(probs?.data[i])) <= 1e-6 * Math.max(scale, Math.abs(value)),
          `${value}, expected ${probs?.data[i]}`,
        );
      }
      assert.ok(new Set(values.map((value) => value.toFixed(2))).size > 5, "the predictions differ");
      if (task === "multiclass") {
        for (let i = 0; i < 50; i++) {
          const sum = values.slice(3 * i, 3 * i + 3).reduce((total, p) => total + p, 0);
          assert.ok(Math.abs(sum - 1) < 1e-5);
        }
      }
      const metadata = Object.fromEntries(decodeModel(bytes).metadataProps.map(({ key, value }) => [key, value]));
      const expected =
        task === "multiclass"
          ? { classes: JSON.stringify(labels.kind === "classes" && labels.classes) }
          : { labelMean: "250", labelStd: "40" };
      const { inputs, ...others } = metadata;
      assert.deepEqual(JSON.parse(inputs ?? ""), tinyServing(fitted).inputs);
      assert.deepEqual(others, { name: "x", task, ...expected });
      await engine.close();
      await session.release();
    });
  }

  test("treats what it does not know as one, and what is missing as the mean", async () => {
    const { learner, params } = trained();
    const session = await ort.InferenceSession.create(
      exportModel(learner, preprocessing, tinyServing(preprocessing), params, {}),
    );
    const usual: Example = { colour: "red", weekday: "1", size: 3, logDistance: 6.1 };
    const mean = { size: 0.5, logDistance: 6 };
    const [known, unknown, other, empty, missing, average] = await servedProbs(session, [
      usual,
      { ...usual, colour: "mauve" },
      { ...usual, colour: "RED" },
      { ...usual, colour: "" },
      { ...usual, size: Number.NaN, logDistance: Number.POSITIVE_INFINITY },
      { ...usual, ...mean },
    ]);
    assert.notEqual(known, unknown);
    assert.deepEqual([other, empty], [unknown, unknown]);
    assert.equal(missing, average);
    assert.notEqual(missing, known);
    await session.release();
  });

  test("has one named input for each column, one output, and the metadata", async () => {
    const { learner, params } = trained();
    const metadata = { name: "flights", "feature.colour": "lower(colour)", empty: "", umlaut: "Zürich" };
    const bytes = exportModel(learner, preprocessing, tinyServing(preprocessing), params, metadata);
    const session = await ort.InferenceSession.create(bytes);
    assert.deepEqual([...session.inputNames], ["colour", "weekday", "size", "logDistance"]);
    assert.deepEqual([...session.outputNames], ["probability"]);
    await session.release();
    const { metadataProps } = decodeModel(bytes);
    const { inputs: _, ...others } = Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
    assert.deepEqual(others, metadata);
    assert.deepEqual(
      exportModel(learner, preprocessing, tinyServing(preprocessing), params, metadata),
      bytes,
      "equal input gives equal bytes",
    );
  });

  test("works with features of one kind only", async () => {
    const only = {
      categorical: { ...tinyPreprocessing, numeric: {} },
      numeric: { ...tinyPreprocessing, vocabularies: {} },
    };
    for (const fitted of Object.values(only)) {
      const { learner, params } = trained(tinyConfig(), fitted);
      const session = await ort.InferenceSession.create(exportModel(learner, fitted, tinyServing(fitted), params, {}));
      assert.equal(session.inputNames.length, 1);
      await session.release();
    }
  });

  test("works with a feature that has the name of an object's method", async () => {
    const fitted: Preprocessing = {
      vocabularies: { toString: ["a", "b"] },
      numeric: { constructor: { mean: 0, std: 1 } },
    };
    const { learner, params } = trained(tinyConfig(), fitted);
    const session = await ort.InferenceSession.create(exportModel(learner, fitted, tinyServing(fitted), params, {}));
    const { probability } = await session.run({
      toString: new ort.Tensor("string", ["a", "c"], [2]),
      constructor: new ort.Tensor("float64", Float64Array.of(1, Number.NaN), [2]),
    });
    assert.equal(probability?.data.length, 2);
    await session.release();
  });
});

test("what was shifted in training is shifted in float64 in the exported file, and labels come back in their own unit", async () => {
  const numeric = {
    size: { mean: 0.5, std: 2, shift: { center: 1e9, scale: 1 } },
    logDistance: { mean: 6, std: 0.25, shift: { center: 0, scale: 2 ** -150 } },
  };
  const labels = { kind: "numbers", mean: 3, std: 20, shift: { center: 1.7e12, scale: 1 } } as const;
  const shiftedConfig = tinyConfig({ data: config.data, model: config.model, task: "regression" });
  const { learner, params } = trained(shiftedConfig, { ...preprocessing, numeric, labels });
  const session = await ort.InferenceSession.create(
    exportModel(learner, { ...preprocessing, numeric, labels }, tinyServing(preprocessing), params, {}),
  );
  const examples = [0, 1, 2].map((i) => ({
    colour: "red",
    weekday: "1",
    size: 1e9 + i / 8,
    logDistance: (5 + i) * 2 ** -150,
  }));
  const { prediction } = await session.run(rawFeeds(examples));
  const engine = onnxRuntimeEngine({ threads: 1 });
  await engine.write(withPrefix(stateNames.params, params));
  const program = await engine.compile(predictGraph(learner, stateNames.params));
  const asKept = examples.map((example, i) => ({ ...example, size: i / 8, logDistance: 5 + i }));
  const { probs } = await program.run(encoded(asKept));
  assert.ok(prediction?.data instanceof Float64Array);
  assert.deepEqual(
    Array.from(prediction.data),
    Array.from(probs?.data as Float32Array, (p) => 1.7e12 + p),
  );
  assert.equal(new Set(prediction.data).size, 3);
  assert.equal(learner.task.metadata.labelMean, String(1.7e12 + 3));
  await session.release();
  await engine.close();
});
