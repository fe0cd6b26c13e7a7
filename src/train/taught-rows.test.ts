import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertAllClose, assertClose } from "../../test/fixtures/close.js";
import { flightsLike, randomBatch } from "../../test/fixtures/flights-like.js";
import { languageModel, languageTask, randomTokens } from "../../test/fixtures/sequence-models.js";
import { interpret } from "../../test/numerics/interpreter.js";
import type { Engine } from "../engine/engine.js";
import { ShapeError } from "../errors.js";
import { inputsOf } from "../graph/graph.js";
import { reshape } from "../graph/ops.js";
import { membersObjective } from "../nn/members.js";
import { initWeights } from "../nn/model.js";
import { NUM_QUANTILES } from "../nn/numeric-embedding.js";
import { weightedBinary } from "../nn/objectives.js";
import { tabm } from "../nn/tabm.js";
import { transformerLanguageModel } from "../nn/transformer-language-model.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { sgd } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import { float32, type NamedArrays, type NdArray, scalar } from "../runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../runtime/named.js";
import { fold, normal, rootKey } from "../runtime/random.js";
import { accumulateGraph, carriedSpecs, type Learner, stateNames } from "./graphs.js";
import { engineStudent, type Teacher } from "./student.js";

const engines: Engine[] = [];
const opened = () => {
  const own = onnxRuntimeEngine({ threads: 1 });
  engines.push(own);
  return own;
};
after(() => Promise.all(engines.map((own) => own.close())));

const optimizer = sgd(constantSchedule(0.1));
/** Of 6 examples, teachers see 2: less than half, so that no place of one half is a place of the other. */
const taught = { first: 2, of: 6 };

interface Case {
  /** For batches of so many examples. */
  readonly learner: (size: number) => Learner;
  readonly batch: NamedArrays;
  /** The first examples of the batch. */
  readonly first: NamedArrays;
}

/** The first places of arrays that have `per` of them for each of `times` times and each example. */
function firstOf(batch: NamedArrays, { times = 1, per = 1 } = {}): NamedArrays {
  return mapValues(batch, ({ dtype, shape, data }) => {
    const size = data.length / times / taught.of / per;
    const own = Array.from({ length: times }, (_, time) => {
      const start = time * taught.of * per * size;
      return [...data.slice(start, start + taught.first * per * size)];
    }).flat();
    const wholes = [taught.of, taught.of * times, taught.of * per];
    const axes = shape.map((axis) => (wholes.includes(axis) ? (axis / taught.of) * taught.first : axis));
    return { dtype, shape: axes, data: (data.constructor as Float32ArrayConstructor).from(own) } as NdArray;
  });
}

const rows = randomBatch(taught.of, 3);
const spread = [...normal(rootKey(3), NUM_QUANTILES)].sort((a, b) => a - b);
const numeric = { distance: { mean: 0.5, std: 2, quantiles: spread }, hour: { mean: 0, std: 1, quantiles: spread } };
const categorical = { origin: { numIds: 20, width: 3 }, weekday: { numIds: 8, width: 2, hashedRows: 4 } };
const periodic = { kind: "periodic", frequencies: 3, sigma: 0.1, width: 2 } as const;
const members = tabm({ categorical, numeric, numericEmbedding: periodic, hidden: [6, 5], members: 3 });
const texts = { sequenceLength: 3, vocabulary: 7, width: 4 };
const words = (shape: readonly number[]): NamedArrays => {
  const { ids, labels } = randomTokens({ ...texts, batchSize: taught.of }, (name) => fold(rootKey(5), name));
  return { ids: { ...(ids as NdArray), shape }, labels: labels as NdArray };
};

const cases: Readonly<Record<string, Case>> = {
  "a table": { learner: () => ({ ...flightsLike(), optimizer }), batch: rows, first: firstOf(rows) },
  "a table of weighted rows": {
    learner: () => ({
      ...flightsLike(),
      objective: weightedBinary({ positiveWeight: 3 }),
      hasRowWeights: true,
      optimizer,
    }),
    batch: { ...rows, weights: float32([1, 2, 0.5, 3, 1, 2]) },
    first: firstOf({ ...rows, weights: float32([1, 2, 0.5, 3, 1, 2]) }),
  },
  "members of a network, with periodic functions and hashed names": {
    learner: () => ({ model: members, objective: membersObjective(flightsLike().objective), optimizer }),
    batch: rows,
    first: firstOf(rows),
  },
  "an LSTM": {
    learner: (batchSize) => ({ ...languageModel({ ...texts, hidden: 5, batchSize }), optimizer }),
    batch: words([3, taught.of]),
    first: firstOf(words([3, taught.of]), { times: 3 }),
  },
  "a transformer": {
    learner: (batchSize) => {
      const model = transformerLanguageModel({ ...texts, numHeads: 2, numLayers: 1, batchSize });
      return { ...languageTask(model, texts.vocabulary), optimizer };
    },
    batch: words([taught.of, 3]),
    first: firstOf(words([taught.of, 3]), { per: 3 }),
  },
};

/** The losses and gradients of one part, in double precision. */
function gradientsOf(learner: Learner, batch: NamedArrays, distillWeight: number) {
  const { model, distillation } = learner;
  const graph = accumulateGraph(learner, 2);
  const states = carriedSpecs(model, 2, distillation?.taught);
  const drawn = mapValues(states, ({ shape }, name) => {
    // Those of the first examples are the same, however many there are.
    const size = shape.reduce((product, axis) => product * axis, 1);
    return float32(normal(fold(rootKey(6), name), 1000).slice(0, size), shape);
  });
  const weights = (seed: number) => initWeights(model, rootKey(seed));
  const feeds: NamedArrays = {
    ...batch,
    ...withPrefix(stateNames.params, weights(1)),
    ...withPrefix(stateNames.teacher(0), weights(2)),
    ...withPrefix(stateNames.teacher(1), weights(3)),
    ...drawn,
    partShare: scalar(1),
    labelShare: scalar(1),
    distillWeight: scalar(distillWeight),
  };
  const read = Object.fromEntries([...inputsOf(graph).keys()].map((name) => [name, named(feeds, name)]));
  const { outputs, updates } = interpret(graph, read);
  return { outputs, grads: underPrefix(stateNames.gradSum, updates) };
}

for (const [name, { learner, batch, first }] of Object.entries(cases)) {
  test(`${name}: psi is that of the first examples, and phi that of all`, () => {
    const whole = learner(taught.of);
    const partly: Learner = { ...whole, distillation: { taught } };
    const some = gradientsOf(partly, batch, 1);
    const [alone, few, fewAlone] = [
      gradientsOf(whole, batch, 0),
      gradientsOf(learner(taught.first), first, 1),
      gradientsOf(learner(taught.first), first, 0),
    ];
    assertClose(named(some.outputs, "labelLoss"), named(alone.outputs, "labelLoss"), 1e-12, "phi");
    const ofTeachers = Object.keys(few.outputs).filter((output) => /^(distillLoss|divergence|statistics)/.test(output));
    assert.ok(ofTeachers.length > 5);
    for (const output of ofTeachers)
      assertClose(named(some.outputs, output), named(few.outputs, output), 1e-12, output);
    // By hand: grad phi over all + grad psi over the first, which is what w = 1 adds to the gradient there.
    const expected = mapValues(alone.grads, ({ shape, data }, param) => {
      const [taughtBy, untaught] = [named(few.grads, param).data, named(fewAlone.grads, param).data];
      return { shape, data: Float64Array.from(data, (value, i) => value + (taughtBy[i] ?? 0) - (untaught[i] ?? 0)) };
    });
    assertAllClose(some.grads, expected, 1e-11, "the gradient");
    assert.notDeepEqual(some.outputs.distillLoss, gradientsOf(whole, batch, 1).outputs.distillLoss);
  });
}

const teacher = (model: Learner["model"], seed: number): Teacher => ({
  group: 1,
  step: 0,
  digest: String(seed),
  params: initWeights(model, rootKey(seed)),
});

describe("an LSTM of which some texts are taught", () => {
  const { learner } = cases["an LSTM"] as Case;
  const partly: Learner = { ...learner(taught.of), distillation: { taught } };
  const batchOf = (step: number) =>
    randomTokens({ ...texts, batchSize: taught.of }, (name) => fold(fold(rootKey(7), name), step));

  test("teachers carry the states of these texts, as if they read nothing else", async () => {
    const [some, few] = [partly, learner(taught.first)].map((which) =>
      engineStudent({ engine: opened(), learner: which }),
    );
    assert.ok(some && few);
    for (const student of [some, few]) await student.init(rootKey(1));
    for (let step = 0; step < 3; step++) {
      await some.learn([batchOf(step)], [teacher(partly.model, 2)], 1);
      await few.learn([firstOf(batchOf(step), { times: 3 })], [teacher(partly.model, 2)], 1);
    }
    const [ofSome, ofFew] = [await some.state(), await few.state()].map((state) =>
      underPrefix("teacherState.1", state),
    );
    assert.ok(ofSome && ofFew && Object.keys(ofSome).length === 4);
    assertAllClose(ofSome, ofFew, 1e-6, "the states of the teacher");
    assert.deepEqual(named(await some.state(), "state.layers.0.hidden").shape, [taught.of, 5]);
  });

  test("what is saved of it is gone on from, to the bit", async () => {
    const [one, other] = [1, 2].map(() => engineStudent({ engine: opened(), learner: partly }));
    assert.ok(one && other);
    await one.init(rootKey(1));
    for (let step = 0; step < 2; step++) await one.learn([batchOf(step)], [teacher(partly.model, 2)], 1);
    await other.restore(await one.state(), 2);
    const steps = [one, other].map((student) => student.learn([batchOf(2)], [teacher(partly.model, 2)], 1));
    const [a, b] = await Promise.all(steps);
    assert.deepEqual(b, a);
    assert.deepEqual(await other.state(), await one.state());
  });
});

test("teaching on some examples and in 8 bits go together", async () => {
  const student = engineStudent({
    engine: opened(),
    learner: { ...(cases["a table"] as Case).learner(taught.of), distillation: { taught, teacherPrecision: "int8" } },
  });
  await student.init(rootKey(1));
  const { distillLoss } = await student.learn([rows], [teacher(flightsLike().model, 2)], 1);
  assert.ok(Number.isFinite(distillLoss));
});

test("a model that says itself how many examples there are is refused, and a batch that has too few", () => {
  const { model, ...rest } = flightsLike();
  const { carry: _, ...applied } = model;
  const fixed: Learner = {
    ...{ ...rest, distillation: { taught } },
    model: { ...applied, apply: (weights, inputs) => reshape(model.apply(weights, inputs), ["batch"]) },
  };
  assert.throws(() => accumulateGraph(fixed, 1), ShapeError);
  const few: Learner = { ...rest, model, distillation: { taught: { first: 8, of: 6 } } };
  assert.throws(
    () => accumulateGraph(few, 1),
    /^ShapeError: slice: needs 0 <= start < end <= 6, got start 0 and end 8/,
  );
});
