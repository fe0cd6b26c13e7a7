import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runTiny } from "../../test/fixtures/group-run.js";
import { refusalOf, tinyConfig } from "../../test/fixtures/tiny-run.js";
import { claimIncarnation } from "../checkpoint/claims.js";
import { memoryStore } from "../checkpoint/store.js";
import { traceOf } from "../codistill/replay.js";
import { algorithmOf, untaughtRemark } from "./algorithms.js";
import { resolveConfig } from "./config.js";
import { declarationOf } from "./declaration.js";
import type { TableRunInput } from "./input/run.js";

const plain = { algorithm: { kind: "plain" } } as const;

describe("plain training", () => {
  test("takes the same steps as codistillation before anybody teaches, to the bit", async () => {
    const alone = await runTiny({ changes: { ...plain, numGroups: 2 } });
    const burnIn = { algorithm: { burnInSteps: tinyConfig().numSteps }, numGroups: 2 };
    const codistilled = await runTiny({ changes: burnIn });
    assert.equal(alone.reason, "finished");
    assert.deepEqual(alone.checkpoint?.state, codistilled.checkpoint?.state);
    assert.deepEqual(alone.checkpoint?.info, codistilled.checkpoint?.info);
  });

  test("goes on from its checkpoint as if it had never stopped", async () => {
    const whole = await runTiny({ changes: plain });
    const first = await runTiny({ changes: plain, stopAt: 20 });
    const second = await runTiny({ changes: plain, files: first.files });
    assert.deepEqual([first.reason, second.reason], ["stopped", "finished"]);
    assert.deepEqual(second.checkpoint?.state, whole.checkpoint?.state);
  });

  test("publishes and fetches nothing", async () => {
    const store = memoryStore();
    const { events } = await runTiny({ changes: { ...plain, numGroups: 2 }, store });
    assert.deepEqual(
      (await store.list("")).filter((name) => /snapshots|latest/.test(name)),
      [],
    );
    assert.ok(events.every(({ event }) => event !== "published" && event !== "fetched"));
  });
});

test("a group that was started again elsewhere stops, whatever its algorithm", async () => {
  for (const algorithm of [{ kind: "plain" }, { kind: "codistill", burnInSteps: 0 }] as const) {
    const store = memoryStore();
    const changes = { algorithm, checkpointInterval: 10 };
    let isStarted = false;
    const { reason } = await runTiny({
      changes,
      store,
      onEvent({ event }) {
        if (event !== "step" || isStarted) return;
        isStarted = true;
        void claimIncarnation(store, 0, 1);
      },
    });
    assert.match(String(reason), /a group runs once at a time: this is its start number 1, and number 2 has been made/);
  }
});

test("groups of one run must train by the same algorithm", () => {
  const declared = (changes: Parameters<typeof tinyConfig>[0]) =>
    declarationOf(tinyConfig(changes), { digest: "d", declared: {} }, "m");
  assert.equal(declared(plain).algorithm, "plain");
  assert.deepEqual([declared({}).algorithm, declared({}).burnInSteps], ["codistill", 0]);
  assert.equal("burnInSteps" in declared(plain), false);
});

test("options that are written as before, under codistill, are those of codistillation", () => {
  const { algorithm: _, ...rest } = tinyConfig();
  const now = resolveConfig({ ...rest, algorithm: { kind: "codistill", burnInSteps: 7, mix: "convex" } });
  assert.deepEqual(resolveConfig({ ...rest, codistill: { burnInSteps: 7, mix: "convex" } }), now);
  assert.deepEqual(resolveConfig({ ...rest, algorithm: { mix: "convex" }, codistill: { burnInSteps: 7 } }), now);
});

test("the step from which on groups teach is told, and that of plain training is none", () => {
  assert.equal(algorithmOf(tinyConfig(plain)).teachesFrom, null);
  assert.equal(algorithmOf(tinyConfig({ algorithm: { burnInSteps: 7 } })).teachesFrom, 7);
});

test("params that no other group has taught are told of, where others should have", () => {
  const config = tinyConfig({ algorithm: { burnInSteps: 30 }, numGroups: 2 });
  assert.match(
    untaughtRemark(config, 30, 30) ?? "",
    /they are of step 30, .* from step 30 on\. Let them begin earlier/,
  );
  assert.equal(untaughtRemark(config, 31, 30), null);
  assert.match(
    untaughtRemark(config, 31, null) ?? "",
    /of step 31, .* the group never had a teacher, .*\(publishInterval,/,
  );
  assert.match(untaughtRemark(config, 31, 40) ?? "", /the group had its first teacher in step 40, though/);
  assert.equal(untaughtRemark({ ...config, numGroups: 1 }, 30, null), null);
  assert.equal(untaughtRemark(tinyConfig({ ...plain, numGroups: 2 }), 30, null), null);
});

test("an algorithm that is none, or has options of another one, is refused with the cure", () => {
  assert.match(refusalOf({ algorithm: { kind: "codistil" } }), /algorithm\.kind: .*did you mean "codistill"/);
  assert.match(refusalOf({ algorithm: { kind: "constructor" } }), /algorithm\.kind: must be "codistill" or "plain"/);
  assert.match(refusalOf({ algorithm: { kind: "plain", burnInSteps: 5 } }), /algorithm\.burnInSteps: unknown name/);
  assert.match(
    refusalOf({ algorithm: { burnInStep: 5 } }),
    /algorithm\.burnInStep: unknown name; did you mean "burnInSteps"/,
  );
  assert.match(
    refusalOf({ algorithm: "plain" }),
    /algorithm: must be \{ kind: "codistill", \.\.\. \} or \{ kind: "plain"/,
  );
  assert.match(
    refusalOf({ algorithm: { kind: "plain" }, codistill: { burnInSteps: 5 } }),
    /codistill: unknown name; write algorithm: \{ kind: "codistill"/,
  );
});

test("with teachers in 8 bits that see half of each batch a recorded group is replayed to the same bits, and in float32 not", async () => {
  const algorithm = { burnInSteps: 10, publishInterval: 5, exchangeInterval: 5 };
  const changes = (options: object): Partial<TableRunInput> => ({
    // Wide enough for products in 8 bits.
    model: { kind: "mlp", embeddings: { colour: 2 }, hidden: [128, 128] },
    ...{ numGroups: 2, numSteps: 40, record: true, algorithm: { ...algorithm, ...options } },
  });
  const own = changes({ teacherPrecision: "int8", distillShare: 0.5 });
  const store = memoryStore();
  await runTiny({ changes: own, store, groupIndex: 1 });
  const recorded = await runTiny({ changes: own, store, awaitTeacher: true });
  assert.equal(recorded.reason, "finished");
  assert.ok(recorded.events.some((event) => event.event === "step" && event.distillLoss !== null));
  const replay = { trace: traceOf(recorded.events), recorded: recorded.files, lastStep: 40, began: undefined };
  const repeated = async (options: Partial<TableRunInput>) =>
    (await runTiny({ changes: { ...options, record: false }, replay })).checkpoint?.state;
  assert.deepEqual(await repeated(own), recorded.checkpoint?.state);
  assert.notDeepEqual(await repeated(changes({ distillShare: 0.5 })), recorded.checkpoint?.state);
  assert.notDeepEqual(await repeated(changes({ teacherPrecision: "int8" })), recorded.checkpoint?.state);
});
