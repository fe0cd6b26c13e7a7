import assert from "node:assert/strict";
import { after, test } from "node:test";
import { assertAllClose, assertClose } from "../../test/fixtures/close.js";
import { flightsLike, randomBatch } from "../../test/fixtures/flights-like.js";
import { interpret } from "../../test/numerics/interpreter.js";
import type { Engine } from "../engine/engine.js";
import { inputsOf } from "../graph/graph.js";
import { initWeights } from "../nn/model.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { sgd } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import { float32, int32, type NamedArrays, scalar } from "../runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../runtime/named.js";
import { rootKey } from "../runtime/random.js";
import { freshColumns, freshFeeds } from "./fresh-rows.js";
import { accumulateGraph, type Learner, stateNames } from "./graphs.js";
import { engineStudent, partsOf, type Teacher } from "./student.js";

const engines: Engine[] = [];
after(() => Promise.all(engines.map((own) => own.close())));

const learner: Learner = { ...flightsLike(), optimizer: sgd(constantSchedule(0.1)) };
const { model } = learner;
const fresh = (freshInputs: number): Learner => ({ ...learner, distillation: { freshInputs } });
const NUM_ROWS = 16;
const batch = randomBatch(NUM_ROWS, 3);
const weights = (seed: number) => initWeights(model, rootKey(seed));
const teacher = (seed: number): Teacher => ({ group: seed, step: 0, digest: String(seed), params: weights(seed) });

async function studentOf(own: Learner) {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  const student = engineStudent({ engine, learner: own, key: rootKey(9) });
  await student.init(rootKey(1));
  return student;
}

test("each value is with the probability that of another row of its column, and else its own", () => {
  const numRows = 20_000;
  const own = int32(
    Int32Array.from({ length: 2 * numRows }, (_, at) => at),
    [numRows, 2],
  );
  const { shape, data } = freshColumns(own, 0.3, rootKey(1));
  assert.deepEqual(shape, [numRows, 2]);
  const values = Array.from(data, Number);
  assert.ok(values.every((value, at) => value % 2 === at % 2 && value < 2 * numRows));
  const moved = values.filter((value, at) => value !== at);
  // Four standard deviations of a share over 40,000 draws.
  assert.ok(Math.abs(moved.length / values.length - 0.3) < 4 * Math.sqrt((0.3 * 0.7) / values.length));
  const bothMoved = values.filter((value, at) => at % 2 === 0 && value !== at && values[at + 1] !== at + 1);
  assert.ok(Math.abs(bothMoved.length / numRows - 0.09) < 4 * Math.sqrt((0.09 * 0.91) / numRows));
  // Far away as often as near.
  const meanRow = moved.reduce((sum, value) => sum + value / 2, 0) / moved.length;
  assert.ok(Math.abs(meanRow / numRows - 0.5) < 4 * Math.sqrt(1 / 12 / moved.length));
  assert.deepEqual(freshColumns(own, 0.3, rootKey(1)).data, data);
  assert.notDeepEqual(freshColumns(own, 0.3, rootKey(2)).data, data);
});

test("with two rows each takes from the other one, a single row keeps its own, and missing numbers stay missing", () => {
  assert.deepEqual([...freshColumns(float32([1, 2]), 1 - 1e-9, rootKey(1)).data], [2, 1]);
  assert.deepEqual([...freshColumns(float32([Number.NaN, 2]), 1 - 1e-9, rootKey(1)).data], [2, Number.NaN]);
  assert.deepEqual([...freshColumns(float32([1]), 0.9, rootKey(1)).data], [1]);
  assert.deepEqual([...freshColumns(float32([1, 2, 3]), 1 - 1e-9, rootKey(1), 2).data], [2, 1]);
});

/** The losses and gradients of one part, in double precision. */
function gradientsOf(own: Learner, feeds: NamedArrays, distillWeight: number) {
  const graph = accumulateGraph(own, 2);
  const all: NamedArrays = {
    ...feeds,
    ...withPrefix(stateNames.params, weights(1)),
    ...withPrefix(stateNames.teacher(0), weights(2)),
    ...withPrefix(stateNames.teacher(1), weights(3)),
    ...{ partShare: scalar(1), distillWeight: scalar(distillWeight) },
  };
  const read = Object.fromEntries([...inputsOf(graph).keys()].map((name) => [name, named(all, name)]));
  const { outputs, updates } = interpret(graph, read);
  return { outputs, grads: underPrefix(stateNames.gradSum, updates) };
}

test("psi is that of the copy, phi and the statistics of teachers are those of the batch", () => {
  const own = fresh(0.5);
  const copied = freshFeeds(own, batch, rootKey(4));
  const copy = { ...batch, ...underPrefix("fresh", copied) };
  assert.notDeepEqual(copy, batch);
  const some = gradientsOf(own, { ...batch, ...copied }, 1);
  const [alone, onBatch] = [gradientsOf(learner, batch, 0), gradientsOf(learner, batch, 1)];
  const [onCopy, copyAlone] = [gradientsOf(learner, copy, 1), gradientsOf(learner, copy, 0)];
  assertClose(named(some.outputs, "labelLoss"), named(alone.outputs, "labelLoss"), 1e-12, "phi");
  for (const name of ["distillLoss", "divergence"])
    assertClose(named(some.outputs, name), named(onCopy.outputs, name), 1e-12, name);
  const statistics = Object.keys(some.outputs).filter((name) => name.startsWith("statistics"));
  assert.ok(statistics.length > 5);
  for (const name of statistics) assertClose(named(some.outputs, name), named(onBatch.outputs, name), 1e-12, name);
  // grad phi on the batch, and grad psi on the copy, which is what w = 1 adds to the gradient there.
  const expected = mapValues(alone.grads, ({ shape, data }, param) => {
    const [taught, untaught] = [named(onCopy.grads, param).data, named(copyAlone.grads, param).data];
    return { shape, data: Float64Array.from(data, (value, i) => value + (taught[i] ?? 0) - (untaught[i] ?? 0)) };
  });
  assertAllClose(some.grads, expected, 1e-11, "the gradient");
});

test("with probability 0 the step is that without it, to the bit, with and without teachers", async () => {
  const [plain, none] = [await studentOf(learner), await studentOf(fresh(0))];
  for (const teachers of [[], [teacher(2)], [teacher(2), teacher(3)]]) {
    const [a, b] = [await plain.learn([batch], teachers, 1), await none.learn([batch], teachers, 1)];
    assert.deepEqual(b, a);
  }
  assert.deepEqual(await none.state(), await plain.state());
});

test("what is drawn follows from the step: a student that is restored takes the same steps, to the bit", async () => {
  const [one, other] = [await studentOf(fresh(0.3)), await studentOf(fresh(0.3))];
  for (let step = 0; step < 2; step++) await one.learn([batch], [teacher(2)], 1);
  await other.restore(await one.state(), 2);
  const [a, b] = [await one.learn([batch], [teacher(2)], 1), await other.learn([batch], [teacher(2)], 1)];
  assert.deepEqual(b, a);
  assert.deepEqual(await other.state(), await one.state());
  const third = await studentOf(fresh(0.3));
  await third.restore(await one.state(), 4);
  await other.restore(await one.state(), 3);
  const [later, now] = [await third.learn([batch], [teacher(2)], 1), await other.learn([batch], [teacher(2)], 1)];
  assert.notEqual(later.distillLoss, now.distillLoss);
  assert.equal(later.labelLoss, now.labelLoss);
});

test("part i of worker r of n draws as part i n + r of one worker, from the rows of the part alone", () => {
  const own = fresh(0.5);
  const halves = [0, 1].map((half) => randomBatch(NUM_ROWS / 2, 20 + half));
  const at = { seed: rootKey(5), step: 7, numTeachers: 1 };
  const alone = partsOf(own, halves, at);
  const [first, second] = halves.map((part, rank) => partsOf(own, [part], at, { rank, size: 2 })[0]);
  assert.deepEqual([first, second], alone);
  const ids = (part: NamedArrays | undefined, name: string) => new Set(part && named(part, name).data);
  for (const [i, part] of halves.entries()) {
    for (const name of Object.keys(model.inputs))
      assert.ok([...ids(alone[i], `fresh.${name}`)].every((value) => ids(part, name).has(value)));
  }
  assert.deepEqual(partsOf(own, halves, { ...at, numTeachers: 0 }), halves);
});

test("it goes together with teaching on a share of the batch: of the first rows, mixed among themselves", async () => {
  const distillation = { freshInputs: 0.3, taught: { first: 4, of: NUM_ROWS } };
  const own = { ...learner, distillation };
  const feeds = freshFeeds(own, batch, rootKey(4));
  for (const array of Object.values(feeds)) assert.equal(array.shape[0], 4);
  const student = await studentOf(own);
  assert.ok(Number.isFinite((await student.learn([batch], [teacher(2)], 1)).distillLoss));
});
