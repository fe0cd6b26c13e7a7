import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertAllClose } from "../../test/fixtures/close.js";
import { readGolden, resultOf } from "../../test/golden/golden.js";
import {
  networkOfCase,
  type TableResult,
  tableCases,
  tableInputs,
  tableLabels,
  tableOptions,
  tableParams,
  tableTargets,
} from "../../test/golden/tables.js";
import { checkGradients } from "../../test/numerics/gradcheck.js";
import { interpret } from "../../test/numerics/interpreter.js";
import { ShapeError } from "../errors.js";
import { gradients } from "../graph/grad.js";
import { add, input, reduceSum } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32, int32, type NdArray } from "../runtime/array.js";
import { mapValues, withPrefix } from "../runtime/named.js";
import { rootKey } from "../runtime/random.js";
import { binary } from "./losses.js";
import { membersObjective } from "./members.js";
import { initWeights, inputTensors, type Model, paramTensors, train } from "./model.js";
import type { NumericEmbedding } from "./numeric-embedding.js";
import { type TableFeaturesOptions, tableFeatures } from "./table-features.js";
import { tabm } from "./tabm.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const flat = (data: ArrayLike<number>) => ({ shape: [data.length], data });

describe("a network of tables is what PyTorch makes of its formula", () => {
  const golden = readGolden<TableResult>("tables");
  for (const [name, one] of Object.entries(tableCases)) {
    const { model, objective } = networkOfCase(one);
    const params = paramTensors(model, "params");
    const logits = model.apply(params, inputTensors(model));
    const { dtype } = tableLabels[one.numOutputs];
    const labels = input("labels", ["batch"], dtype);
    const targets = input("targets", one.numOutputs === 1 ? ["batch"] : ["batch", one.numOutputs]);
    const losses = {
      labelLoss: objective.labelLoss(logits, labels),
      distillLoss: objective.distillLoss(logits, targets),
    };
    const loss = add(losses.labelLoss, losses.distillLoss);
    const grads = gradients(loss, Object.values(params));
    const named = Object.fromEntries(Object.keys(params).map((path, i) => [path, grads[i] as Tensor]));
    const outputs = { probs: objective.probs(logits), ...losses, ...withPrefix("grads", named) };
    const feeds = {
      ...tableInputs,
      labels: tableLabels[one.numOutputs],
      targets: tableTargets[one.numOutputs],
      ...withPrefix("params", tableParams(model.params)),
    };

    test(`${name}: values and gradients`, async () => {
      const { gradients: expectedGrads, ...expected } = resultOf(golden, name);
      const all = mapValues({ ...expected, ...withPrefix("grads", expectedGrads) }, flat);
      const flattened = (values: Readonly<Record<string, { readonly data: ArrayLike<number> }>>) =>
        mapValues(values, ({ data }) => flat(data));
      assertAllClose(flattened(interpret({ outputs, updates: {} }, feeds).outputs), all, 1e-6, name);
      assertAllClose(flattened(await (await engine.compile({ outputs, updates: {} })).run(feeds)), all, 1e-5, name);
    });

    test(`${name}: gradients are central differences`, () => {
      checkGradients(loss, Object.values(params), feeds);
    });
  }
});

describe("embedded numbers", () => {
  const rowsOf = (numericEmbedding: NumericEmbedding, fares: readonly number[]) => {
    const { fare } = tableOptions.numeric;
    const features = tableFeatures({ categorical: {}, numeric: { fare }, numericEmbedding });
    const model: Model = { ...features, apply: features.rows };
    const rows = features.rows(paramTensors(model, "p"), inputTensors(model));
    const params = mapValues(features.params, ({ shape, init }) => init(rootKey(1), shape));
    const feeds = { "features.fare": float32([...fares]), ...withPrefix("p", params) };
    const data = [...(interpret({ outputs: { rows }, updates: {} }, feeds).outputs.rows?.data ?? [])];
    return fares.map((_, i) => data.slice(features.width * i, features.width * (i + 1)));
  };

  test("are finite and in order, however far off", () => {
    const fares = [-3e38, -1e30, -5, 0, 32, 128, 1e30, 3e38];
    for (const rows of [
      rowsOf({ kind: "piecewise", bins: 8 }, fares),
      rowsOf({ kind: "periodic", frequencies: 2, sigma: 1, width: 2 }, fares),
    ]) {
      assert.ok(rows.flat().every(Number.isFinite), String(rows));
      const clipped = rows.map(([z]) => z as number);
      assert.deepEqual(
        clipped,
        [...clipped].sort((a, b) => a - b),
      );
      assert.ok(Math.abs((clipped.at(-1) ?? 0) - 3) < 1e-3, "a number far above is clipped to 3");
    }
  });

  test("that are missing or infinite are the median", () => {
    for (const kind of [
      { kind: "piecewise", bins: 8 },
      { kind: "periodic", frequencies: 2, sigma: 1, width: 2 },
    ] as const) {
      const [median, ...others] = rowsOf(kind, [32, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
      for (const other of others) assert.deepEqual(other, median);
    }
  });

  test("have bins, but for means of the label, which keep one number", () => {
    const { fare } = tableOptions.numeric;
    const kind = { kind: "piecewise", bins: 8 } as const;
    const widthOf = (numeric: TableFeaturesOptions["numeric"]) =>
      tableFeatures({ categorical: {}, numeric, numericEmbedding: kind }).width;
    const mean = { ...fare, isLabelMean: true as const };
    assert.equal(widthOf({ fare: mean }), 1);
    assert.equal(widthOf({ fare, mean }), widthOf({ fare }) + 1);
  });
});

describe("members", () => {
  const options = { ...tableOptions, members: 6, hidden: [4] };

  test("begin as random signs of the inputs, and equal after that", () => {
    const weights = initWeights(tabm(options), rootKey(3));
    const signs = [...(weights["layers.0.scale"] as NdArray).data];
    assert.deepEqual([...new Set(signs)].sort(), [-1, 1]);
    assert.deepEqual([...new Set((weights["layers.1.scale"] as NdArray).data)], [1]);
  });

  test("that learn from a row are as many as asked for, all different, and drawn anew by the key", () => {
    const some = tabm({ ...options, membersPerRow: 3 });
    const weights = initWeights(some, rootKey(3));
    // The head's biases tell the members apart where all its weights are 0.
    const bias = weights["layers.1.bias"] as NdArray;
    const told = {
      ...weights,
      "layers.1.weight": { ...(weights["layers.1.weight"] as NdArray), data: new Float32Array(4) },
      "layers.1.bias": { ...bias, data: Float32Array.from(bias.data, (_, member) => member) },
    };
    const logits = train(some, paramTensors(some, "p"), inputTensors(some)).logits;
    const drawnBy = (seed: number) => {
      const feeds = { ...tableInputs, ...withPrefix("p", told), key: int32([seed, 0]) };
      const members = [...(interpret({ outputs: { logits }, updates: {} }, feeds).outputs.logits?.data ?? [])];
      return Array.from({ length: 6 }, (_, row) => members.slice(3 * row, 3 * row + 3).sort((a, b) => a - b));
    };
    const sets = [1, 2, 3, 4].flatMap(drawnBy);
    // Of six members, three at equal distances: 0, 2, 4 or 1, 3, 5.
    assert.deepEqual([...new Set(sets.map(String))].sort(), ["0,2,4", "1,3,5"]);
    assert.notDeepEqual(drawnBy(1), drawnBy(2));
  });

  test("are all asked after training, whichever learned from a row", () => {
    const [all, some] = [tabm(options), tabm({ ...options, membersPerRow: 2 })];
    const logitsOf = (model: typeof all) => model.apply(paramTensors(model, "p"), inputTensors(model));
    const feeds = { ...tableInputs, ...withPrefix("p", initWeights(all, rootKey(1))) };
    const [a, b] = [all, some].map((model) => interpret({ outputs: { y: logitsOf(model) }, updates: {} }, feeds));
    assert.deepEqual(a?.outputs, b?.outputs);
  });

  test("must divide into those of a row", () => {
    assert.throws(
      () => tabm({ ...options, membersPerRow: 4 }),
      (error: Error) => {
        assert.ok(error instanceof ShapeError);
        assert.match(error.message, /membersPerRow must divide the 6 members, got 4/);
        return true;
      },
    );
  });

  test("have the loss of each, not that of their mean", () => {
    const objective = membersObjective(binary);
    const logits = input("logits", ["batch", 2]);
    const labels = input("labels", ["batch"]);
    const outputs = { loss: reduceSum(objective.labelLoss(logits, labels)), probs: objective.probs(logits) };
    const feeds = {
      logits: { dtype: "float32", shape: [1, 2], data: Float32Array.of(4, -4) } as const,
      labels: { dtype: "float32", shape: [1], data: Float32Array.of(1) } as const,
    };
    const result = interpret({ outputs, updates: {} }, feeds).outputs;
    assert.ok(Math.abs((result.probs?.data[0] as number) - 0.5) < 1e-12);
    assert.ok(Math.abs((result.loss?.data[0] as number) - (Math.log1p(Math.exp(-4)) + 2)) < 1e-12);
  });
});
