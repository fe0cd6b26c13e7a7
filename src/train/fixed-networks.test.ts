/** Fixed teachers that predict in the step, of networks unlike the student's: equalities with teachers in other ways. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { languageTask, randomTokens } from "../../test/fixtures/sequence-models.js";
import type { Engine } from "../engine/engine.js";
import { CheckpointError } from "../errors.js";
import { lstmLanguageModel } from "../nn/lstm-language-model.js";
import { initWeights, type Model } from "../nn/model.js";
import { readingLanes, readingSequences } from "../nn/relaid.js";
import { transformerLanguageModel } from "../nn/transformer-language-model.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { adam } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import { type NamedArrays, type NdArray, zeros } from "../runtime/array.js";
import { mapValues, named, underPrefix } from "../runtime/named.js";
import { fold, rootKey } from "../runtime/random.js";
import type { FixedNetwork, FixedTeachers, Learner } from "./learner.js";
import { engineStudent, type StepMetrics, type Teacher } from "./student.js";

const engines: Engine[] = [];
/** An engine of its own, as students side by side do not share one. */
const opened = () => {
  const own = onnxRuntimeEngine({ threads: 1 });
  engines.push(own);
  return own;
};
const engine = opened();
after(() => Promise.all(engines.map((own) => own.close())));

const texts = { sequenceLength: 6, batchSize: 4, vocabulary: 11 };
const networks = {
  lstm: (chunks = 1, dropout = 0) => lstmLanguageModel({ ...texts, width: 6, hidden: 8, numChunks: chunks, dropout }),
  transformer: (chunks = 1, dropout = 0) =>
    transformerLanguageModel({ ...texts, width: 8, numHeads: 2, numLayers: 1, numChunks: chunks, dropout }),
};
/** Of other widths, depths and styles. */
const unlike = {
  lstm: (chunks = 1) =>
    lstmLanguageModel({ ...texts, width: 10, hidden: 12, numLayers: 1, numChunks: chunks, dropout: 0.5 }),
  transformer: (chunks = 1) =>
    transformerLanguageModel({
      ...texts,
      ...{ width: 12, numHeads: 3, numLayers: 2, numChunks: chunks, dropout: 0.5 },
      ...{ style: "gpt", isTied: false },
    }),
};
type Kind = keyof typeof networks;
const kinds = Object.keys(networks) as Kind[];

const learnerOf = (model: Model, changes: Partial<Learner> = {}): Learner => ({
  ...languageTask(model, texts.vocabulary),
  optimizer: adam(constantSchedule(0.01)),
  ...changes,
});
const taughtBy = (weight: number, ...own: readonly FixedNetwork[]): { readonly fixedTeachers: FixedTeachers } => ({
  fixedTeachers: { weight, networks: own },
});

function batchOf(kind: Kind, step: number): NamedArrays {
  const { ids, labels } = randomTokens(texts, (name) => fold(fold(rootKey(5), name), step));
  const { sequenceLength, batchSize } = texts;
  const shape = kind === "lstm" ? [sequenceLength, batchSize] : [batchSize, sequenceLength];
  return { ids: { ...(ids as NdArray), shape }, labels: labels as NdArray };
}

interface Taught {
  readonly teachers?: readonly Teacher[];
  readonly distillWeight?: number;
  readonly fixedWeights?: readonly NamedArrays[];
}

/** The metrics of some steps, and the state in which they end. */
async function trained(kind: Kind, learner: Learner, { teachers = [], distillWeight = 0, fixedWeights }: Taught = {}) {
  await using student = engineStudent({ engine, learner, fixedWeights });
  await student.init(rootKey(1));
  const steps: StepMetrics[] = [];
  for (let step = 0; step < 4; step++) steps.push(await student.learn([batchOf(kind, step)], teachers, distillWeight));
  return { steps, params: await student.params(), state: await student.state() };
}

const drawn = (model: Model, seed: number): NamedArrays =>
  // Sharper than fresh ones, so that what they predict is far from uniform.
  mapValues(initWeights(model, rootKey(seed)), (own) => ({ ...own, data: own.data.map((x) => 3 * x) }) as NdArray);
const teacher = (params: NamedArrays, group = 1): Teacher => ({ group, step: 1, digest: `drawn ${group}`, params });

const apart = (a: NamedArrays, b: NamedArrays) =>
  Math.max(
    ...Object.entries(a).flatMap(([name, { data }]) =>
      Array.from(data, (value, i) => Math.abs(Number(value) - Number(named(b, name).data[i]))),
    ),
  );

for (const kind of kinds) {
  describe(kind, () => {
    const model = networks[kind]();
    const other = unlike[kind]();
    const plain = () => trained(kind, learnerOf(model));

    test("one that is the student's own network teaches as a convex teacher of a group with its weights, with its state", async () => {
      const params = drawn(model, 9);
      const fixed = await trained(kind, learnerOf(model, taughtBy(0.4, { model, share: 1 })), {
        fixedWeights: [params],
      });
      const inStep = await trained(kind, learnerOf(model, { distillation: { mix: "convex" } }), {
        teachers: [teacher(params)],
        distillWeight: 0.4,
      });
      // Of the same numbers: what differs is whether the weight of the loss is fed or written into the graph.
      assert.ok(apart(fixed.params, inStep.params) < 1e-5, `${apart(fixed.params, inStep.params)} apart`);
      assert.ok(apart(fixed.params, (await plain()).params) > 1e-3);
      for (const [step, { targetLoss = Number.NaN, labelLoss }] of fixed.steps.entries()) {
        assert.ok(Math.abs(targetLoss - (inStep.steps[step]?.distillLoss ?? Number.NaN)) < 1e-5);
        assert.ok(Math.abs(labelLoss - (inStep.steps[step]?.labelLoss ?? Number.NaN)) < 1e-5);
      }
      const carried = underPrefix("state.fixedTeachers.0", fixed.state);
      assert.deepEqual(Object.keys(carried), Object.keys(model.state ?? {}));
      assert.deepEqual(carried, underPrefix("teacherState.1", inStep.state));
    });

    test("of weight 0 they leave training as it is, to the bit", async () => {
      const { params } = await trained(kind, learnerOf(model, taughtBy(0, { model: other, share: 1 })), {
        fixedWeights: [drawn(other, 9)],
      });
      assert.deepEqual(params, (await plain()).params);
    });

    test("two of them teach by their weighted mean: twice the same as once, and one of a small share as almost none", async () => {
      const [params, others] = [drawn(other, 9), drawn(other, 10)];
      const by = async (own: readonly (readonly [NamedArrays, number])[]) =>
        (
          await trained(kind, learnerOf(model, taughtBy(0.6, ...own.map(([, share]) => ({ model: other, share })))), {
            fixedWeights: own.map(([weights]) => weights),
          })
        ).params;
      const once = await by([[params, 1]]);
      assert.ok(
        apart(
          await by([
            [params, 1],
            [params, 3],
          ]),
          once,
        ) < 1e-4,
      );
      assert.ok(
        apart(
          await by([
            [params, 1],
            [others, 1e-6],
          ]),
          once,
        ) < 1e-3,
      );
      assert.ok(
        apart(
          await by([
            [params, 1],
            [others, 1],
          ]),
          once,
        ) > 1e-3,
      );
    });

    test("losses in chunks are those of all logits at once", async () => {
      const chunked = networks[kind](4);
      const other4 = unlike[kind](4);
      const weights = { fixedWeights: [drawn(other, 9)], teachers: [teacher(drawn(model, 12))], distillWeight: 0.5 };
      const at = await trained(kind, learnerOf(model, taughtBy(0.5, { model: other, share: 1 })), weights);
      const by = await trained(kind, learnerOf(chunked, taughtBy(0.5, { model: other4, share: 1 })), weights);
      assert.ok(apart(at.params, by.params) < 1e-4, `${apart(at.params, by.params)} apart`);
      for (const [step, { targetLoss = Number.NaN, distillLoss }] of at.steps.entries()) {
        assert.ok(Math.abs(targetLoss - (by.steps[step]?.targetLoss ?? Number.NaN)) < 1e-5);
        assert.ok(Math.abs((distillLoss ?? Number.NaN) - (by.steps[step]?.distillLoss ?? Number.NaN)) < 1e-5);
      }
    });

    test("the student drops, and its teachers drop nothing", async () => {
      const dropping = learnerOf(networks[kind](1, 0.3), taughtBy(1, { model: networks[kind](1, 0.9), share: 1 }));
      const zero = mapValues(drawn(model, 1), ({ shape }) => zeros(shape));
      const { steps } = await trained(kind, dropping, { fixedWeights: [zero] });
      assert.ok((steps[0]?.targetLoss ?? 0) > 0 && steps.every(({ skipped }) => skipped === null));
      // Twice in the same state, with other draws of the student: a teacher that drops would say something else.
      const said = await Promise.all(
        [3, 4].map(async (seed) => {
          await using student = engineStudent({
            engine: opened(),
            learner: learnerOf(model, taughtBy(0.5, { model: networks[kind](1, 0.9), share: 1 })),
            key: rootKey(seed),
            fixedWeights: [drawn(model, 9)],
          });
          await student.init(rootKey(1));
          return (await student.learn([batchOf(kind, 0)], [], 0)).targetLoss;
        }),
      );
      assert.equal(said[0], said[1]);
    });

    test("half of the batch for groups leaves fixed teachers all of it", async () => {
      const taught = { first: 2, of: texts.batchSize };
      const weights = { fixedWeights: [drawn(other, 9)], teachers: [teacher(drawn(model, 12))], distillWeight: 0.5 };
      const own = taughtBy(0.5, { model: other, share: 1 });
      const some = await trained(kind, learnerOf(model, { ...own, distillation: { taught } }), weights);
      const all = await trained(kind, learnerOf(model, own), weights);
      assert.ok(Math.abs((some.steps[0]?.targetLoss ?? 0) - (all.steps[0]?.targetLoss ?? 1)) < 1e-6);
      assert.ok(Math.abs((some.steps[0]?.distillLoss ?? 0) - (all.steps[0]?.distillLoss ?? 0)) > 1e-4);
    });

    test("what is saved is gone on from, to the bit", async () => {
      const learner = learnerOf(model, taughtBy(0.5, { model: other, share: 1 }));
      const options = { learner, fixedWeights: [drawn(other, 9)] };
      await using one = engineStudent({ engine: opened(), ...options });
      await using again = engineStudent({ engine: opened(), ...options });
      await one.init(rootKey(1));
      for (let step = 0; step < 2; step++) await one.learn([batchOf(kind, step)], [], 0);
      await again.restore(await one.state(), 2);
      for (let step = 2; step < 4; step++) {
        assert.deepEqual(
          await again.learn([batchOf(kind, step)], [], 0),
          await one.learn([batchOf(kind, step)], [], 0),
        );
      }
      assert.deepEqual(await again.state(), await one.state());
      // Checkpoints have the states of fixed teachers, and not their weights.
      const own = Object.keys(await one.state()).filter((name) => name.includes("fixedTeachers"));
      assert.deepEqual(
        own,
        Object.keys(other.state ?? {}).map((name) => `state.fixedTeachers.0.${name}`),
      );
    });

    test("weights of another network are refused, and a target that is not finite leaves the step out", async () => {
      const learner = learnerOf(model, taughtBy(0.5, { model: other, share: 1 }));
      assert.throws(
        () => engineStudent({ engine, learner, fixedWeights: [drawn(model, 9)] }),
        (error) => error instanceof CheckpointError && /fixed teacher 1 does not fit the model/.test(error.message),
      );
      const broken = mapValues(drawn(other, 9), (own) => ({ ...own, data: own.data.map(() => Number.NaN) }) as NdArray);
      const { steps } = await trained(kind, learner, { fixedWeights: [broken] });
      assert.match(steps[0]?.skipped ?? "", /loss against fixed teachers NaN/);
    });
  });
}

test("a transformer says of lanes, and an LSTM of sequences, what they say of the same texts in their own layout", async () => {
  const { sequenceLength, batchSize } = texts;
  const model = networks.transformer();
  const params = drawn(model, 9);
  const [byText, byTime] = [batchOf("transformer", 0), batchOf("lstm", 0)];
  // The same texts in both batches.
  const across = (values: NdArray, shape: readonly number[]): NdArray =>
    ({
      ...values,
      shape,
      data: values.data.map((_, i) => {
        const [time, text] = [Math.floor(i / batchSize), i % batchSize];
        return values.data[text * sequenceLength + time] as never;
      }),
    }) as NdArray;
  const lanes = {
    ids: across(named(byText, "ids"), [sequenceLength, batchSize]),
    labels: across(named(byText, "labels"), named(byTime, "labels").shape),
  };
  for (const chunks of [1, 4]) {
    const own = networks.transformer(chunks);
    const learners = [own, readingLanes(own, batchSize, sequenceLength)].map((network) => learnerOf(network));
    const said = [];
    for (const [i, learner] of learners.entries()) {
      await using student = engineStudent({ engine, learner });
      await student.init(rootKey(1), params);
      said.push((await student.learn([i === 0 ? byText : lanes], [], 0)).labelLoss);
    }
    assert.ok(Math.abs((said[0] ?? 0) - (said[1] ?? 1)) < 1e-6, said.join(" "));
  }
  const recurrent = drawn(networks.lstm(), 9);
  for (const chunks of [1, 4]) {
    const own = networks.lstm(chunks);
    const said = [];
    for (const [batch, network] of [
      [lanes, own],
      [byText, readingSequences(own, batchSize, sequenceLength)],
    ] as const) {
      await using student = engineStudent({ engine, learner: learnerOf(network) });
      await student.init(rootKey(1), recurrent);
      const first = await student.learn([batch], [], 0);
      said.push(first.labelLoss);
      assert.equal(
        Object.keys(await student.state()).some((name) => name.startsWith("state.")),
        network === own,
      );
    }
    // Where texts begin the LSTM's own state is what it begins with.
    assert.ok(Math.abs((said[0] ?? 0) - (said[1] ?? 1)) < 1e-6, said.join(" "));
  }
  const ofSequences = readingSequences(networks.lstm(), batchSize, sequenceLength);
  const reverse = learnerOf(networks.transformer(), taughtBy(0.5, { model: ofSequences, share: 1 }));
  const taught = await trained("transformer", reverse, { fixedWeights: [recurrent] });
  assert.ok(taught.steps.every(({ skipped, targetLoss }) => skipped === null && Number.isFinite(targetLoss)));
  const before = await trained("transformer", learnerOf(networks.transformer()));
  assert.ok(apart(taught.params, before.params) > 1e-3);
  const lstm = networks.lstm();
  const learner = learnerOf(lstm, taughtBy(0.5, { model: readingLanes(model, batchSize, sequenceLength), share: 1 }));
  const { steps } = await trained("lstm", learner, { fixedWeights: [params] });
  assert.ok(steps.every(({ skipped, targetLoss }) => skipped === null && Number.isFinite(targetLoss)));
});
