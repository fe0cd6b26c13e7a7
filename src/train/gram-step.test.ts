/** Steps in which the last hidden layer of teachers teaches beside their predictions. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { flightsLike, randomBatch, randomParams } from "../../test/fixtures/flights-like.js";
import { languageModel, languageTask, randomTokens } from "../../test/fixtures/sequence-models.js";
import { checkDifferences } from "../../test/numerics/gradcheck.js";
import { interpret } from "../../test/numerics/interpreter.js";
import type { Engine } from "../engine/engine.js";
import { ConfigError } from "../errors.js";
import { inputsOf } from "../graph/graph.js";
import { membersObjective } from "../nn/members.js";
import { tabm } from "../nn/tabm.js";
import { transformerLanguageModel } from "../nn/transformer-language-model.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { sgd } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import { int32, type NamedArrays, type NdArray, scalar, zeros } from "../runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../runtime/named.js";
import { fold, rootKey } from "../runtime/random.js";
import { freshFeeds } from "./fresh-rows.js";
import { accumulateGraph, carriedSpecs, type Distillation, type Learner, stateNames } from "./graphs.js";
import { engineStudent } from "./student.js";

const engines: Engine[] = [];
after(() => Promise.all(engines.map((own) => own.close())));

const optimizer = sgd(constantSchedule(0.1));
const NUM_ROWS = 6;
const rows = randomBatch(NUM_ROWS, 3);
const numeric = { distance: { mean: 0.5, std: 2 }, hour: { mean: 0, std: 1 } };
const categorical = { origin: { numIds: 20, width: 3 }, weekday: { numIds: 8, width: 2 } };
const texts = { sequenceLength: 3, vocabulary: 7, width: 4, batchSize: NUM_ROWS };
const words = (shape: readonly number[]): NamedArrays => {
  const { ids, labels } = randomTokens(texts, (name) => fold(rootKey(5), name));
  return { ids: { ...(ids as NdArray), shape }, labels: labels as NdArray };
};

type Case = readonly [Pick<Learner, "model" | "objective">, NamedArrays];

const members = tabm({ categorical, numeric, hidden: [6, 5], members: 3 });
const drawn = tabm({ categorical, numeric, hidden: [5], members: 4, membersPerRow: 2, dropout: 0.2 });
const transformer = transformerLanguageModel({ ...texts, numHeads: 2, numLayers: 1 });
const cases: Readonly<Record<string, Case>> = {
  "a table": [flightsLike({ hidden: [5, 4] }), rows],
  "a table, and no hidden layer": [flightsLike({ hidden: [] }), rows],
  "members of a network": [{ model: members, objective: membersObjective(flightsLike().objective) }, rows],
  "members that are drawn, with dropout": [
    { model: drawn, objective: membersObjective(flightsLike().objective) },
    { ...rows, key: int32([3, 4]) },
  ],
  "an LSTM": [languageModel({ ...texts, hidden: 5 }), words([3, NUM_ROWS])],
  "a transformer": [languageTask(transformer, texts.vocabulary), words([NUM_ROWS, 3])],
};

const WEIGHT = 0.75;

/** The graph of a part with two teachers, and what it is fed; the student's weights are of seed 1. */
function partOf([own, batch]: Case, distillation: Distillation, seeds: readonly [number, number] = [2, 3]) {
  const learner: Learner = { ...own, optimizer, distillation };
  const graph = accumulateGraph(learner, 2);
  const teachers = seeds.map((seed, slot) => withPrefix(stateNames.teacher(slot), randomParams(learner, seed)));
  const feeds: NamedArrays = Object.assign(
    {
      ...batch,
      ...freshFeeds(learner, batch, rootKey(8)),
      ...withPrefix(stateNames.params, randomParams(learner, 1)),
      ...mapValues(carriedSpecs(learner.model, 2), ({ shape }) => zeros(shape)),
      ...{ partShare: scalar(0.5), distillWeight: scalar(WEIGHT) },
    },
    ...teachers,
  );
  return { graph, feeds: Object.fromEntries([...inputsOf(graph).keys()].map((name) => [name, named(feeds, name)])) };
}

for (const [name, one] of Object.entries(cases)) {
  test(`${name}: gradients of phi + w (psi + g G) are those of central differences`, () => {
    const gramWeight = 3;
    const { graph, feeds } = partOf(one, { gramWeight });
    const loss = (at: typeof feeds | Parameters<Parameters<typeof checkDifferences>[0]>[0]): number => {
      const { outputs } = interpret(graph, { ...feeds, ...(at as NamedArrays) });
      const [phi, psi, gram] = ["labelLoss", "distillLoss", "gramLoss"].map((output) =>
        Number(named(outputs, output).data[0]),
      ) as [number, number, number];
      return 0.5 * (phi + WEIGHT * (psi + gramWeight * gram));
    };
    const params = withPrefix(stateNames.params, underPrefix(stateNames.params, feeds));
    const grads = underPrefix(stateNames.gradSum, interpret(graph, feeds).updates);
    checkDifferences(loss, params, withPrefix(stateNames.params, grads));
  });

  test(`${name}: G is 0 of teachers that see rows as the student does, and positive of others`, () => {
    const gramOf = (seeds: readonly [number, number]) => {
      // A student of which parts are drawn at random is never as its teachers are.
      const { graph, feeds } = partOf(one, { gramWeight: 1 }, seeds);
      return Number(interpret(graph, feeds).outputs.gramLoss?.data[0]);
    };
    if (!one[0].model.isRandom) assert.ok(Math.abs(gramOf([1, 1])) < 1e-9);
    assert.ok(gramOf([2, 3]) > 1e-3);
    // The mean over the teachers.
    assert.ok(Math.abs(gramOf([2, 3]) - (gramOf([2, 2]) + gramOf([3, 3])) / 2) < 1e-9);
  });
}

test("with weight 0 the step is that without it, to the bit", async () => {
  const own = flightsLike();
  const students = [{}, { gramWeight: 0 }].map((distillation) => {
    const engine = onnxRuntimeEngine({ threads: 1 });
    engines.push(engine);
    return engineStudent({ engine, learner: { ...own, distillation } });
  });
  const teacher = { group: 1, step: 0, digest: "a", params: randomParams(own, 2) };
  const after = await Promise.all(
    students.map(async (student) => {
      await student.init(rootKey(1));
      const metrics = [await student.learn([rows], [teacher], 1), await student.learn([rows], [], 0)];
      return { metrics, state: await student.state() };
    }),
  );
  assert.deepEqual(after[1], after[0]);
  assert.ok(after[0] && !("gramLoss" in (after[0].metrics[0] ?? {})));
});

test("on fresh inputs, on a share of the batch and in 8 bits G is of what teachers see", async () => {
  const own = flightsLike();
  const { graph, feeds } = partOf([own, rows], {
    gramWeight: 1,
    freshInputs: 0.5,
  });
  const fresh = partOf([own, { ...rows, ...underPrefix("fresh", feeds) }], { gramWeight: 1 });
  const [a, b] = [interpret(graph, feeds), interpret(fresh.graph, fresh.feeds)].map(({ outputs }) => outputs);
  assert.equal(a?.gramLoss?.data[0], b?.gramLoss?.data[0]);
  assert.notEqual(a?.labelLoss?.data[0], b?.labelLoss?.data[0]);
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  const distillation = { gramWeight: 1, teacherPrecision: "int8", taught: { first: 3, of: NUM_ROWS } } as const;
  const wide = flightsLike({ hidden: [128, 128] });
  const student = engineStudent({ engine, learner: { ...wide, distillation } });
  await student.init(rootKey(1));
  const teacher = { group: 1, step: 0, digest: "a", params: randomParams(wide, 2) };
  const { gramLoss, skipped } = await student.learn([rows], [teacher], 1);
  assert.ok(skipped === null && gramLoss !== undefined && gramLoss > 0 && gramLoss < 1);
});

test("a model that does not give its last hidden layer is refused", () => {
  const { model, ...own } = flightsLike();
  const { carry: _, ...silent } = model;
  assert.throws(
    () => accumulateGraph({ ...own, model: silent, distillation: { gramWeight: 1 } }, 1),
    (error) =>
      error instanceof ConfigError && /^algorithm\.gramWeight: compares the last hidden layers/.test(error.message),
  );
  accumulateGraph({ ...own, model: silent, distillation: { gramWeight: 1 } }, 0);
});
