import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";
import { smallLearners } from "../../test/fixtures/small-learners.js";
import type { Engine, Program } from "../engine/engine.js";
import { planOf } from "../engine/plan.js";
import { ClosedError } from "../errors.js";
import { initWeights } from "../nn/model.js";
import { weightedBinary } from "../nn/objectives.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { filled, float32, type NamedArrays, type NdArray, scalar } from "../runtime/array.js";
import { mapValues, withPrefix } from "../runtime/named.js";
import { rootKey } from "../runtime/random.js";
import { type Learner, stateNames, stepGraph, weightState } from "./graphs.js";
import { fusedStepper, MOST_AHEAD, splitStepper, type Workers } from "./stepper.js";
import { engineStudent } from "./student.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

describe("the fused step is one graph, whose bytes change only on purpose", () => {
  const digests = {
    click: "56a5551c8ed4ae8d",
    flights: "b025979f7a59233b",
    lstm: "857fb75702467218",
    transformer: "cec0bd1ab5dbd843",
    residual: "1af32256dbb4d23b",
    separable: "21102ee608c444c9",
  } as const;
  for (const [name, expected] of Object.entries(digests) as [keyof typeof digests, string][]) {
    test(name, () => {
      const { learner } = smallLearners[name]();
      const bytes = [0, 1, 2].map((numTeachers) => planOf(stepGraph(learner, numTeachers)).onnx);
      const hash = bytes.reduce((digest, one) => digest.update(one), createHash("sha256"));
      assert.equal(hash.digest("hex").slice(0, 16), expected);
    });
  }
});

const click = smallLearners.click();
const learner: Learner = { ...click.learner, objective: weightedBinary({ positiveWeight: 9 }) };
const scalars = mapValues(learner.optimizer.scalars, (schedule) => scalar(schedule(0)));

async function begin(): Promise<void> {
  const memory = learner.optimizer.stateSpec(learner.model.params);
  const optState = withPrefix(
    stateNames.optState,
    mapValues(memory, ({ shape, fill }) => filled(shape, fill)),
  );
  await engine.write({ ...weightState(learner.model, initWeights(learner.model, rootKey(1))), ...optState });
}

const paramsNow = () => engine.read(Object.keys(withPrefix(stateNames.params, learner.model.params)));

test("parts of two workers make the step of all their rows, each part by the weight of its labels", async () => {
  const rows = (name: string, array: NdArray, half: 0 | 1) => {
    const size = array.data.length / 2;
    const shape = [(array.shape[0] ?? 0) / 2, ...array.shape.slice(1)];
    return [name, float32(Array.from(array.data).slice(half * size, (half + 1) * size), shape)] as const;
  };
  // One half has both positive labels.
  const batch: NamedArrays = { ...click.batch(0), labels: float32([1, 1, 0, 0]) };
  const half = (which: 0 | 1) =>
    Object.fromEntries(Object.entries(batch).map(([name, array]) => rows(name, array, which)));
  const input = { numTeachers: 0, distillWeight: 0, scalars };

  await begin();
  const whole = await fusedStepper(engine, learner).run({ ...input, parts: [batch] });
  const expected = await paramsNow();

  // The other worker's sums, as it would send them: those of its own half, by the weights of all.
  await begin();
  const other = await sumsOf(half(1), { ...input, others: [18, 1] });
  await begin();
  const asked: (readonly number[])[] = [];
  const workers: Workers = {
    async sum(numbers) {
      asked.push(numbers);
      return [20, 2];
    },
    async reduce(names) {
      const own = await engine.read(names);
      const sums = mapValues(own, ({ shape, data }, name) => {
        const theirs = other[name]?.data as Float32Array;
        return float32(
          Array.from(data as Float32Array, (value, i) => value + (theirs[i] ?? 0)),
          shape,
        );
      });
      await engine.write(sums);
    },
  };
  const first = await splitStepper(engine, learner, workers).run({ ...input, parts: [half(0)] });
  assert.deepEqual(asked, [[18, 1]], "the weights of its labels, and its parts");
  const actual = await paramsNow();
  for (const [name, { data }] of Object.entries(expected)) {
    for (const [i, value] of data.entries()) {
      assert.ok(Math.abs(value - Number(actual[name]?.data[i])) < 1e-6, `${name}[${i}]`);
    }
  }
  const norms = [whole, first].map((record) => record.get("squaredGradNorm") ?? Number.NaN) as [number, number];
  assert.ok(Math.abs(norms[0] - norms[1]) < 1e-5 * norms[0], norms.join());
});

test("a closed student takes no step, and leaves another one on its engine alone", async () => {
  const [closed, other] = [engineStudent({ engine, learner }), engineStudent({ engine, learner })];
  await other.init(rootKey(1));
  const batches = [click.batch(1)];
  await closed.learn(batches, [], 0);
  await closed.close();
  await closed[Symbol.asyncDispose]();
  await assert.rejects(closed.learn(batches, [], 0), ClosedError);
  const { labelLoss } = await other.learn(batches, [], 0);
  assert.ok(Number.isFinite(labelLoss));
});

/** What a worker adds up of its part, beside another one with these sums of weights and parts. */
async function sumsOf(
  part: NamedArrays,
  {
    others: [weight, numParts],
    ...input
  }: { numTeachers: number; distillWeight: number; scalars: NamedArrays; others: readonly [number, number] },
): Promise<NamedArrays> {
  let sums: NamedArrays = {};
  const workers: Workers = {
    sum: async ([own = 0, parts = 0]) => [own + weight, parts + numParts],
    async reduce(names) {
      sums = await engine.read(names);
    },
  };
  await splitStepper(engine, learner, workers).run({ ...input, parts: [part] });
  return sums;
}

test("of many teachers the programs of the first few are compiled ahead, and those of others by the step that needs them", async () => {
  const compiled: Promise<Program>[] = [];
  const counting: Engine = {
    ...engine,
    compile(graph) {
      const program = engine.compile(graph);
      compiled.push(program);
      return program;
    },
  };
  await fusedStepper(counting, learner).prepare(63);
  for (let i = 0; i <= MOST_AHEAD; i++) {
    while (compiled[i] === undefined) await new Promise(setImmediate);
    await compiled[i];
  }
  // Whatever else were compiled ahead would have been asked for by now.
  await new Promise(setImmediate);
  assert.equal(compiled.length, 1 + MOST_AHEAD);
});
