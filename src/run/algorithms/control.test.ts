/** Controls of codistillation: what teaches in place of other groups, that runs go on from checkpoints, and what is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { flightsLike, randomBatch } from "../../../test/fixtures/flights-like.js";
import { runTiny } from "../../../test/fixtures/group-run.js";
import { refusalOf, tinyConfig, tinyInput } from "../../../test/fixtures/tiny-run.js";
import { memoryStore } from "../../checkpoint/store.js";
import { initWeights } from "../../nn/model.js";
import { onnxRuntimeEngine } from "../../node/ort/onnxruntime.js";
import { named } from "../../runtime/named.js";
import { rootKey } from "../../runtime/random.js";
import { predictGraph, stateNames } from "../../train/graphs.js";
import { engineStudent } from "../../train/student.js";
import { algorithmOf } from "../algorithms.js";
import { resolveConfig } from "../config.js";

const control = (kind: "random" | "shuffled" | "own", options: object = {}) =>
  ({ algorithm: { control: kind, burnInSteps: 0, publishInterval: 10, exchangeInterval: 10, ...options } }) as const;
const plain = { algorithm: { kind: "plain" } } as const;

type Outcome = Awaited<ReturnType<typeof runTiny>>;

const stepsOf = ({ events }: Outcome) => events.flatMap((event) => (event.event === "step" ? [event] : []));
const stateOf = ({ checkpoint }: Outcome) => checkpoint?.state ?? {};

test("random weights teach from the end of burn-in on, never change, and nothing is exchanged", async () => {
  const store = memoryStore();
  const outcome = await runTiny({ changes: { ...control("random", { burnInSteps: 20 }), numGroups: 3 }, store });
  assert.equal(outcome.reason, "finished");
  const teachers = stepsOf(outcome).map(({ step, teachers }) => [step, teachers.map((one) => [one.group, one.step])]);
  const both = [
    [1, 0],
    [2, 0],
  ];
  assert.deepEqual(
    teachers,
    [10, 20, 30, 40, 50, 60].map((step) => [step, step > 20 ? both : []]),
  );
  assert.deepEqual(
    (await store.list("")).filter((name) => name.includes("snapshots")),
    [],
  );
  const alone = await runTiny({ changes: { ...plain, numGroups: 3 } });
  assert.notDeepEqual(stateOf(outcome)["params.layers.0.weight"], stateOf(alone)["params.layers.0.weight"]);
});

test("one's own copy of one step ago teaches nothing that plain training does not: its mean is where the student is", async () => {
  const sgd = { optimizer: { kind: "sgd", learningRate: 0.1, schedule: "constant" } } as const;
  const own = stateOf(await runTiny({ changes: { ...control("own", { publishInterval: 1 }), ...sgd } }));
  const plainly = stateOf(await runTiny({ changes: { ...plain, ...sgd } }));
  for (const [name, { data }] of Object.entries(plainly)) {
    for (const [i, value] of data.entries())
      assert.ok(Math.abs(Number(value) - Number(own[name]?.data[i])) < 1e-5, `${name}[${i}]`);
  }
  const older = stateOf(await runTiny({ changes: { ...control("own", { publishInterval: 20 }), ...sgd } }));
  assert.notDeepEqual(older["params.layers.0.weight"], plainly["params.layers.0.weight"]);
});

test("the own copy is as old as the last publication", async () => {
  const outcome = await runTiny({ changes: { ...control("own", { publishInterval: 25 }), logInterval: 5 } });
  for (const { step, teachers } of stepsOf(outcome)) {
    const copied = 25 * Math.floor((step - 1) / 25);
    // Before the first publication there is none.
    assert.deepEqual(teachers, copied === 0 ? [] : [{ group: 0, step: copied, age: step - 1 - copied }]);
  }
});

for (const kind of ["random", "own"] as const) {
  test(`a group that was stopped goes on as if it had not, to the bit: ${kind}`, async () => {
    const changes = control(kind, { publishInterval: 7 });
    const whole = await runTiny({ changes });
    const first = await runTiny({ changes, stopAt: 30 });
    const second = await runTiny({ changes, files: first.files });
    assert.deepEqual([first.reason, second.reason], ["stopped", "finished"]);
    assert.deepEqual(stateOf(second), stateOf(whole));
  });
}

test("shuffled predictions are those for the next row, and the last row has those for the first", async () => {
  const rows = 6;
  const learner = { ...flightsLike(), distillation: { taught: { first: rows, of: rows, isShuffled: true } } };
  const { model, objective } = learner;
  const engine = onnxRuntimeEngine({ threads: 1 });
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(1));
  const batch = randomBatch(rows, 3);
  const probs = async (prefix: string) => {
    const program = await engine.compile(predictGraph({ model, objective }, prefix));
    return [...(named(await program.run(batch), "probs").data as Float32Array)];
  };
  const params = initWeights(model, rootKey(2));
  const own = await probs(stateNames.params);
  const { distillLoss } = await student.learn([batch], [{ group: 1, step: 0, digest: "t", params }], 1);
  const taught = await probs(stateNames.teacher(0));
  const against = (targets: readonly number[]) =>
    targets.reduce(
      (sum, t, i) => sum - t * Math.log(own[i] as number) - (1 - t) * Math.log(1 - (own[i] as number)),
      0,
    ) / rows;
  const rolled = [...taught.slice(1), taught[0] as number];
  assert.ok(Math.abs((distillLoss ?? Number.NaN) - against(rolled)) < 1e-5);
  assert.ok(Math.abs(against(rolled) - against(taught)) > 1e-4, "the batch must tell one from the other");
  await student.close();
  await engine.close();
});

test("groups whose teachers are shuffled exchange as codistilled ones do, and no teacher is left out for what it says", async () => {
  const store = memoryStore();
  const changes = { ...control("shuffled"), numGroups: 2, numSteps: 400 };
  await runTiny({ changes, store, groupIndex: 1 });
  const outcome = await runTiny({ changes, store, awaitTeacher: true });
  assert.equal(outcome.reason, "finished");
  assert.ok(stepsOf(outcome).some(({ distillLoss, teachers }) => distillLoss !== null && teachers.length === 1));
  assert.ok(outcome.events.every(({ event }) => event !== "teacher-quarantined"));
});

test("a control is told of in words, whatever it is inside, and groups share it", () => {
  const remark = (algorithm: object) =>
    algorithmOf(resolveConfig({ ...tinyInput({ numGroups: 2 }), algorithm })).remark;
  assert.match(remark({ control: "own" }) ?? "", /^CONTROL "own": each group is taught by an older copy of itself/);
  assert.match(remark({ control: "random" }) ?? "", /^CONTROL "random": teachers have random weights/);
  assert.match(remark({ kind: "asyncSgd", codistill: { control: "shuffled" } }) ?? "", /^CONTROL "shuffled"/);
  assert.equal(remark({}), null);
  assert.equal(remark({ kind: "plain" }), null);
  const declared = (changes: object): Readonly<Record<string, unknown>> => algorithmOf(tinyConfig(changes)).declared;
  assert.equal(declared(control("own")).control, "own");
  assert.equal("control" in declared({}), false);
});

describe("what cannot be is refused with the cure", () => {
  const problem = (changes: object) => refusalOf(changes, tinyInput({ numGroups: 2 }));
  for (const [name, changes, expected] of [
    ["a control that is none", { algorithm: { control: "randon" } }, /algorithm\.control: .*did you mean "random"/],
    [
      "shuffling of nobody's predictions",
      { ...control("shuffled"), numGroups: 1 },
      /algorithm\.control: "shuffled" is of other groups' predictions; set numGroups to 2 or more, got 1/,
    ],
    [
      "one row",
      { ...control("shuffled"), globalBatchSize: 8, accumulate: 8 },
      /algorithm\.control: "shuffled" needs 2 examples at least/,
    ],
    [
      "fresh rows",
      control("shuffled", { freshInputs: 0.3 }),
      /algorithm\.freshInputs: must be left out with algorithm\.control "shuffled"/,
    ],
    [
      "consolidation",
      control("own", { consolidate: {} }),
      /algorithm\.consolidate: must be left out with algorithm\.control "own"/,
    ],
    ["a recording", { ...control("random"), record: true }, /record: must be false with algorithm\.control "random"/],
    [
      "a control of plain training",
      { algorithm: { kind: "plain", control: "own" } },
      /algorithm\.control: unknown name/,
    ],
  ] as const) {
    test(name, () => assert.match(problem(changes), expected));
  }
});
