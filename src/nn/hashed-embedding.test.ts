import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertAllClose } from "../../test/fixtures/close.js";
import {
  type EmbeddingResult,
  embeddingCases,
  embeddingCotangent,
  embeddingParams,
  ids,
} from "../../test/golden/embeddings.js";
import { readGolden, resultOf } from "../../test/golden/golden.js";
import { COTANGENT, checkGradients, weighted } from "../../test/numerics/gradcheck.js";
import { interpret } from "../../test/numerics/interpreter.js";
import { gradients } from "../graph/grad.js";
import { input } from "../graph/ops.js";
import { rowGradient } from "../graph/row-gradient.js";
import type { Tensor } from "../graph/tensor.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { int32 } from "../runtime/array.js";
import { mapValues, withPrefix } from "../runtime/named.js";
import { forwardOnnx } from "./forward-onnx.js";
import { type HashedEmbeddingOptions, hashedEmbedding, hashedEmbeddingParams } from "./hashed-embedding.js";
import type { Model } from "./model.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

function built(options: HashedEmbeddingOptions) {
  const params = mapValues(hashedEmbeddingParams("e", options), ({ shape }, name) => input(name, shape));
  const output = hashedEmbedding(params, "e", input("ids", ["batch", 2], "int32"), options);
  const loss = weighted(output);
  const grads = gradients(loss, Object.values(params));
  const named = Object.fromEntries(Object.keys(params).map((name, i) => [name, grads[i] as Tensor]));
  return { params, output, loss, grads: named };
}

describe("a hashed embedding is what PyTorch makes of the same rows", () => {
  const golden = readGolden<EmbeddingResult>("embeddings");
  for (const [name, options] of Object.entries(embeddingCases)) {
    const { params, output, loss, grads } = built(options);
    const feeds = { ids, ...embeddingParams(options), [COTANGENT]: embeddingCotangent };
    const graph = { outputs: { output, ...withPrefix("grads", grads) }, updates: {} };

    test(`${name}: values and gradients`, async () => {
      const { output, gradients } = resultOf(golden, name);
      const flat = (data: ArrayLike<number>) => ({ shape: [data.length], data });
      const expected = mapValues({ output, ...withPrefix("grads", gradients) }, flat);
      assertAllClose(
        mapValues(interpret(graph, feeds).outputs, ({ data }) => flat(data)),
        expected,
        1e-12,
        name,
      );
      const actual = await (await engine.compile(graph)).run(feeds);
      assertAllClose(
        mapValues(actual, ({ data }) => flat(data)),
        expected,
        1e-6,
        name,
      );
    });

    test(`${name}: gradients are central differences, and of rows alone`, () => {
      checkGradients(loss, Object.values(params), feeds);
      for (const grad of Object.values(grads)) assert.ok(rowGradient(grad));
    });
  }
});

/** The vectors of many ids by the sum of one row each, from a table whose row r is r. */
async function rowsOf(count: number, stream: number, numRows: number): Promise<number[]> {
  const options = { numRows, width: 1, numHashes: 1, combine: "sum", stream } as const;
  const table = input("e.table", [numRows, 1]);
  const output = hashedEmbedding({ "e.table": table }, "e", input("ids", ["batch"], "int32"), options);
  const program = await engine.compile({ outputs: { output }, updates: {} });
  const feeds = {
    ids: int32(Int32Array.from({ length: count }, (_, id) => id)),
    "e.table": { dtype: "float32", shape: [numRows, 1], data: Float32Array.from({ length: numRows }, (_, r) => r) },
  } as const;
  return Array.from((await program.run(feeds)).output?.data as Float32Array);
}

describe("hash functions", () => {
  const [NUM_IDS, NUM_ROWS] = [20_000, 50];

  test("spread numbers that follow each other evenly", async () => {
    const counts = new Float64Array(NUM_ROWS);
    for (const row of await rowsOf(NUM_IDS, 0, NUM_ROWS)) counts[row]! += 1;
    const expected = NUM_IDS / NUM_ROWS;
    const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // Chi-square of 49 degrees: 1 in 10^6 is above 110.
    assert.ok(statistic < 110, `chi-square ${statistic}`);
  });

  test("of other streams are independent: they put no more pairs together than chance does", async () => {
    const [first, second] = [await rowsOf(NUM_IDS, 0, NUM_ROWS), await rowsOf(NUM_IDS, 1, NUM_ROWS)];
    const equal = first.filter((row, id) => row === second[id]).length;
    const pairs = new Float64Array(NUM_ROWS ** 2);
    first.forEach((row, id) => {
      pairs[row * NUM_ROWS + (second[id] as number)]! += 1;
    });
    const expected = NUM_IDS / NUM_ROWS ** 2;
    const statistic = pairs.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 20,000 at 1 in 50, and chi-square of about 2,500 degrees: five standard deviations each.
    assert.ok(Math.abs(equal - 400) < 100, `${equal} equal`);
    assert.ok(Math.abs(statistic - 2499) < 5 * Math.sqrt(2 * 2499), `chi-square ${statistic}`);
  });
});

test("with signs, the vectors of different ids are as good as orthogonal on average", () => {
  const options = { numRows: 64, width: 1, numHashes: 1 };
  const one = { dtype: "float32", shape: [64, 1], data: new Float32Array(64).fill(1) } as const;
  const output = hashedEmbedding(
    { "e.table": input("e.table", [64, 1]) },
    "e",
    input("ids", ["batch"], "int32"),
    options,
  );
  const feeds = { ids: int32(Int32Array.from({ length: 10_000 }, (_, id) => id)), "e.table": one };
  const signs = interpret({ outputs: { output }, updates: {} }, feeds).outputs.output?.data ?? new Float64Array();
  assert.ok(signs.every((sign) => Math.abs(sign) === 1));
  assert.ok(Math.abs(signs.reduce((sum, sign) => sum + sign, 0)) < 500, "five standard deviations of 10,000 signs");
});

test("an exported model hashes by itself, in standard operations", () => {
  const options = { numRows: 100, width: 4, combine: "weights" } as const;
  const model: Model = {
    params: hashedEmbeddingParams("e", options),
    inputs: { ids: { shape: ["batch"], dtype: "int32" } },
    apply: (params, inputs) => hashedEmbedding(params, "e", inputs.ids as Tensor, options),
  };
  const text = new TextDecoder("latin1").decode(forwardOnnx(model));
  for (const op of ["BitwiseXor", "BitShift", "Mod", "Gather"]) assert.ok(text.includes(op), op);
  assert.ok(!text.includes("com.microsoft"));
});

test("params begin as a table of small numbers and weights of 1", () => {
  const options = { numRows: 5, width: 2, numWeights: 7, numHashes: 3 };
  const shapes = (combine: HashedEmbeddingOptions["combine"] & string) =>
    mapValues(hashedEmbeddingParams("e", { ...options, combine }), ({ shape }) => shape);
  assert.deepEqual(shapes("signs"), { "e.table": [5, 2] });
  assert.deepEqual(shapes("weights"), { "e.table": [5, 2], "e.weights": [7, 3] });
  const init = hashedEmbeddingParams("e", { ...options, combine: "weights" })["e.weights"]?.init;
  assert.deepEqual([...(init?.({ hi: 0, lo: 1 }, [7, 3]).data ?? [])], Array(21).fill(1));
});
