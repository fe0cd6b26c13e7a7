/** Local SGD and DiLoCo in a whole group: their equalities with others, their way back, and what is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownEvents, runTiny, tinyData } from "../../../test/fixtures/group-run.js";
import { refusalOf, tinyConfig, tinyRows } from "../../../test/fixtures/tiny-run.js";
import { CheckpointError } from "../../errors.js";
import type { NamedArrays } from "../../runtime/array.js";
import { checkSameRun } from "../config-diff.js";

const local = (localSteps: number) => ({ algorithm: { kind: "localSgd", localSteps } }) as const;
const diloco = (options: object = {}) => ({ algorithm: { kind: "diloco", localSteps: 10, ...options } }) as const;
const plain = { algorithm: { kind: "plain" } } as const;
const two = { workers: 2 } as const;

type Outcome = Awaited<ReturnType<typeof runTiny>>;

const stateOf = ({ checkpoint }: Outcome): NamedArrays => checkpoint?.state ?? {};
const averaged = ({ events }: Outcome) => events.flatMap((event) => (event.event === "averaged" ? [event] : []));
const losses = ({ events }: Outcome) => events.flatMap((event) => (event.event === "validation" ? [event.loss] : []));

/** What a checkpoint of plain training has, of a state that has more. */
function like(state: NamedArrays, plainState: NamedArrays): NamedArrays {
  return Object.fromEntries(Object.keys(plainState).map((name) => [name, state[name] as NamedArrays[string]]));
}

test("local SGD with one worker is plain training, to the bit, and sends nothing", async () => {
  const alone = await runTiny({ changes: plain });
  const whole = await runTiny({ changes: local(10) });
  assert.equal(whole.reason, "finished");
  assert.deepEqual(like(stateOf(whole), stateOf(alone)), stateOf(alone));
  assert.deepEqual(losses(whole), losses(alone));
  assert.deepEqual(
    averaged(whole).map(({ step, bytes }) => [step, bytes]),
    [10, 20, 30, 40, 50, 60].map((step) => [step, 0]),
  );
});

test("two workers that share after each step of SGD take the steps of one with the whole batch, but for rounding", async () => {
  const sgd = { optimizer: { kind: "sgd", learningRate: 0.1, schedule: "constant" } } as const;
  const alone = stateOf(await runTiny({ changes: { ...plain, ...sgd } }));
  const shared = stateOf(await runTiny({ changes: { ...local(1), ...sgd, ...two } }));
  for (const [name, { data }] of Object.entries(alone)) {
    const other = shared[name]?.data as Float32Array;
    for (const [i, value] of data.entries())
      assert.ok(Math.abs(Number(value) - Number(other[i])) < 1e-5, `${name}[${i}]: ${value}, ${other[i]}`);
  }
});

test("DiLoCo at rate 1 without momentum is local SGD, to the bit, and with its own rate it is not", async () => {
  const mean = await runTiny({ changes: { ...local(10), ...two } });
  const same = await runTiny({ changes: { ...diloco({ outerLearningRate: 1, outerMomentum: 0 }), ...two } });
  assert.deepEqual(stateOf(same), stateOf(mean));
  const other = await runTiny({ changes: { ...diloco(), ...two } });
  assert.equal(other.reason, "finished");
  assert.notDeepEqual(stateOf(other)["shared.params.layers.0.weight"], stateOf(mean)["shared.params.layers.0.weight"]);
});

test("after the last step all have the shared params; each kept its own optimizer state", async () => {
  const state = stateOf(await runTiny({ changes: { ...diloco({ localSteps: 25 }), workers: 2 } }));
  const of = (prefix: string) => Object.entries(state).filter(([name]) => name.startsWith(prefix));
  assert.ok(of("shared.params.").length > 0);
  for (const [name, array] of of("shared.params.")) {
    const path = name.slice("shared.".length);
    assert.deepEqual(state[path], array, path);
    assert.deepEqual(state[`workers.1.${path}`], array, path);
  }
  const moments = of("optState.");
  assert.ok(moments.length > 0);
  assert.ok(moments.some(([name, { data }]) => data.some((value, i) => value !== state[`workers.1.${name}`]?.data[i])));
});

test("the log has every exchange with the bytes that went between the workers", async () => {
  const outcome = await runTiny({ changes: { ...local(25), workers: 4 } });
  const state = stateOf(outcome);
  const numbers = Object.entries(state).flatMap(([name, { data }]) =>
    name.startsWith("shared.") ? [data.length] : [],
  );
  // Each array begins at a multiple of 16 numbers.
  const flat = numbers.reduce((sum, length) => sum + 16 * Math.ceil(length / 16), 0);
  assert.deepEqual(
    averaged(outcome).map(({ step, bytes }) => [step, bytes]),
    [25, 50, 60].map((step) => [step, 2 * 3 * 4 * flat]),
  );
  const [step] = outcome.events.flatMap((event) => (event.event === "step" ? [event] : []));
  assert.equal(step?.workers?.length, 4);
});

const dropout = { model: { kind: "mlp", embeddings: { colour: 2 }, hidden: [8], dropout: 0.3 } } as const;

for (const [name, changes] of [
  ["Adam", { ...diloco(), ...two }],
  [
    "dropout, an average of the params and batches of two parts",
    { ...local(10), ...dropout, ...two, accumulate: 2, ema: { decay: 0.9 } },
  ],
  ["one worker", diloco()],
] as const) {
  test(`a group that is stopped between two exchanges goes on as if it had not: ${name}`, async () => {
    // Steps are logged every 10 steps from 10 on: the group stops at step 30, which is no multiple of 7.
    const apart = { ...changes, algorithm: { ...changes.algorithm, localSteps: 7 } };
    const whole = await runTiny({ changes: apart });
    const first = await runTiny({ changes: apart, stopAt: 30 });
    const second = await runTiny({ changes: apart, files: first.files });
    assert.deepEqual([whole.reason, first.reason, second.reason], ["finished", "stopped", "finished"]);
    assert.equal(first.checkpoint?.info.step, 30);
    assert.deepEqual(stateOf(second), stateOf(whole));
    assert.deepEqual(losses(second), losses(whole).slice(-2));
  });
}

test("workers with dropout draw apart", async () => {
  const state = stateOf(await runTiny({ changes: { ...local(60), ...dropout, ...two, numSteps: 60 }, stopAt: 10 }));
  assert.notDeepEqual(state["params.layers.0.weight"], state["workers.1.params.layers.0.weight"]);
});

test("what is validated are the params that all share, as the last exchange left them", async () => {
  const { events } = await runTiny({ changes: { ...local(30), ...two, validationInterval: 10 } });
  const all = events.flatMap((event) => (event.event === "validation" ? [[event.step, event.loss] as const] : []));
  assert.deepEqual(
    all.map(([step]) => step),
    [10, 20, 30, 40, 50, 60],
  );
  const [at10, at20, at30, at40, at50, at60] = all.map(([, loss]) => loss);
  assert.deepEqual([at20, at40, at50], [at10, at30, at30]);
  assert.notEqual(at30, at10);
  assert.notEqual(at60, at30);
});

test("a worker whose numbers are not finite is told of, and the group goes back and gives up as any group", async () => {
  const train = tinyRows(96, 1, 96);
  const { events, reason } = await runTiny({ changes: { ...local(10), ...two }, data: { ...tinyData(), train } });
  assert.match(String(reason), /losses and gradients must stay finite, and 3 steps in a row were skipped/);
  assert.equal(ownEvents(events).filter((event) => event.startsWith("restored 0 from 3")).length, 3);
  const [skipped] = events.flatMap((event) => (event.event === "step-skipped" ? [event.reason] : []));
  assert.match(skipped ?? "", /worker 0: label loss NaN.*worker 1: label loss NaN/);
});

test("a checkpoint of other workers is refused, with how many there were", async () => {
  const first = await runTiny({ changes: { ...local(10), ...two }, stopAt: 20 });
  const { reason } = await runTiny({ changes: { ...local(10), workers: 4 }, files: first.files });
  assert.ok(reason instanceof CheckpointError);
  assert.match(reason.message, /states of 2, and this group has 4\. Set workers to 2/);
  const config = tinyConfig({ ...local(10), ...two, accumulate: 2 });
  assert.throws(() => checkSameRun(config, tinyConfig({ ...local(10), workers: 4 })), /workers: the run has 2/);
  checkSameRun(config, tinyConfig({ ...local(10), ...two, accumulate: 2, logInterval: 5 }));
});

describe("what cannot be is refused with the cure", () => {
  for (const [name, changes, expected] of [
    ["no steps", local(0), /algorithm\.localSteps: must be > 0, got 0/],
    ["half a step", local(1.5), /algorithm\.localSteps: .*got 1\.5/],
    ["more steps than the run has", local(100), /algorithm\.localSteps: must be at most numSteps \(60\), got 100/],
    ["no outer rate", diloco({ outerLearningRate: 0 }), /algorithm\.outerLearningRate: must be > 0, got 0/],
    ["a momentum of 1", diloco({ outerMomentum: 1 }), /algorithm\.outerMomentum: must be < 1, got 1/],
    ["a momentum below 0", diloco({ outerMomentum: -0.1 }), /algorithm\.outerMomentum: must be >= 0, got -0\.1/],
    [
      "a name that is none",
      diloco({ outerLearningrate: 1 }),
      /outerLearningrate: unknown name; did you mean "outerLearningRate"/,
    ],
    [
      "an outer rate of local SGD",
      { algorithm: { kind: "localSgd", outerLearningRate: 0.7 } },
      /algorithm\.outerLearningRate: unknown name/,
    ],
    ["a recording", { ...local(10), record: true }, /record: must be false with algorithm "localSgd"/],
    [
      "an average with an outer step",
      { ...diloco(), ema: { decay: 0.9 } },
      /ema: must be left out with algorithm "diloco"/,
    ],
    [
      "workers that do not divide the batch",
      { ...local(10), workers: 3 },
      /workers: must divide globalBatchSize \(8\)/,
    ],
    ["another device", { ...local(10), ...two, device: "webgpu" }, /workers: must be 1 on webgpu/],
    ["a kind that is none", { algorithm: { kind: "localsgd" } }, /algorithm\.kind: .*did you mean "localSgd"/],
  ] as const) {
    test(name, () => assert.match(refusalOf(changes), expected));
  }
});
