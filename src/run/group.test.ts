import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownEvents, runTiny, type TinyOutcome, tinyData } from "../../test/fixtures/group-run.js";
import { tinyConfig, tinyPreprocessing, tinyRows } from "../../test/fixtures/tiny-run.js";
import { sha256 } from "../checkpoint/digest.js";
import { decodeSafetensors } from "../checkpoint/safetensors.js";
import { publishSnapshot } from "../checkpoint/snapshot.js";
import { memoryStore, type Store } from "../checkpoint/store.js";
import { CheckpointError, ConfigError, TrainingError } from "../errors.js";
import type { TrainEvent } from "../log/events.js";
import { forwardOnnx } from "../nn/forward-onnx.js";
import { initWeights } from "../nn/model.js";
import { filled, type NamedArrays } from "../runtime/array.js";
import { underPrefix } from "../runtime/named.js";
import { rootKey } from "../runtime/random.js";
import type { Learner } from "../train/graphs.js";
import type { TableRunInput } from "./input/run.js";
import { tableLearner } from "./learner.js";
import { groupFiles } from "./saved-group.js";
import type { TableShard } from "./table-spec.js";

const only = <K extends TrainEvent["event"]>(events: readonly TrainEvent[], kind: K) =>
  events.filter((event): event is Extract<TrainEvent, { event: K }> => event.event === kind);

/** Step events without what depends on the clock. */
const stepsOf = (...runs: readonly TinyOutcome[]) =>
  runs.flatMap(({ events }) => only(events, "step").map((event) => ({ ...event, stepsPerSecond: 0 })));

/** What two runs that are one and the same must agree in, to the bit. */
async function essence({ checkpoint, files }: TinyOutcome) {
  assert.ok(checkpoint);
  const { info, state, algorithm } = checkpoint;
  return { info: { ...info, incarnation: 0 }, state, algorithm, best: await files.get(groupFiles.best) };
}

/** A store in which group 1 has published a snapshot, once and for all. */
async function storeWithGroup1(changes: Partial<TableRunInput>): Promise<Store> {
  const store = memoryStore();
  const { model }: Learner = tableLearner(tinyConfig(changes), tinyPreprocessing);
  const digest = await sha256(forwardOnnx(model));
  const params = initWeights(model, rootKey(77));
  await publishSnapshot(store, { group: 1, step: 1000, incarnation: 1, model: digest, params });
  return store;
}

describe("a group", () => {
  test("trains to its last step and says what it does, in order", async () => {
    const { reason, events } = await runTiny();
    assert.equal(reason, "finished");
    assert.deepEqual(ownEvents(events), [
      "group-start 0",
      "step 10",
      ...["step 20", "validation 20", "checkpoint 20", "step 30"],
      ...["step 40", "validation 40", "checkpoint 40", "step 50"],
      ...["step 60", "validation 60", "checkpoint 60"],
      "group-end 60 finished",
    ]);
    const [start] = only(events, "group-start");
    const numParams = 4 * 2 + 3 * 8 + 8 + 8 + 1;
    assert.deepEqual(start, {
      event: "group-start",
      group: 0,
      pid: 1,
      incarnation: 1,
      step: 0,
      numSteps: 60,
      trainRows: 96,
      numParams,
      threads: 1,
    });
    assert.deepEqual(
      only(events, "published").map(({ step }) => step),
      [50],
    );
  });

  test("logs, validates and saves at its last step, due or not", async () => {
    const changes = { numSteps: 7, logInterval: 5, validationInterval: 5, checkpointInterval: 5 };
    assert.deepEqual(ownEvents((await runTiny({ changes })).events), [
      "group-start 0",
      ...["step 5", "validation 5", "checkpoint 5"],
      ...["step 7", "validation 7", "checkpoint 7"],
      "group-end 7 finished",
    ]);
  });

  test("learns", async () => {
    const { events } = await runTiny({ changes: { numSteps: 200 } });
    const losses = only(events, "validation").map(({ loss }) => loss);
    assert.ok((losses.at(-1) ?? 1) < 0.9 * (losses[0] ?? 0), losses.join(", "));
  });

  test("keeps the params of its lowest validation loss, and says which they are", async () => {
    // A learning rate so high that the loss goes up and down.
    const optimizer = { kind: "adam", learningRate: 0.3, schedule: "constant" } as const;
    const changes = { optimizer, validationInterval: 2, checkpointInterval: 2 };
    const { events, files, checkpoint } = await runTiny({ changes });
    const validations = only(events, "validation");
    const lowest = validations.reduce((a, b) => (b.loss < a.loss ? b : a));
    assert.ok(lowest.step < 60, "the last is not the best, or nothing is proved");
    const { metadata, tensors } = decodeSafetensors((await files.get(groupFiles.best)) ?? new Uint8Array());
    assert.deepEqual(
      [metadata.format, metadata.step, metadata.validationLoss],
      ["codistill.params", String(lowest.step), String(lowest.loss)],
    );
    assert.deepEqual(checkpoint?.info.best, { step: lowest.step, loss: lowest.loss });
    let lowestSoFar = Number.POSITIVE_INFINITY;
    for (const { loss, best } of validations) {
      assert.equal(best, loss < lowestSoFar);
      lowestSoFar = Math.min(lowestSoFar, loss);
    }
    const upToBest = await runTiny({ changes: { ...changes, numSteps: lowest.step } });
    const { state } = upToBest.checkpoint ?? {};
    for (const [name, array] of Object.entries(tensors)) assert.deepEqual(array, state?.[`params.${name}`]);
  });

  test("of another index or seed begins elsewhere and sees its rows in another order", async () => {
    const [a, b, c] = await Promise.all(
      [{}, { groupIndex: 1, changes: { numGroups: 2 } }, { changes: { seed: 2 } }].map(async (options) =>
        stepsOf(await runTiny(options)).map(({ labelLoss }) => labelLoss),
      ),
    );
    assert.notDeepEqual(a, b);
    assert.notDeepEqual(a, c);
    assert.notDeepEqual(b, c);
  });

  test("and another one train beside each other through one store", async () => {
    const store = memoryStore();
    const algorithm = { burnInSteps: 10, publishInterval: 5, exchangeInterval: 5 };
    const outcomes = await Promise.all(
      [0, 1].map((groupIndex) => runTiny({ store, groupIndex, changes: { numGroups: 2, algorithm } })),
    );
    for (const [group, { reason, events }] of outcomes.entries()) {
      assert.equal(reason, "finished");
      assert.deepEqual(only(events, "exchange-trouble"), []);
      assert.ok((await store.list(`groups/${group}/snapshots/`)).length >= 2);
    }
  });
});

/** A run of a few steps and validations, each logged. */
const soon = { numSteps: 4, logInterval: 1, validationInterval: 2, checkpointInterval: 3 };

describe("a stopped group", () => {
  test("saves where it is, due or not, and says that it was stopped", async () => {
    const { reason, events, checkpoint } = await runTiny({ stopAt: 30 });
    assert.equal(reason, "stopped");
    assert.deepEqual(ownEvents(events).slice(-3), ["step 30", "checkpoint 30", "group-end 30 stopped"]);
    assert.equal(checkpoint?.info.step, 30);
    assert.deepEqual(checkpoint.info.cursor, { epoch: 2, position: 48 });
  });

  test("that is stopped before its last validation makes up for it when it goes on", async () => {
    const first = await runTiny({ stopAt: 60 });
    assert.deepEqual(ownEvents(first.events).slice(-3), ["step 60", "checkpoint 60", "group-end 60 stopped"]);
    const second = await runTiny({ files: first.files });
    assert.deepEqual(ownEvents(second.events), [
      "group-start 60",
      "validation 60",
      "checkpoint 60",
      "group-end 60 finished",
    ]);
    assert.deepEqual(await essence(second), await essence(await runTiny()));
  });

  for (const [name, changes] of Object.entries({
    alone: {},
    "that accumulates": { accumulate: 2 },
    "that stops early": { earlyStopping: { patience: 2, minDelta: 10 } },
  } satisfies Record<string, Partial<TableRunInput>>)) {
    test(`${name}, cancelled in any run of a program, goes on as if it had never been, to the bit`, async () => {
      const whole = await runTiny({ changes: { ...changes, ...soon } });
      const validations = only(whole.events, "validation");
      let stops = 0;
      for (let stopInRun = 0; ; stopInRun++) {
        const options = { changes: { ...changes, ...soon } };
        const first = await runTiny({ ...options, stopInRun });
        if (first.reason === "finished") break;
        stops++;
        assert.equal(first.reason, "stopped");
        const saved = first.checkpoint?.info.step;
        assert.deepEqual(ownEvents(first.events).slice(-2), [`checkpoint ${saved}`, `group-end ${saved} stopped`]);
        const second = await runTiny({ ...options, files: first.files });
        assert.equal(second.reason, "finished");
        assert.deepEqual(stepsOf(first, second), stepsOf(whole));
        const both = [first, second].flatMap(({ events }) => only(events, "validation"));
        assert.deepEqual(both, validations);
        assert.deepEqual(await essence(second), await essence(whole));
      }
      assert.ok(stops >= 4, `${stops} places to stop`);
    });
  }

  for (const [name, changes] of Object.entries({
    alone: {},
    "that accumulates": { accumulate: 2 },
    "with touched rows": { optimizer: { kind: "adam", learningRate: 0.01, sparseParams: ["embeddings.*"] } },
    "with plain gradient descent": { optimizer: { kind: "sgd", learningRate: 0.1 } },
  } satisfies Record<string, Partial<TableRunInput>>)) {
    test(`${name} goes on as if it had never stopped, to the bit`, async () => {
      const whole = await runTiny({ changes });
      const store = memoryStore();
      const first = await runTiny({ changes, store, stopAt: 30 });
      const second = await runTiny({ changes, store, files: first.files });
      assert.deepEqual([first.reason, second.reason], ["stopped", "finished"]);
      assert.deepEqual(stepsOf(first, second), stepsOf(whole));
      assert.deepEqual(await essence(second), await essence(whole));
      assert.equal(only(second.events, "group-start")[0]?.step, 30);
      assert.equal(only(second.events, "group-start")[0]?.incarnation, 2);
      assert.equal(second.checkpoint?.info.incarnation, 2);
    });
  }

  for (const maxStaleness of [1000, 12]) {
    test(`with a teacher, known for ${maxStaleness} steps at most, goes on as if it had never stopped`, async () => {
      const algorithm = { burnInSteps: 5, publishInterval: 7, exchangeInterval: 5, maxStaleness };
      const changes = { numGroups: 2, algorithm };
      const whole = await runTiny({ changes, store: await storeWithGroup1(changes), awaitTeacher: true });
      const store = await storeWithGroup1(changes);
      const first = await runTiny({ changes, store, awaitTeacher: true, stopAt: 30 });
      const second = await runTiny({ changes, store, files: first.files });
      assert.deepEqual([whole.reason, first.reason, second.reason], ["finished", "stopped", "finished"]);
      assert.deepEqual(only(second.events, "fetched"), [], "what is known is not fetched again");
      assert.deepEqual(stepsOf(first, second), stepsOf(whole));
      assert.deepEqual(await essence(second), await essence(whole));
      const lastTaught = stepsOf(whole).findLast(({ teachers }) => teachers.length > 0);
      assert.equal(lastTaught?.step, maxStaleness === 12 ? 10 : 60);
    });
  }

  test("that had finished has nothing left to do", async () => {
    const first = await runTiny();
    const again = await runTiny({ files: first.files });
    assert.equal(again.reason, "finished");
    assert.deepEqual(ownEvents(again.events), ["group-start 60", "group-end 60 finished"]);
    assert.deepEqual(await essence(again), await essence(first));
  });
});

describe("a group with a moving average", () => {
  const ema = { decay: 0.9 };

  test("trains as without it, validates and keeps the average", async () => {
    const [plain, averaged] = [await runTiny(), await runTiny({ changes: { ema } })];
    assert.deepEqual(stepsOf(averaged), stepsOf(plain));
    assert.notDeepEqual(only(averaged.events, "validation"), only(plain.events, "validation"));
    const last = only(averaged.events, "validation").at(-1);
    assert.ok(last?.best, "the last is the best, or the comparison below is of two steps");
    const { tensors } = decodeSafetensors((await averaged.files.get(groupFiles.best)) ?? new Uint8Array());
    const state = averaged.checkpoint?.state ?? {};
    for (const [name, array] of Object.entries(tensors)) assert.deepEqual(array, state[`ema.${name}`]);
    assert.ok(Object.keys(plain.checkpoint?.state ?? {}).every((name) => !name.startsWith("ema.")));
  });

  test("goes on from its checkpoint as if it had never stopped, and refuses one without the average", async () => {
    const whole = await runTiny({ changes: { ema } });
    const first = await runTiny({ changes: { ema }, stopAt: 30 });
    const second = await runTiny({ changes: { ema }, files: first.files });
    assert.deepEqual(await essence(second), await essence(whole));
    const { files } = await runTiny({ changes: { numSteps: 2 } });
    assert.match(String((await runTiny({ files, changes: { ema } })).reason), /CheckpointError: .*ema\./);
  });
});

describe("a group that stops early", () => {
  // A learning rate so high that the loss goes up and down.
  const changes: Partial<TableRunInput> = {
    optimizer: { kind: "adam", learningRate: 0.3, schedule: "constant" },
    numSteps: 400,
    validationInterval: 2,
    checkpointInterval: 50,
    algorithm: { burnInSteps: 0, publishInterval: 1000 },
    earlyStopping: { patience: 3 },
  };

  test("ends as finished after so many validations without improvement, saved and published", async () => {
    const { reason, events, checkpoint, files } = await runTiny({ changes });
    assert.equal(reason, "finished");
    const [early] = only(events, "stopped-early");
    assert.ok(early && early.step < 400);
    const validations = only(events, "validation");
    assert.deepEqual(
      validations.slice(-4).map(({ best }) => best),
      [true, false, false, false],
    );
    assert.deepEqual([early.bestStep, early.step], [validations.at(-4)?.step, validations.at(-1)?.step]);
    assert.equal(checkpoint?.info.step, early.step);
    assert.deepEqual(ownEvents(events).slice(-2), [`checkpoint ${early.step}`, `group-end ${early.step} finished`]);
    assert.deepEqual(
      only(events, "published").map(({ step }) => step),
      [early.step],
    );
    const again = await runTiny({ changes, files });
    assert.equal(again.reason, "finished");
    assert.deepEqual(ownEvents(again.events), [`group-start ${early.step}`, `group-end ${early.step} finished`]);
  });

  test("remembers how long it has waited when it is resumed", async () => {
    const every = { ...changes, logInterval: 1 };
    const whole = await runTiny({ changes: every });
    const end = whole.checkpoint?.info.step ?? 0;
    const first = await runTiny({ changes: every, stopAt: end - 1 });
    assert.equal(first.checkpoint?.info.waiting.validations, 2);
    const second = await runTiny({ changes: every, files: first.files });
    assert.deepEqual(await essence(second), await essence(whole));
  });
});

describe("a group with initial weights", () => {
  test("begins from them, and groups differ only by their data order", async () => {
    const { checkpoint } = await runTiny({ changes: { seed: 5 } });
    const init = underPrefix("params", checkpoint?.state ?? {});
    // A learning rate that rounds to nothing: what is saved is what it began from.
    const optimizer = { kind: "sgd", learningRate: 1e-30 } as const;
    const changes = { numGroups: 2, numSteps: 1, optimizer };
    const [first, second] = [await runTiny({ init, changes }), await runTiny({ init, changes, groupIndex: 1 })];
    for (const { checkpoint } of [first, second])
      assert.deepEqual(underPrefix("params", checkpoint?.state ?? {}), init);
    const [one, other] = [first, second].map(({ events }) => only(events, "step")[0]?.labelLoss);
    assert.notEqual(one, other, "the same batch");
  });

  test("goes back to them", async () => {
    const init = initWeights(tableLearner(tinyConfig(), tinyPreprocessing).model, rootKey(8));
    const { checkpoint } = await runTiny({ init, data: spoiltData(96) });
    assert.deepEqual(underPrefix("params", checkpoint?.state ?? {}), init);
  });

  test("refuses those that do not fit or are not finite, by name", async () => {
    const init = initWeights(tableLearner(tinyConfig(), tinyPreprocessing).model, rootKey(8));
    const { "layers.0.bias": bias, ...rest } = init;
    assert.ok(bias);
    const wrong: readonly [NamedArrays, RegExp][] = [
      [rest, /init: .*\n {2}layers\.0\.bias must be float32\[8\], got nothing/],
      [{ ...init, "layers.0.bias": filled([9], 0) }, /layers\.0\.bias must be float32\[8\], got float32\[9\]/],
      [{ ...init, extra: bias }, /extra is not part of the model/],
      [{ ...init, "layers.0.bias": filled([8], Number.NaN) }, /layers\.0\.bias holds values that are not finite/],
    ];
    for (const [weights, pattern] of wrong) {
      const { reason } = await runTiny({ init: weights });
      assert.ok(reason instanceof ConfigError, String(reason));
      assert.match(reason.message, pattern);
    }
  });
});

describe("a group refuses", () => {
  test("a configuration that is not the one of the run in the store, before it does anything", async () => {
    const store = memoryStore();
    await runTiny({ store, changes: { numSteps: 2 } });
    const changed: readonly [Partial<TableRunInput>, RegExp][] = [
      [{ seed: 2 }, /seed: the store declares 1, this group has 2/],
      [{ numGroups: 3 }, /numGroups/],
      [{ algorithm: { burnInSteps: 1 } }, /burnInSteps/],
      [{ model: { kind: "mlp", hidden: [5] } }, /model: .*\n.*modelDigest/],
    ];
    for (const [changes, pattern] of changed) {
      const { reason, events, files } = await runTiny({ store, changes: { numSteps: 2, ...changes } });
      assert.ok(reason instanceof ConfigError, String(reason));
      assert.match(reason.message, pattern);
      assert.deepEqual(events, []);
      assert.deepEqual(await files.list(""), []);
    }
    assert.equal((await runTiny({ store, changes: { numSteps: 3, logInterval: 1 } })).reason, "finished");
  });

  test("a checkpoint of another model, though the shapes are the same", async () => {
    const { files } = await runTiny({ changes: { numSteps: 2 } });
    const preprocessing = { ...tinyPreprocessing, numeric: { size: { mean: 9, std: 9 } } };
    const { reason } = await runTiny({ files, data: tinyData(preprocessing), changes: { numSteps: 4 } });
    assert.ok(reason instanceof CheckpointError, String(reason));
    assert.match(reason.message, /another model/);
  });

  test("a checkpoint of other shapes", async () => {
    const { files } = await runTiny({ changes: { numSteps: 2 } });
    const { reason } = await runTiny({ files, changes: { numSteps: 4, model: { kind: "mlp", hidden: [5] } } });
    assert.ok(reason instanceof CheckpointError, String(reason));
  });

  test("a torn checkpoint, and leaves it as it is", async () => {
    const { files } = await runTiny({ changes: { numSteps: 2 } });
    const torn = ((await files.get(groupFiles.checkpoint)) ?? new Uint8Array()).slice(0, 500);
    await files.put(groupFiles.checkpoint, torn);
    const running = runTiny({ files });
    await assert.rejects(running, CheckpointError);
    assert.deepEqual(await files.get(groupFiles.checkpoint), torn);
  });
});

/** The tiny table with training rows whose label is NaN. */
const spoiltData = (numSpoilt: number): TableShard => ({ ...tinyData(), train: tinyRows(96, 1, numSpoilt) });

describe("a group with rows that are not finite", () => {
  test("skips the steps that meet them, tells of it, and leaves them out of the means", async () => {
    const { reason, events } = await runTiny({ data: spoiltData(1), changes: { logInterval: 1 } });
    assert.equal(reason, "finished");
    const skipped = only(events, "step-skipped");
    // 96 rows in batches of 8: the row is met once in each 12 steps.
    assert.equal(skipped.length, 5);
    for (const event of skipped) {
      assert.equal(event.reason, "label loss NaN, gradient norm NaN");
      assert.ok(!only(events, "step").some(({ step }) => step === event.step));
    }
    assert.equal(only(events, "step").length, 55);
    assert.deepEqual(only(events, "restored"), []);
    assert.ok(only(events, "step").every(({ labelLoss, gradNorm }) => Number.isFinite(labelLoss + gradNorm)));
  });

  test("goes back when too many steps in a row are skipped, goes on with other data, and finishes", async () => {
    const changes = { checkpointInterval: 2 };
    const whole = await runTiny({ data: spoiltData(8), changes });
    assert.equal(whole.reason, "finished");
    const restored = only(whole.events, "restored");
    assert.ok(restored.length >= 1, ownEvents(whole.events).join());
    for (const [i, { step, fromStep, learningRateScale, reason }] of restored.entries()) {
      assert.ok(step < fromStep);
      assert.equal(learningRateScale, 0.5 ** (i + 1));
      assert.match(
        reason,
        /^losses and gradients must stay finite, and 3 steps in a row were skipped; step \d+ had label/,
      );
    }
    assert.equal(whole.checkpoint?.info.learningRateScale, 0.5 ** restored.length);
    // Every batch was met once: the stream did not go back.
    const numBatches = only(whole.events, "step-skipped").length;
    assert.ok(numBatches >= 3 * restored.length);
    const { epoch, position } = whole.checkpoint.info.cursor;
    const lost = restored.reduce((sum, { step, fromStep }) => sum + fromStep - step, 0);
    assert.equal(epoch * 96 + position, 8 * (60 + lost));
  });

  test("remembers the learning rate when it is resumed", async () => {
    const changes = { checkpointInterval: 2, logInterval: 1 };
    const whole = await runTiny({ data: spoiltData(8), changes });
    const [restored] = only(whole.events, "restored");
    assert.ok(restored);
    const stopAt = only(whole.events, "step").find(({ learningRate }) => learningRate < 0.01)?.step ?? 0;
    const first = await runTiny({ data: spoiltData(8), changes, stopAt });
    const second = await runTiny({ data: spoiltData(8), changes, files: first.files });
    assert.equal(second.reason, "finished");
    assert.deepEqual(await essence(second), await essence(whole));
  });

  test("goes back to its initial params before its first checkpoint, and gives up after a while", async () => {
    const { reason, events, checkpoint } = await runTiny({ data: spoiltData(96) });
    assert.ok(reason instanceof TrainingError, String(reason));
    assert.match(
      reason.message,
      /must stay finite.* Going back 3 times, at last with the learning rate x 0\.125, did not/,
    );
    const round = (step: number) => [`step-skipped ${step}`, `step-skipped ${step + 1}`, `step-skipped ${step + 2}`];
    const back = ["checkpoint 0", "restored 0 from 3"];
    const rounds = Array.from({ length: 3 }, () => [...round(1), ...back]);
    assert.deepEqual(ownEvents(events), ["group-start 0", ...rounds.flat(), ...round(1)]);
    assert.deepEqual([checkpoint?.info.step, checkpoint?.info.learningRateScale], [0, 0.125]);
    const untouched = await runTiny({ data: spoiltData(96), changes: { numSteps: 1 } });
    assert.deepEqual(checkpoint?.state, untouched.checkpoint?.state);
  });
});

describe("a group whose numbers stop being finite", () => {
  const wild = (
    learningRate: number,
    validationInterval: number,
  ): Partial<TableRunInput> & Pick<TableRunInput, "optimizer"> => ({
    optimizer: { kind: "sgd", learningRate, schedule: "constant" },
    checkpointInterval: 1,
    validationInterval,
  });

  /** A run that has come to step 20 in good order, and then goes on with another configuration. */
  async function goneWild(changes: Partial<TableRunInput>): Promise<TinyOutcome> {
    const { files, checkpoint } = await runTiny({ stopAt: 20, changes: wild(0.1, 19) });
    const best = await files.get(groupFiles.best);
    const outcome = await runTiny({ files, changes });
    assert.ok(outcome.reason instanceof TrainingError, String(outcome.reason));
    assert.match(outcome.reason.message, /Lower optimizer\.learningRate.* The last checkpoint is kept\.$/);
    assert.deepEqual(await files.get(groupFiles.best), best, "the best params stay");
    assert.deepEqual(only(outcome.events, "group-end"), []);
    if (outcome.checkpoint?.info.step === 20) assert.deepEqual(outcome.checkpoint.state, checkpoint?.state);
    assert.equal(outcome.checkpoint?.info.learningRateScale, 0.125);
    for (const [name, { data }] of Object.entries(outcome.checkpoint?.state ?? {}))
      assert.ok(data.every(Number.isFinite), `${name} is finite`);
    return outcome;
  }

  test("ends with an error that names the step, the loss and the cure, and leaves the last checkpoint", async () => {
    const { reason, checkpoint } = await goneWild(wild(1e20, 500));
    const message =
      /^losses and gradients must stay finite, and 3 steps in a row were skipped; step 24 had .*gradient norm .* \(learning rate 1\S+\)/;
    assert.match(String((reason as Error).message), message);
    assert.equal(checkpoint?.info.step, 21);
  });

  test("takes no validation that is not finite for the best", async () => {
    const { reason, events, checkpoint } = await goneWild(wild(1e300, 1));
    assert.match(String((reason as Error).message), /^the validation loss must stay finite, at step 21 it was NaN/);
    assert.equal(checkpoint?.info.step, 20);
    assert.deepEqual(only(events, "validation"), []);
  });

  test("saves no params that are not finite, though the loss of the step was", async () => {
    const { reason, checkpoint } = await goneWild(wild(1e300, 500));
    assert.match(String((reason as Error).message), /^the params must stay finite, at step 21 they were not/);
    assert.equal(checkpoint?.info.step, 20);
  });
});
