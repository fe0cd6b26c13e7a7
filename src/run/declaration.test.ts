import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tinyConfig, tinyPreprocessing } from "../../test/fixtures/tiny-run.js";
import { memoryStore } from "../checkpoint/store.js";
import type { LabelStatistics } from "../data/table.js";
import { ConfigError, StoreError } from "../errors.js";
import { declarationOf, declareRun, type RunDeclaration } from "./declaration.js";
import type { TableRunInput } from "./input/run.js";
import { tableRunSpec } from "./table-spec.js";

const data = { digest: "d".repeat(64), preprocessing: tinyPreprocessing };
const modelDigest = "a".repeat(64);
const declare = (changes: Partial<TableRunInput> = {}) =>
  declarationOf(tinyConfig(changes), tableRunSpec(tinyConfig(changes), data), modelDigest);

async function refused(declaring: Promise<void>, ...patterns: readonly RegExp[]): Promise<void> {
  await assert.rejects(declaring, (error) => {
    assert.ok(error instanceof ConfigError, String(error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

describe("a run declaration", () => {
  test("says what all groups must share, and nothing that one of them may choose", () => {
    const { embeddings, hidden } = tinyConfig().model;
    assert.deepEqual(declare({ numGroups: 3, seed: 9, algorithm: { burnInSteps: 30 } }), {
      version: 1,
      name: "tiny",
      data: data.digest,
      preprocessing: tinyPreprocessing,
      classes: ["false", "true"],
      numGroups: 3,
      regime: "disjoint",
      numSlots: 4096,
      model: { kind: "mlp", embeddings, embeddingWidth: 16, hidden },
      modelDigest,
      seed: 9,
      algorithm: "codistill",
      burnInSteps: 30,
    });
    const own = {
      optimizer: { kind: "sgd", learningRate: 1 },
      numSteps: 5,
      globalBatchSize: 2,
      logInterval: 1,
    } as const;
    assert.deepEqual(declare(own), declare());
  });

  test("of classes or numbers says the task and the classes, and that of plain binary labels what it always said", () => {
    const declareWith = (task: TableRunInput["task"], labels?: LabelStatistics) => {
      const preprocessing = { ...tinyPreprocessing, ...(labels && { labels }) };
      const config = tinyConfig({ task });
      return declarationOf(config, tableRunSpec(config, { ...data, preprocessing }), modelDigest);
    };
    assert.deepEqual(declareWith({ kind: "binary", distillLoss: "jensenShannon" }), declare());
    const animals: LabelStatistics = { kind: "classes", classes: ["cat", "eel"], counts: [3, 1] };
    const ofClasses = declareWith({ kind: "multiclass", labelSmoothing: 0.1 }, animals);
    assert.deepEqual(ofClasses.classes, ["cat", "eel"]);
    assert.equal(ofClasses.task, "multiclass");
    const ofNumbers = declareWith("regression", { kind: "numbers", mean: 1, std: 2 });
    assert.deepEqual([ofNumbers.task, ofNumbers.classes], ["regression", []]);
  });

  test("is created once, and adopted by every later group", async () => {
    const store = memoryStore();
    const own = declare();
    await declareRun(store, own);
    const first = await store.get("run.json");
    assert.deepEqual(JSON.parse(new TextDecoder().decode(first ?? new Uint8Array())), own);
    await declareRun(store, declare());
    assert.deepEqual(await store.get("run.json"), first);
    assert.deepEqual(await store.list(""), ["run.json"]);
  });

  test("of many groups at one instant is that of one of them, and the others are told", async () => {
    const store = memoryStore();
    const seeds = [1, 2, 1, 3, 1];
    const outcomes = await Promise.allSettled(seeds.map(async (seed) => declareRun(store, declare({ seed }))));
    const bytes = (await store.get("run.json")) ?? new Uint8Array();
    const { seed: declared } = JSON.parse(new TextDecoder().decode(bytes)) as RunDeclaration;
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      seeds.map((seed) => (seed === declared ? "fulfilled" : "rejected")),
    );
  });

  test("that differs in any field is refused, and the field named with both values", async () => {
    const own = declare();
    const others: { readonly [F in keyof RunDeclaration]: unknown } = {
      version: 2,
      name: "other",
      data: "e".repeat(64),
      preprocessing: { ...tinyPreprocessing, vocabularies: { colour: ["red", "blue", "green"] } },
      classes: ["no", "yes"],
      numGroups: 5,
      regime: "all",
      numSlots: 8192,
      model: { ...own.model, hidden: [4, 4] },
      modelDigest: "f".repeat(64),
      algorithm: "plain",
      seed: 77,
      burnInSteps: 1000,
    };
    assert.deepEqual(Object.keys(others).sort(), Object.keys(own).sort());
    for (const [name, other] of Object.entries(others)) {
      const store = memoryStore();
      await declareRun(store, { ...own, [name]: other } as RunDeclaration);
      const before = await store.get("run.json");
      const shown = (value: unknown) =>
        JSON.stringify(value)
          .slice(0, 60)
          .replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
      const line = `\n  ${name}: the store declares ${shown(other)}, this group has ${shown(own[name as keyof RunDeclaration])}`;
      await refused(declareRun(store, own), new RegExp(line), /another run in an empty store/);
      assert.deepEqual(await store.get("run.json"), before, "the declaration stays");
    }
  });

  test("names all differing fields, and those that the store does not have", async () => {
    const store = memoryStore();
    const own = declare();
    const { seed: _, ...older } = own;
    await store.put("run.json", new TextEncoder().encode(JSON.stringify({ ...older, name: "older" })));
    await refused(
      declareRun(store, own),
      /\n {2}name: .*"older".*"tiny"\n/,
      /\n {2}seed: the store declares nothing, /,
    );
  });

  test("that is none is refused as such", async () => {
    const deep = `{"seed":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    for (const text of ["", "{", "null", "5", '"text"', deep]) {
      const store = memoryStore();
      await store.put("run.json", new TextEncoder().encode(text));
      await refused(declareRun(store, declare()), /run\.json/);
    }
  });

  test("that is far larger than this group's own is not read", async () => {
    const store = memoryStore();
    const own = declare();
    const bytes = new TextEncoder().encode(JSON.stringify(own, null, 1)).length;
    await store.put("run.json", new Uint8Array(4 * bytes + 2 ** 20 + 1).fill(0x20));
    await assert.rejects(
      declareRun(store, own),
      (error) => error instanceof StoreError && /run\.json must hold at most \d+ bytes/.test(error.message),
    );
  });
});
