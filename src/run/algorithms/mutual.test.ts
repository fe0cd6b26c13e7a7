/** Deep mutual learning in a whole group: that students teach, its way back, and what is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runTiny, tinyData } from "../../../test/fixtures/group-run.js";
import { refusalOf, tinyConfig, tinyRows } from "../../../test/fixtures/tiny-run.js";
import { CheckpointError } from "../../errors.js";
import type { NamedArrays } from "../../runtime/array.js";
import { underPrefix } from "../../runtime/named.js";
import { checkSameRun } from "../config-diff.js";

const mutual = (options: object = {}) => ({ algorithm: { kind: "mutual", ...options } }) as const;

type Outcome = Awaited<ReturnType<typeof runTiny>>;

const stateOf = ({ checkpoint }: Outcome): NamedArrays => checkpoint?.state ?? {};
const dropout = { model: { kind: "mlp", embeddings: { colour: 2 }, hidden: [8], dropout: 0.3 } } as const;

test("each student is taught in every step, and the first one's way depends on the others", async () => {
  const outcome = await runTiny({ changes: mutual() });
  assert.equal(outcome.reason, "finished");
  const steps = outcome.events.flatMap((event) => (event.event === "step" ? [event] : []));
  assert.equal(steps.length, 6);
  for (const { distillLoss, divergence, distillWeight } of steps) {
    assert.ok(distillLoss !== null && divergence !== null && divergence > 0);
    assert.equal(distillWeight, 1);
  }
  const alone = stateOf(await runTiny({ changes: { algorithm: { kind: "plain" } } }));
  assert.notDeepEqual(stateOf(outcome)["params.layers.0.weight"], alone["params.layers.0.weight"]);
});

test("at a weight that is next to nothing the first student is one that trains plainly, but for rounding", async () => {
  const alone = stateOf(await runTiny({ changes: { algorithm: { kind: "plain" } } }));
  const first = stateOf(await runTiny({ changes: mutual({ distillWeight: 1e-12 }) }));
  for (const [name, { data }] of Object.entries(alone)) {
    for (const [i, value] of data.entries())
      assert.ok(Math.abs(Number(value) - Number(first[name]?.data[i])) < 1e-5, `${name}[${i}]`);
  }
});

test("students agree more the more they are pulled", async () => {
  const lastDivergence = async (distillWeight: number) => {
    const { events } = await runTiny({ changes: { ...mutual({ distillWeight }), numSteps: 200 } });
    return events.flatMap((event) => (event.event === "step" ? [event.divergence ?? Number.NaN] : [])).at(-1) as number;
  };
  assert.ok((await lastDivergence(4)) < (await lastDivergence(0.01)) / 2);
});

for (const [name, changes] of [
  ["two students", mutual()],
  ["three with dropout and batches of two parts", { ...mutual({ students: 3 }), ...dropout, accumulate: 2 }],
] as const) {
  test(`a group that was stopped goes on as if it had not, to the bit: ${name}`, async () => {
    const whole = await runTiny({ changes });
    const first = await runTiny({ changes, stopAt: 30 });
    const second = await runTiny({ changes, files: first.files });
    assert.deepEqual([whole.reason, first.reason, second.reason], ["finished", "stopped", "finished"]);
    assert.deepEqual(stateOf(second), stateOf(whole));
  });
}

test("students begin and end apart", async () => {
  const state = stateOf(await runTiny({ changes: mutual() }));
  const second = underPrefix("students.1", state);
  assert.deepEqual(Object.keys(second).length, Object.keys(state).length / 2);
  assert.notDeepEqual(second["params.layers.0.weight"], state["params.layers.0.weight"]);
});

test("a step in which a student's numbers are not finite is told of with the student", async () => {
  const train = tinyRows(96, 1, 96);
  const { events, reason } = await runTiny({ changes: mutual(), data: { ...tinyData(), train } });
  assert.match(String(reason), /losses and gradients must stay finite, and 3 steps in a row were skipped/);
  const [skipped] = events.flatMap((event) => (event.event === "step-skipped" ? [event.reason] : []));
  assert.match(skipped ?? "", /student 0: label loss NaN.*student 1: label loss NaN/);
});

test("a checkpoint of another number of students is refused", async () => {
  const first = await runTiny({ changes: mutual(), stopAt: 20 });
  const { reason } = await runTiny({ changes: mutual({ students: 3 }), files: first.files });
  assert.ok(reason instanceof CheckpointError);
  assert.match(reason.message, /as many students as it has: 2, got 3\. Set algorithm\.students to 2/);
  assert.throws(
    () => checkSameRun(tinyConfig(mutual()), tinyConfig(mutual({ students: 3 }))),
    /algorithm\.students: the run has 2, this configuration has 3/,
  );
});

describe("what cannot be is refused with the cure", () => {
  for (const [name, changes, expected] of [
    ["one student", mutual({ students: 1 }), /algorithm\.students: must be >= 2, got 1/],
    ["nine students", mutual({ students: 9 }), /algorithm\.students: must be <= 8, got 9/],
    ["no weight", mutual({ distillWeight: 0 }), /algorithm\.distillWeight: must be > 0, got 0/],
    ["no temperature", mutual({ temperature: 0 }), /algorithm\.temperature: must be > 0, got 0/],
    ["a name that is none", mutual({ peers: 2 }), /algorithm\.peers: unknown name/],
    ["several workers", { ...mutual(), workers: 2 }, /workers: must be 1 with algorithm "mutual"/],
    ["a recording", { ...mutual(), record: true }, /record: must be false with algorithm "mutual"/],
    [
      "weights to begin from",
      { ...mutual(), init: "model.safetensors" },
      /init: must be left out with algorithm "mutual"/,
    ],
    [
      "a temperature of numbers",
      { ...mutual({ temperature: 2 }), task: "regression" },
      /algorithm\.temperature: softens probabilities, which task "regression" has none of/,
    ],
  ] as const) {
    test(name, () => assert.match(refusalOf(changes), expected));
  }
});
