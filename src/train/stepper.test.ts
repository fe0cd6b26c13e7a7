import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";
import { smallLearners } from "../../test/fixtures/small-learners.js";
import type { Engine, Program } from "../engine/engine.js";
import { planOf } from "../engine/plan.js";
import { ClosedError } from "../errors.js";
import { weightedBinary } from "../nn/objectives.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { rootKey } from "../runtime/random.js";
import { type Learner, stepGraph } from "./graphs.js";
import { fusedStepper, MOST_AHEAD } from "./stepper.js";
import { engineStudent } from "./student.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

describe("the fused step is one graph, whose bytes change only on purpose", () => {
  const digests = {
    click: "56a5551c8ed4ae8d",
    flights: "b025979f7a59233b",
    lstm: "857fb75702467218",
    transformer: "cec0bd1ab5dbd843",
    residual: "9b3eb38802522e47",
    separable: "0922c44d751ac52d",
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
