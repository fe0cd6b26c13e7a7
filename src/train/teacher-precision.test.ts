import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertAllClose, assertClose } from "../../test/fixtures/close.js";
import { languageModel, languageTask, randomTokens } from "../../test/fixtures/sequence-models.js";
import { interpret } from "../../test/numerics/interpreter.js";
import type { Engine } from "../engine/engine.js";
import { type Graph, inputsOf, rootsOf } from "../graph/graph.js";
import { relu, reshape } from "../graph/ops.js";
import { allTensors } from "../graph/passes/walk.js";
import { isOp, topologicalOrder } from "../graph/tensor.js";
import { linear, linearParams } from "../nn/layers.js";
import { binary } from "../nn/losses.js";
import { initWeights, type Model } from "../nn/model.js";
import { transformerLanguageModel } from "../nn/transformer-language-model.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { sgd } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import { filled, float32, type NamedArrays, scalar, zeros } from "../runtime/array.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import { fold, normal, rootKey } from "../runtime/random.js";
import { accumulateGraph, carriedSpecs, type Learner, stateNames } from "./graphs.js";
import { engineStudent, type Teacher } from "./student.js";
import { inTeacherPrecision, quantised, teacherTensors } from "./teacher-precision.js";

const engines: Engine[] = [];
const opened = () => {
  const own = onnxRuntimeEngine({ threads: 1 });
  engines.push(own);
  return own;
};
after(() => Promise.all(engines.map((own) => own.close())));
const engine = opened();

const optimizer = sgd(constantSchedule(0.1));

/** Numbers, some of them far from all others, through weights of 2^14 elements. */
const numbers: Model = {
  params: {
    ...linearParams("layers.0", 64, 256),
    ...linearParams("layers.1", 256, 64),
    ...linearParams("layers.2", 64, 1),
  },
  inputs: { x: { shape: ["batch", 64], dtype: "float32" } },
  apply: (weights, inputs) => {
    const hidden = relu(linear(weights, "layers.0", named(inputs, "x")));
    return reshape(linear(weights, "layers.2", relu(linear(weights, "layers.1", hidden))), ["batch"]);
  },
};
const numberBatch: NamedArrays = {
  x: float32(
    normal(rootKey(4), 8 * 64).map((z) => Math.exp(2 * z) - 1),
    [8, 64],
  ),
  labels: float32([0, 1, 1, 0, 0, 1, 0, 1]),
};

const tied = { sequenceLength: 4, batchSize: 2, vocabulary: 256, width: 64, numHeads: 2, numLayers: 1 };
const recurrent = { sequenceLength: 3, batchSize: 2, vocabulary: 256, width: 8, hidden: 64 };
const tokens = (sizes: typeof recurrent | typeof tied, shape: readonly number[]): NamedArrays => {
  const { ids, labels } = randomTokens(sizes, (name) => fold(rootKey(5), name)) as Record<string, NamedArrays[string]>;
  return { ids: { ...(ids as NamedArrays[string]), shape }, labels: labels as NamedArrays[string] };
};

interface Case {
  readonly learner: Learner;
  readonly batch: NamedArrays;
  /** The weights in 8 bits. */
  readonly factors: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  numbers: {
    learner: { model: numbers, objective: binary, optimizer },
    batch: numberBatch,
    factors: ["plain.layers.0.weight", "plain.layers.1.weight"],
  },
  "a transformer, whose embedding is the output too": {
    learner: { ...languageTask(transformerLanguageModel(tied), 256), optimizer },
    batch: tokens(tied, [2, 4]),
    factors: [
      // Of the MLP, 64 x 176, all weights are small.
      "transposed.embedding",
    ],
  },
  "an LSTM, with the product inside of its loop": {
    learner: { ...languageModel(recurrent), optimizer },
    batch: tokens(recurrent, [3, 2]),
    factors: [
      "plain.layers.0.recurrentWeight",
      "plain.layers.1.inputWeight",
      "plain.layers.1.recurrentWeight",
      "plain.output.weight",
    ],
  },
  "the same in chunks": {
    learner: { ...languageModel({ ...recurrent, numChunks: 3 }), optimizer },
    batch: tokens(recurrent, [3, 2]),
    factors: [
      "plain.layers.0.recurrentWeight",
      "plain.layers.1.inputWeight",
      "plain.layers.1.recurrentWeight",
      "plain.output.weight",
    ],
  },
};

const in8Bits = (learner: Learner): Learner => ({ ...learner, distillation: { teacherPrecision: "int8" } });

/** All that the gradient of one part reads, with teachers of these seeds. */
function feedsOf({ learner, batch }: Case, seeds: readonly number[]): NamedArrays {
  const carried = mapValues(carriedSpecs(learner.model, seeds.length), ({ shape, fill }) => filled(shape, fill));
  const sums = withPrefix(
    stateNames.gradSum,
    mapValues(learner.model.params, ({ shape }) => zeros(shape)),
  );
  const teachers = seeds.map((seed, slot) => teacherTensors(learner, slot, initWeights(learner.model, rootKey(seed))));
  return Object.assign(
    { ...batch, ...withPrefix(stateNames.params, initWeights(learner.model, rootKey(1))), ...carried, ...sums },
    { [stateNames.lossSum]: scalar(0), partShare: scalar(1), distillWeight: scalar(1) },
    ...teachers,
  );
}

/** The losses and gradients of one part, as outputs. */
function gradientsWith(learner: Learner, numTeachers: number): Graph {
  const { outputs, updates } = inTeacherPrecision(learner, accumulateGraph(learner, numTeachers));
  return { outputs: { ...outputs, ...updates }, updates: {} };
}

function read(graph: Graph, feeds: NamedArrays): NamedArrays {
  return Object.fromEntries([...inputsOf(graph).keys()].map((name) => [name, named(feeds, name)]));
}

for (const [name, one] of Object.entries(cases)) {
  const learner = in8Bits(one.learner);

  describe(name, () => {
    test("the weights in 8 bits are read in place of those in float32, but where these are read elsewhere too", () => {
      const inputs = [...inputsOf(gradientsWith(learner, 1)).keys()];
      const wanted = one.factors.flatMap((factor) =>
        ["scale", "weight"].map((part) => `teachersInt8.0.${factor}.${part}`),
      );
      assert.deepEqual(inputs.filter((input) => input.startsWith("teachersInt8.")).sort(), wanted.sort());
      const both = one.factors.filter((factor) => inputs.includes(factor.replace(/^\w+/, "teachers.0")));
      assert.deepEqual(
        both,
        one.factors.filter((factor) => factor === "transposed.embedding"),
      );
      assert.deepEqual(
        Object.keys(teacherTensors(learner, 0, initWeights(learner.model, rootKey(2)))).sort(),
        inputs.filter((input) => /^teachers(Int8)?\./.test(input)).sort(),
      );
    });

    test("losses and gradients are those of the same whole numbers in double precision", async () => {
      const graph = gradientsWith(learner, 2);
      const feeds = read(graph, feedsOf({ ...one, learner }, [2, 3]));
      const expected = interpret(graph, feeds).outputs;
      assertAllClose(await (await engine.compile(graph)).run(feeds), expected, 1e-4, name, 1);
      // They are others than in float32, by more than that.
      const whole = gradientsWith(one.learner, 2);
      const inFloat32 = interpret(whole, read(whole, feedsOf(one, [2, 3]))).outputs;
      const [a, b] = [expected, inFloat32].map(({ distillLoss }) => distillLoss?.data[0] as number) as [number, number];
      assert.ok(Math.abs(a - b) > 1e-8 && Math.abs(a - b) < 0.01 * b, `${a} and ${b}`);
    });

    test("the student's part of the step is as it was: only what a teacher computes is in 8 bits", async () => {
      const graphs = [one.learner, learner].map((which) => gradientsWith(which, 1)) as [Graph, Graph];
      const products = graphs.map(
        (graph) => new Set(allTensors(graph).filter(({ op }) => op === "quantisedMatmul")).size,
      );
      assert.equal(products[0], 0);
      // One for each use of a weight: a chunk's, and those that a loop saves for its gradient, are the same tensors.
      assert.equal(products[1], one.factors.length);
      const all = graphs.map((graph, i) => {
        const feeds = {
          ...feedsOf({ ...one, learner: i === 0 ? one.learner : learner }, [2]),
          distillWeight: scalar(0),
        };
        return engine.compile(graph).then(({ run }) => run(read(graph, feeds)));
      });
      const [before, after] = (await Promise.all(all)) as [NamedArrays, NamedArrays];
      assert.deepEqual(after.labelLoss, before.labelLoss);
      const grads = Object.keys(learner.model.params).map((param) => `${stateNames.gradSum}.${param}`);
      for (const grad of grads) assert.deepEqual(after[grad], before[grad], grad);
    });
  });
}

test("the numbers of a batch, which may lie far apart, are multiplied in two pieces", () => {
  const graph = gradientsWith(in8Bits((cases.numbers as Case).learner), 1);
  const pieces = topologicalOrder(rootsOf(graph)).flatMap((tensor) =>
    isOp(tensor, "quantisedMatmul") ? [tensor.attributes.pieces] : [],
  );
  assert.deepEqual(pieces, [2, 1]);
});

test("in float32 a step is the graph that it was", () => {
  const { learner } = cases.numbers as Case;
  const graph = accumulateGraph(learner, 1);
  assert.equal(inTeacherPrecision(learner, graph), graph);
});

describe("weights as whole numbers", () => {
  test("each column has its own scale, and its largest is 64", () => {
    const { weight, scale } = quantised(float32([1, -0.02, -2, 0.005, 0.5, 0.01], [3, 2]), false);
    assert.deepEqual(weight, { dtype: "int8", shape: [3, 2], data: Int8Array.of(32, -64, -64, 16, 16, 32) });
    assertClose(scale, float32([2 / 64, 0.02 / 64]), 1e-7, "the scales");
  });

  test("a transposed weight gives what the weight gives", () => {
    const [a, b] = [float32([1, 2, 3, 4, 5, 6], [3, 2]), float32([1, 3, 5, 2, 4, 6], [2, 3])];
    assert.deepEqual(quantised(b, true), quantised(a, false));
  });

  test("a column of zeros is zeros, and one that is not finite is not hidden", () => {
    const { weight, scale } = quantised(float32([0, Number.NaN, 0, 1], [2, 2]), false);
    assert.deepEqual([...weight.data], [0, 0, 0, 0]);
    assert.deepEqual([...scale.data], [0, Number.NaN]);
  });
});

describe("a student with teachers in 8 bits", () => {
  const { learner, batch } = cases.numbers as Case;
  const teacher = (seed: number): Teacher => ({
    group: 1,
    step: seed,
    digest: String(seed),
    params: initWeights(learner.model, rootKey(seed)),
  });

  test("has a newer snapshot by a write, without a new program", async () => {
    let numCompiled = 0;
    const counting: Engine = {
      ...engine,
      compile(graph) {
        numCompiled++;
        return engine.compile(graph);
      },
    };
    const student = engineStudent({ engine: counting, learner: in8Bits(learner) });
    await student.init(rootKey(1));
    await student.learn([batch], [teacher(2)], 1);
    const before = numCompiled;
    const saved = await student.state();
    const { distillLoss } = await student.learn([batch], [teacher(3)], 1);
    assert.equal(numCompiled, before);
    const other = engineStudent({ engine, learner: in8Bits(learner) });
    await other.restore(saved, 1);
    assert.equal((await other.learn([batch], [teacher(3)], 1)).distillLoss, distillLoss);
    await other.restore(saved, 1);
    assert.notEqual((await other.learn([batch], [teacher(2)], 1)).distillLoss, distillLoss);
    await student.close();
    await other.close();
  });

  test("saves what one in float32 saves, and goes on from it to the bit", async () => {
    const [one, other, plain] = [in8Bits(learner), in8Bits(learner), learner].map((which) =>
      engineStudent({ engine: opened(), learner: which }),
    ) as [ReturnType<typeof engineStudent>, ReturnType<typeof engineStudent>, ReturnType<typeof engineStudent>];
    await one.init(rootKey(1));
    for (let step = 0; step < 2; step++) await one.learn([batch], [teacher(2)], 1);
    const saved = await one.state();
    await other.restore(saved, 2);
    await plain.restore(saved, 2);
    const steps = [one, other, plain].map((student) => student.learn([batch], [teacher(2)], 1));
    const [first, second, third] = await Promise.all(steps);
    assert.deepEqual(second, first);
    assert.deepEqual(await other.state(), await one.state());
    const [a, b] = [first?.distillLoss ?? 0, third?.distillLoss ?? 0];
    assert.ok(a !== b && Math.abs(a - b) < 0.01 * b, `${a} and ${b}`);
  });

  test("skips a step by a teacher whose weights are not finite", async () => {
    const student = engineStudent({ engine, learner: in8Bits(learner) });
    await student.init(rootKey(1));
    const params = mapValues(teacher(2).params, ({ shape }, name) =>
      name === "layers.1.weight" ? filled(shape, Number.NaN) : (teacher(2).params[name] as NamedArrays[string]),
    );
    const { skipped } = await student.learn([batch], [{ ...teacher(2), params }], 1);
    assert.match(skipped ?? "", /distillation loss NaN/);
    await student.close();
  });
});

describe("fixed teachers in 8 bits", () => {
  for (const [name, { learner, batch }] of Object.entries(cases)) {
    test(`${name}: they teach as a convex teacher of a group in 8 bits does, and not as in float32`, async () => {
      const params = initWeights(learner.model, rootKey(7));
      const fixed = (precision: "float32" | "int8"): Learner => ({
        ...learner,
        fixedTeachers: { weight: 0.4, precision, networks: [{ model: learner.model, share: 1 }] },
      });
      const ofGroup: Learner = { ...learner, distillation: { mix: "convex", teacherPrecision: "int8" } };
      const taught = async (which: Learner, teachers: readonly Teacher[]) => {
        const own = which.fixedTeachers ? [params] : undefined;
        await using student = engineStudent({ engine: opened(), learner: which, fixedWeights: own });
        await student.init(rootKey(1));
        const { targetLoss, distillLoss } = await student.learn([batch], teachers, 0.4);
        // By the state that the first step has left.
        await student.learn([batch], teachers, 0.4);
        return { loss: targetLoss ?? distillLoss ?? Number.NaN, params: await student.params() };
      };
      const peer = { group: 1, step: 1, digest: "drawn", params };
      const [inStep, own, whole] = [
        await taught(ofGroup, [peer]),
        await taught(fixed("int8"), []),
        await taught(fixed("float32"), []),
      ];
      assertAllClose(own.params, inStep.params, 1e-6, name, 1);
      assert.ok(Math.abs(own.loss - inStep.loss) < 1e-6, `${own.loss} and ${inStep.loss}`);
      assert.ok(
        own.loss !== whole.loss && Math.abs(own.loss - whole.loss) < 0.01 * whole.loss,
        `${own.loss} and ${whole.loss}`,
      );
    });
  }

  test("of unlike networks each has its own weights in 8 bits, and what is not in 8 bits stays", async () => {
    const { learner, batch } = cases["an LSTM, with the product inside of its loop"] as Case;
    const small = languageModel({ ...recurrent, hidden: 16, width: 4 }).model;
    const networks = [
      { model: small, share: 1 },
      { model: learner.model, share: 3 },
    ];
    const which: Learner = { ...learner, fixedTeachers: { weight: 0.5, precision: "int8", networks } };
    const graph = inTeacherPrecision(which, accumulateGraph(which, 0));
    const inputs = [...inputsOf(graph).keys()];
    // The other one's weights are all small.
    assert.equal(
      inputs.some((input) => input.startsWith("fixedTeachersInt8.0")),
      false,
    );
    assert.equal(inputs.filter((input) => input.startsWith("fixedTeachersInt8.1")).length, 8);
    await using student = engineStudent({
      engine: opened(),
      learner: which,
      fixedWeights: networks.map(({ model }, i) => initWeights(model, rootKey(i))),
    });
    await student.init(rootKey(1));
    const { skipped, targetLoss } = await student.learn([batch], [], 0);
    assert.ok(skipped === null && Number.isFinite(targetLoss));
  });
});
