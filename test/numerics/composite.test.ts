/** The real thing: gradients of the whole loss of a network with embeddings and teachers, against central differences. */
import { after, test } from "node:test";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { type NdArray, scalar } from "../../src/runtime/array.js";
import { named, underPrefix, withPrefix } from "../../src/runtime/named.js";
import { accumulateGraph, stateNames } from "../../src/train/graphs.js";
import { assertAllClose } from "../fixtures/close.js";
import { flightsLike, randomBatch, randomParams, zeroGradSum } from "../fixtures/flights-like.js";
import { checkDifferences, tolerances } from "./gradcheck.js";
import { interpret } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const learner = flightsLike({ hidden: [5, 3], widths: 2 });
const DISTILL_WEIGHT = 0.75;

for (const numTeachers of [0, 1, 2]) {
  const graph = accumulateGraph(learner, numTeachers);
  const params = randomParams(learner, 1);
  const teachers = Array.from({ length: numTeachers }, (_, slot) =>
    withPrefix(stateNames.teacher(slot), randomParams(learner, 2 + slot)),
  );
  const feeds: Record<string, NdArray> = {
    ...randomBatch(7, 1),
    ...Object.assign({}, ...teachers),
    ...withPrefix(stateNames.gradSum, zeroGradSum(learner)),
    [stateNames.lossSum]: scalar(0),
    partShare: scalar(1),
    distillWeight: scalar(DISTILL_WEIGHT),
  };

  test(`with ${numTeachers} teachers the gradient by every param is that of central differences`, async () => {
    const at = withPrefix(stateNames.params, params);
    const { updates } = interpret(graph, { ...feeds, ...at });
    const grads = withPrefix(stateNames.params, underPrefix(stateNames.gradSum, updates));
    const totalLoss = (moved: Readonly<Record<string, { shape: readonly number[]; data: Float64Array }>>) => {
      const { labelLoss, distillLoss } = interpret(graph, { ...feeds, ...moved }).outputs;
      return (labelLoss?.data[0] ?? Number.NaN) + DISTILL_WEIGHT * (distillLoss?.data[0] ?? 0);
    };
    checkDifferences(totalLoss, at, grads);

    await engine.write({ ...at, ...feeds });
    const outputs = await (await engine.compile(graph)).run(feedsOf(feeds));
    const sums = await engine.read(Object.keys(updates));
    const reference = interpret(graph, { ...feeds, ...at });
    assertAllClose(outputs, reference.outputs, tolerances.float32, "losses", 1);
    assertAllClose(sums, reference.updates, tolerances.float32, "gradients", 0.1);
  });
}

/** What a run feeds; the rest is kept. */
function feedsOf(all: Readonly<Record<string, NdArray>>): Record<string, NdArray> {
  const isFed = (name: string) => /^(features\.|labels$|partShare$|distillWeight$)/.test(name);
  return Object.fromEntries(
    Object.keys(all)
      .filter(isFed)
      .map((name) => [name, named(all, name)]),
  );
}
