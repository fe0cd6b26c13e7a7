import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClose } from "../../test/fixtures/close.js";
import { interpret, type Values } from "../../test/numerics/interpreter.js";
import { float32, int32, type NdArray } from "../runtime/array.js";
import { rootKey } from "../runtime/random.js";
import { forwardOnnx } from "./forward-onnx.js";
import { mlp } from "./mlp.js";
import { countParams, initWeights, inputTensors, type Model, paramTensors } from "./model.js";

const options = {
  categorical: { origin: { numIds: 4, width: 2 }, weekday: { numIds: 3, width: 1 } },
  numeric: { distance: { mean: 10, std: 4 } },
  hidden: [3],
} as const;
const model = mlp(options);

test("params have the shapes that the options say", () => {
  assert.deepEqual(Object.fromEntries(Object.entries(model.params).map(([name, { shape }]) => [name, shape])), {
    "embeddings.origin": [4, 2],
    "embeddings.weekday": [3, 1],
    "layers.0.weight": [4, 3],
    "layers.0.bias": [3],
    "layers.1.weight": [3, 1],
    "layers.1.bias": [1],
  });
  assert.equal(countParams(model), 8 + 3 + 12 + 3 + 3 + 1);
  assert.deepEqual(model.inputs, {
    "features.origin": { shape: ["batch"], dtype: "int32" },
    "features.weekday": { shape: ["batch"], dtype: "int32" },
    "features.distance": { shape: ["batch"], dtype: "float32" },
  });
});

test("params are a function of the key and of their own name", () => {
  assert.deepEqual(initWeights(model, rootKey(1)), initWeights(model, rootKey(1)));
  assert.notDeepEqual(initWeights(model, rootKey(1)), initWeights(model, rootKey(2)));

  const reversed: Model = { ...model, params: Object.fromEntries(Object.entries(model.params).reverse()) };
  assert.deepEqual(initWeights(reversed, rootKey(1)), initWeights(model, rootKey(1)));

  const { weekday, ...others } = options.categorical;
  const wider = mlp({ ...options, categorical: { weekday, ...others, carrier: { numIds: 2, width: 1 } } });
  const [before, after] = [initWeights(model, rootKey(1)), initWeights(wider, rootKey(1))];
  for (const name of ["embeddings.origin", "embeddings.weekday", "layers.1.weight"]) {
    assert.deepEqual(after[name], before[name], name);
  }
});

test("weights are He normal, embeddings have standard deviation 0.05, biases are zero", () => {
  const wide = initWeights(
    mlp({ ...options, categorical: { id: { numIds: 5000, width: 20 } }, hidden: [500] }),
    rootKey(3),
  );
  const std = ({ data }: NdArray) => {
    const values = [...data];
    return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  };
  const of = (name: string) => wide[name] as NdArray;
  assert.ok(Math.abs(std(of("embeddings.id")) / 0.05 - 1) < 0.01);
  assert.ok(Math.abs(std(of("layers.0.weight")) / Math.sqrt(2 / 21) - 1) < 0.03);
  assert.ok(Math.abs(std(of("layers.1.weight")) / Math.sqrt(2 / 500) - 1) < 0.15);
  assert.equal(std(of("layers.0.bias")), 0);
});

test("the network is embeddings and standardised numbers through linear layers with ReLU between", () => {
  const params = {
    "embeddings.origin": float32([0, 0, 1, 2, 3, 4, 5, 6], [4, 2]),
    "embeddings.weekday": float32([0, -1, -2], [3, 1]),
    "layers.0.weight": float32([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1], [4, 3]),
    "layers.0.bias": float32([0.5, 0, 0]),
    "layers.1.weight": float32([1, 2, 4], [3, 1]),
    "layers.1.bias": float32([0.25]),
  };
  const features = {
    "features.origin": int32([1, 3, 0]),
    "features.weekday": int32([2, 0, 1]),
    "features.distance": float32([14, 2, Number.NaN]),
  };
  const logits = model.apply(paramTensors(model, "params"), inputTensors(model));
  assert.deepEqual(logits.shape, ["batch"]);
  const { outputs } = interpret(
    { outputs: { logits }, updates: {} },
    { ...features, ...Object.fromEntries(Object.entries(params).map(([name, value]) => [`params.${name}`, value])) },
  );
  // Rows [1 2 -2 1], [5 6 0 -2] and, with the missing distance at the mean, [0 0 -1 0].
  const expected = [2.5 + 2 * 3 + 0.25, 3.5 + 2 * 4 + 0.25, 0.5 + 0.25];
  assertClose(outputs.logits as Values, { shape: [3], data: expected }, 1e-12, "logits");
});

test("a network without hidden layers, and one of numbers only, are linear", () => {
  const linear = mlp({ categorical: {}, numeric: { a: { mean: 0, std: 1 } }, hidden: [] });
  assert.deepEqual(Object.keys(linear.params), ["layers.0.weight", "layers.0.bias"]);
  assert.deepEqual(linear.apply(paramTensors(linear, "p"), inputTensors(linear)).shape, ["batch"]);
});

test("the forward graph says what is computed: equal bytes for equal models, others for any other", () => {
  const text = (some: Model) => Buffer.from(forwardOnnx(some)).toString("hex");
  assert.equal(text(mlp(options)), text(model));
  const others = [
    mlp({ ...options, hidden: [4] }),
    mlp({ ...options, hidden: [3, 3] }),
    mlp({ ...options, numeric: { distance: { mean: 10, std: 5 } } }),
    mlp({ ...options, numeric: { distance: { mean: 11, std: 4 } } }),
    mlp({ ...options, numeric: { hour: { mean: 10, std: 4 } } }),
    mlp({ ...options, categorical: { ...options.categorical, origin: { numIds: 5, width: 2 } } }),
  ];
  assert.equal(new Set([model, ...others].map(text)).size, others.length + 1);
});
