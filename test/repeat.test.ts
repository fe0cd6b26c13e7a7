/**
 * A run on two threads must repeat to the bit: an operation that adds up in the order in which threads happen to
 * finish, or that loses updates between them, is found here. (ScatterND in the place of ScatterElements is found in the
 * second run of `gather` backward and of `scatterAdd`.)
 *
 * The sizes are those at which ONNX Runtime 1.30 divides the work where it can, by the CPU time of its second thread:
 * functions and arithmetic of 131,072 elements, products, sums over rows, transposes, gather and scatterAdd of 4,096
 * rows, and the whole step. It keeps where, cast, expand, concat, slice, pad, lookup and sums to one number on one.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import * as ops from "../src/graph/ops.js";
import type { Graph, Op, Shape, Tensor } from "../src/graph/tensor.js";
import { binary as binaryObjective } from "../src/nn/losses.js";
import { mlp } from "../src/nn/mlp.js";
import { onnxRuntimeEngine } from "../src/node/onnxruntime.js";
import { adam } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import { filled, float32, int32, type NamedArrays, type NdArray, scalar } from "../src/runtime/array.js";
import { mapValues, withPrefix } from "../src/runtime/named.js";
import { fold, key, normal, uniform } from "../src/runtime/random.js";
import { kept, type Learner, stepGraph } from "../src/train/graphs.js";
import { randomParams } from "./flights-like.js";
import { COTANGENT, cotangentFor, gradientGraph, weighted } from "./gradcheck.js";
import { anyIds, buildCase, type Case, flags, real, texts } from "./op-case.js";

const NUM_RUNS = 1000;
const ROWS = 512;
const matrix: Shape = ["batch", 256];

const engine = onnxRuntimeEngine({ threads: 2 });
after(() => engine.close());

const unary = (build: (x: Tensor) => Tensor, from?: number, to?: number): Case[] => [
  { name: "131,072 elements", operands: [real(matrix, from, to)], build, numExamples: ROWS },
];

const binary = (build: (x: Tensor, y: Tensor) => Tensor): Case[] => [
  { name: "131,072 elements each", operands: [real(matrix), real(matrix, 0.5, 2)], build, numExamples: ROWS },
  { name: "a row to each of 512", operands: [real(matrix), real([256], 0.5, 2)], build, numExamples: ROWS },
];

const reduction = (build: (x: Tensor, axes?: number[]) => Tensor): Case[] => [
  { name: "all of 131,072", operands: [real(matrix)], build: (x) => build(x as Tensor), numExamples: ROWS },
  { name: "512 rows", operands: [real(matrix)], build: (x) => build(x as Tensor, [0]), numExamples: ROWS },
  { name: "256 columns", operands: [real(matrix)], build: (x) => build(x as Tensor, [1]), numExamples: ROWS },
  { name: "a batch of 131,072", operands: [real(["batch"])], build: (x) => build(x as Tensor), numExamples: 131_072 },
];

/** Large cases of every operation; gradients are repeated with them. */
const largeCases: { readonly [O in Op]: readonly Case[] } = {
  input: unary((x) => x),
  constant: [{ name: "65,536 elements", operands: [], build: () => ops.constant(filled([256, 256], 0.1)) }],
  stopGradient: unary(ops.stopGradient),
  neg: unary(ops.neg),
  exp: unary(ops.exp),
  log: unary(ops.log, 1.5, 3),
  sqrt: unary(ops.sqrt, 0.25, 3),
  relu: unary(ops.relu),
  sigmoid: unary(ops.sigmoid),
  softplus: unary(ops.softplus),
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  greater: binary(ops.greater),
  where: [
    {
      name: "131,072 elements each",
      operands: [flags(matrix), real(matrix), real(matrix)],
      build: ops.where,
      numExamples: ROWS,
    },
  ],
  cast: [
    { name: "bool", operands: [flags(matrix)], build: (x) => ops.cast(x, "float32"), numExamples: ROWS },
    { name: "int32", operands: [anyIds(matrix, 99)], build: (x) => ops.cast(x, "float32"), numExamples: ROWS },
  ],
  matmul: [
    {
      name: "1,024 x 128 by 128 x 64",
      operands: [real(["batch", 128]), real([128, 64])],
      build: (x, y) => ops.matmul(x, y),
      numExamples: 1024,
    },
    {
      name: "1,024 x 128 by 1,024 x 64, transposed",
      operands: [real(["batch", 128]), real(["batch", 64])],
      build: (x, y) => ops.matmul(x, y, { transposeA: true }),
      numExamples: 1024,
    },
    {
      name: "16,384 x 64 by 64 x 1",
      operands: [real(["batch", 64]), real([64, 1])],
      build: (x, y) => ops.matmul(x, y),
      numExamples: 16_384,
    },
  ],
  reduceSum: reduction(ops.reduceSum),
  reduceMean: reduction(ops.reduceMean),
  countAlong: unary(ops.countAlong),
  expand: [
    { name: "a row to 512", operands: [real([256]), real(matrix)], build: ops.expand, held: [1], numExamples: ROWS },
  ],
  reshape: unary((x) => ops.reshape(x, ["batch", 16, 16])),
  transpose: [{ name: "512 x 256", operands: [real([512, 256])], build: (x) => ops.transpose(x) }],
  concat: [
    {
      name: "two halves",
      operands: [real(["batch", 128]), real(["batch", 128])],
      build: (...x) => ops.concat(x, 1),
      numExamples: ROWS,
    },
  ],
  slice: unary((x) => ops.slice(x, 1, 64, 192)),
  pad: unary((x) => ops.pad(x, 1, 3, 5)),
  gather: [
    {
      name: "4,096 rows of 64 from 256",
      operands: [real([256, 64]), anyIds(["batch"], 256)],
      build: ops.gather,
      numExamples: 4096,
    },
  ],
  scatterAdd: [
    {
      name: "4,096 rows of 256 into 256",
      operands: [anyIds(["batch"], 256), real(matrix)],
      build: (indices, updates) => ops.scatterAdd(indices, updates, 256),
      held: [1], // Its gradient is a gather, which has a case of its own.
      numExamples: 4096,
    },
    {
      name: "65,536 numbers into 16",
      operands: [anyIds(["batch"], 16), real(["batch"])],
      build: (indices, updates) => ops.scatterAdd(indices, updates, 16),
      numExamples: 65_536,
    },
  ],
  lookup: [
    {
      name: "2,048 strings",
      operands: [
        texts(
          ["batch"],
          Array.from({ length: 2048 }, (_, i) => `word ${i % 300}`),
        ),
      ],
      build: (x) =>
        ops.lookup(
          x,
          Array.from({ length: 200 }, (_, i) => `word ${i}`),
        ),
      numExamples: 2048,
    },
  ],
};

/** Run again and again; every array must have the bits that it had the first time. */
async function assertRepeats(once: () => Promise<NamedArrays>): Promise<void> {
  const first = mapValues(await once(), bytesOf);
  for (let run = 1; run < NUM_RUNS; run++) {
    for (const [name, array] of Object.entries(await once())) {
      if (bytesOf(array).compare(first[name] as Buffer) !== 0) assert.fail(`${name} differs in run ${run}`);
    }
  }
}

function bytesOf({ data }: NdArray): Buffer {
  if (Array.isArray(data)) throw new Error("numbers expected, got strings");
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

describe(`${NUM_RUNS} runs on two threads give the same bits`, () => {
  for (const op of Object.keys(largeCases) as Op[]) {
    for (const large of largeCases[op]) {
      test(`${op}: ${large.name}`, async () => {
        const { output, feeds, wrt } = buildCase(op, large);
        const numExamples = large.numExamples ?? 1;
        const shape = output.shape.map((axis) => (axis === "batch" ? numExamples : axis));
        const backward = wrt.length > 0 ? gradientGraph(weighted(output), wrt).outputs : {};
        const program = await engine.compile({ outputs: { output, ...backward }, updates: {} });
        const all = wrt.length > 0 ? { ...feeds, [COTANGENT]: cotangentFor(shape) } : feeds;
        await assertRepeats(() => program.run(all));
      });
    }
  }

  test("a whole step of a network for flights with a teacher, batch 512", async () => {
    const graph: Graph = stepGraph(flights, 1);
    const program = await engine.compile(graph);
    const params = randomParams(flights, 1);
    const optState = mapValues(flights.optimizer.memory(flights.model.params), ({ shape, fill }) =>
      filled(shape, fill),
    );
    const state = { ...withPrefix(kept.params, params), ...withPrefix(kept.optState, optState) };
    await engine.write(withPrefix(kept.teacher(0), randomParams(flights, 2)));
    const feeds = { ...flightsBatch(512), ...mapValues(flights.optimizer.scalars, (at) => scalar(at(0))) };
    const names = Object.keys(graph.updates);
    await assertRepeats(async () => {
      await engine.write(state);
      return { ...(await program.run({ ...feeds, distillWeight: scalar(1) })), ...(await engine.read(names)) };
    });
  });
});

const CATEGORICAL = { origin: 300, destination: 300, halfHour: 48, weekday: 7, route: 4000 };

const flights: Learner = {
  model: mlp({
    categorical: mapValues(CATEGORICAL, (numIds) => ({ numIds, width: 16 })),
    numeric: { distance: { mean: 0, deviation: 1 } },
    hidden: [128, 64],
  }),
  objective: binaryObjective,
  optimizer: adam(constantSchedule(2e-3)),
};

function flightsBatch(numExamples: number): NamedArrays {
  const draw = (name: string) => fold(key(9), name);
  // Squared, so that some rows are asked for very often.
  const ids = mapValues(CATEGORICAL, (numIds, name) =>
    int32(Int32Array.from(uniform(draw(name), numExamples), (u) => Math.floor(u * u * numIds))),
  );
  return {
    ...withPrefix("features", ids),
    "features.distance": float32(normal(draw("distance"), numExamples)),
    labels: float32(uniform(draw("labels"), numExamples).map((u) => Number(u < 0.2))),
  };
}
