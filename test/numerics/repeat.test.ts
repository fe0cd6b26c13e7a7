/**
 * A run on two threads must repeat to the bit: an operation that adds up in the order in which threads happen to
 * finish, or that loses updates between them, is found here. (ScatterND in the place of ScatterElements is found within
 * the first dozens of runs of `gather` and `takeAlong` backward and of `scatterAdd`.)
 *
 * The sizes are those at which ONNX Runtime 1.30 divides the work where it can, by the CPU time of its second thread:
 * functions and arithmetic of 131,072 elements, products, sums over rows, transposes, gather and scatterAdd of 4,096
 * rows, and the whole step. It keeps where, cast, expand, concat, slice, pad and sums to one number on one.
 *
 * What adds up or scatters is run a thousand times. Where every element of every result is written once, from elements
 * of the operands, no order of threads can show but by one that reads or writes beyond its part, and the parts are the
 * same in each run: a hundred runs.
 *
 * It tries the engine rather than our code, so it is run with `--full` alone: for a new operation, and a new release of the engine.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Graph } from "../../src/graph/graph.js";
import { type Op, type Tensor, topologicalOrder } from "../../src/graph/tensor.js";
import { traits } from "../../src/graph/traits.js";
import { binary as binaryObjective } from "../../src/nn/losses.js";
import { mlp } from "../../src/nn/mlp.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { adam } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { filled, float32, int32, type NamedArrays, type NdArray, scalar } from "../../src/runtime/array.js";
import { mapValues, withPrefix } from "../../src/runtime/named.js";
import { fold, normal, rootKey, uniform } from "../../src/runtime/random.js";
import { type Learner, stateNames, stepGraph } from "../../src/train/graphs.js";
import { randomParams } from "../fixtures/flights-like.js";
import { isFull } from "../fixtures/full.js";
import { largeCases } from "../suites/large-cases.js";
import { buildCase } from "../suites/op-case.js";
import { COTANGENT, cotangentFor, gradientGraph, weighted } from "./gradcheck.js";
import { sizeFor } from "./interpreter/values.js";

const NUM_RUNS = 1000;
const NUM_RUNS_ELEMENTWISE = 100;
function numRunsOf(tensors: readonly Tensor[]): number {
  return topologicalOrder(tensors).every(({ op }) => traits[op].isWrittenOnce) ? NUM_RUNS_ELEMENTWISE : NUM_RUNS;
}

const engine = onnxRuntimeEngine({ threads: 2 });
after(() => engine.close());

/** Run again and again; every array must have the bits that it had the first time. */
async function assertRepeats(once: () => Promise<NamedArrays>, numRuns = NUM_RUNS): Promise<void> {
  const first = mapValues(await once(), bytesOf);
  for (let run = 1; run < numRuns; run++) {
    for (const [name, array] of Object.entries(await once())) {
      if (bytesOf(array).compare(first[name] as Buffer) !== 0) assert.fail(`${name} differs in run ${run}`);
    }
  }
}

/** Numbers of 24 bits: those of the cases have few, so that sums are exact and the same in any order. */
function rounded(array: NdArray): NdArray {
  if (array.dtype !== "float32") return array;
  return float32(
    Float32Array.from(array.data, (value) => 1.1 * value),
    array.shape,
  );
}

function bytesOf({ data }: NdArray): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

describe(`${NUM_RUNS_ELEMENTWISE} or ${NUM_RUNS} runs on two threads give the same bits`, {
  skip: !isFull && "only with --full",
}, () => {
  for (const op of Object.keys(largeCases) as Op[]) {
    for (const large of largeCases[op]) {
      test(`${op}: ${large.name}`, async () => {
        const { output, feeds, wrt } = buildCase(op, large);
        const numExamples = large.numExamples ?? 1;
        const shape = output.shape.map((axis) => sizeFor(axis, numExamples));
        const backward = wrt.length > 0 ? gradientGraph(weighted(output), wrt).outputs : {};
        const outputs = { output, ...backward };
        const program = await engine.compile({ outputs, updates: {} });
        const all = mapValues(wrt.length > 0 ? { ...feeds, [COTANGENT]: cotangentFor(shape) } : feeds, rounded);
        await assertRepeats(() => program.run(all), numRunsOf(Object.values(outputs)));
      });
    }
  }

  test("a whole step of a network for flights with a teacher, batch 512", () =>
    assertStepRepeats({ ...flights([128, 64]), optimizer: adam(constantSchedule(2e-3)) }, 1));

  test("a whole step of embeddings by touched rows, batch 512", () =>
    assertStepRepeats(
      { ...flights([]), optimizer: adam(constantSchedule(2e-3), { sparseParams: ["embeddings.*"] }) },
      0,
    ));
});

async function assertStepRepeats(learner: Learner, numTeachers: number): Promise<void> {
  const { model, optimizer } = learner;
  const graph: Graph = stepGraph(learner, numTeachers);
  const program = await engine.compile(graph);
  const optState = mapValues(optimizer.stateSpec(model.params), ({ shape, fill }) => filled(shape, fill));
  const state = {
    ...withPrefix(stateNames.params, randomParams(learner, 1)),
    ...withPrefix(stateNames.optState, optState),
  };
  await engine.write(withPrefix(stateNames.teacher(0), randomParams(learner, 2)));
  const weight: NamedArrays = numTeachers > 0 ? { distillWeight: scalar(1) } : {};
  const feeds = { ...flightsBatch(512), ...weight, ...mapValues(optimizer.scalars, (at) => scalar(at(0))) };
  const names = Object.keys(graph.updates);
  await assertRepeats(async () => {
    await engine.write(state);
    return { ...(await program.run(feeds)), ...(await engine.read(names)) };
  });
}

const CATEGORICAL = { origin: 300, destination: 300, halfHour: 48, weekday: 7, route: 4000 };

const flights = (hidden: readonly number[]): Pick<Learner, "model" | "objective"> => ({
  model: mlp({
    categorical: mapValues(CATEGORICAL, (numIds) => ({ numIds, width: 16 })),
    numeric: { distance: { mean: 0, std: 1 } },
    hidden,
  }),
  objective: binaryObjective,
});

function flightsBatch(numExamples: number): NamedArrays {
  const draw = (name: string) => fold(rootKey(9), name);
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
