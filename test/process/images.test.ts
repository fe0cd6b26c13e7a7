/** Models of images, as a user meets them: train, die, go on, replay to the bit, predict, evaluate. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import sharp from "sharp";
import { openSafetensors } from "../../src/checkpoint/seal.js";
import * as ort from "../../src/node/ort/library.js";
import { readLog } from "../../src/node/runs/read-log.js";
import { shapeNames, writeShapes } from "../fixtures/image-files.js";
import { ofKind, pidOf, workplace } from "./fixture.js";
import { resultOf } from "./results.js";

const place = workplace();

const config = {
  name: "shapes",
  data: { kind: "images", source: "shapes", size: 12, augment: { padCrop: 1, flip: true, jitter: 0.2, mixup: 0.1 } },
  model: { kind: "cnn", widths: [8, 16] },
  optimizer: { kind: "adam", learningRate: 0.01 },
  algorithm: { burnInSteps: 20, publishInterval: 10, exchangeInterval: 10 },
  numGroups: 2,
  numSteps: 120,
  globalBatchSize: 12,
  checkpointInterval: 30,
  validationInterval: 40,
  logInterval: 1,
  restarts: 3,
  record: true,
};

await writeShapes(place.path("shapes"), 40);
const path = await place.write("shapes.json", JSON.stringify(config));

test("a recorded run that dies in the middle of an epoch and goes on comes to the bits of its replay without a death", async () => {
  const run = place.train([path, "--set", "numSteps=1000000"]);
  await run.event(
    0,
    "its teacher and some steps more",
    (event) => event.event === "step" && event.teachers.length > 0 && event.step > 90,
  );
  for (const group of [0, 1]) process.kill(await pidOf(run, group), "SIGKILL");
  let numStarts = 0;
  await run.event(0, "a checkpoint after its second start", (event) => {
    if (event.event === "group-start") numStarts++;
    return numStarts === 2 && event.event === "checkpoint" && event.step > 120;
  });
  process.kill(run.pid, "SIGINT");
  await run.ended;
  const folder = await run.folder();
  assert.equal(ofKind(readLog(folder.group(0).log), "group-start").length, 2);
  const { code, stdout, shown } = await place.codistill(["replay", folder.path, "--runs", place.path("replays")]).ended;
  assert.equal(code, 0, shown);
  for (const group of [0, 1]) assert.match(stdout, new RegExp(`^group ${group}: equal to the bit at step \\d+ `, "m"));
});

test("groups compare the last hidden layers of their networks of images", async () => {
  const run = place.train([path, "--set", "algorithm.gramWeight=0.5", "--set", "numSteps=1000000"]);
  let gramLoss: number | null | undefined;
  await run.event(0, "a step with a teacher", (event) => {
    if (event.event !== "step" || event.teachers.length === 0) return false;
    ({ gramLoss } = event);
    return true;
  });
  process.kill(run.pid, "SIGINT");
  const { shown } = await run.ended;
  assert.ok(typeof gramLoss === "number" && gramLoss >= 0 && gramLoss <= 1, `${gramLoss}\n${shown}`);
});

test("a run that was stopped goes on with two workers; its model predicts and is evaluated as ONNX Runtime computes it", async () => {
  const run = place.train([path, "--set", "record=false", "--set", "accumulate=2"]);
  await run.event(0, "some steps", (event) => event.event === "step" && event.step > 20);
  process.kill(run.pid, "SIGINT");
  await run.ended;
  const folder = await run.folder();
  const resumed = place.codistill(["train", "--resume", folder.path, "--set", "workers=2", "--set", "accumulate=1"]);
  const ended = await resumed.ended;
  assert.equal(ended.code, 0, ended.shown);
  assert.match(ended.stdout, /^next: codistill predict \S+model\.onnx <images or folders>;/m, ended.shown);
  const { task, groups, testRows } = resultOf(folder);
  assert.deepEqual([task, testRows], ["multiclass", 12]);
  for (const { testAccuracy = 0 } of groups) assert.ok(testAccuracy > 0.6, `accuracy ${testAccuracy} of three classes`);

  const model = folder.model.onnx;
  writeFileSync(place.path("shapes", "circle", "photo.avif"), "of a format that is not read");
  const predicted = await place.command(["predict", model, "shapes/circle", "shapes/stripes/003.png"]);
  assert.equal(predicted.code, 0, predicted.shown);
  assert.match(predicted.stderr, /1 file is left out, as it has no ending of a JPEG, PNG, WebP or GIF: photo\.avif/);
  const [head, ...lines] = predicted.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  assert.deepEqual(head, ["file", "prediction", "probability", ...shapeNames.map((name) => `probability_${name}`)]);
  assert.equal(lines.length, 41);
  const session = await ort.InferenceSession.create(model);
  for (const line of [lines[0], lines[17], lines[40]]) {
    const [file = "", prediction, probability, ...own] = line ?? [];
    const pixels = await sharp(readFileSync(place.path(file)))
      .raw()
      .toBuffer();
    const images = new ort.Tensor("uint8", pixels, [1, 12, 12, 3]);
    const { probabilities } = await session.run({ images });
    const expected = Array.from(probabilities?.data as Float32Array);
    for (const [k, p] of expected.entries()) assert.ok(Math.abs(p - Number(own[k])) < 1e-6, `${own[k]} is not ${p}`);
    const best = expected.indexOf(Math.max(...expected));
    assert.deepEqual([prediction, probability], [shapeNames[best], own[best]]);
  }
  await session.release();

  // The code in the docs, with this model and an image that must be resized.
  const docs = readFileSync(new URL("../../../docs/images.md", import.meta.url), "utf8");
  const [, snippet = ""] = /<!-- snippet: node -->\n```js\n(.*?)```/s.exec(docs) ?? [];
  const code = snippet
    .replace('"model.onnx"', JSON.stringify(model))
    .replace("[64, 64, 3]", "[12, 12, 3]")
    .replace('["maple", "oak"]', JSON.stringify(shapeNames));
  assert.ok(code.includes(model) && code.includes("[12, 12, 3]") && code.includes("stripes"), snippet);
  await place.write("serve.mjs", code);
  await sharp(place.path("shapes", "square", "001.png"))
    .resize(31, 22)
    .jpeg()
    .toFile(place.path("new.jpg"));
  symlinkSync(new URL("../../../node_modules", import.meta.url), place.path("node_modules"));
  const served = await place.start(process.execPath, ["serve.mjs"]).ended;
  assert.equal(served.code, 0, served.shown);
  const other = await place.command(["predict", model, "new.jpg"]);
  const [, line = ""] = other.stdout.split("\n");
  const [, decided, , ...probs] = line.split(",");
  const own = JSON.parse(served.stdout) as { readonly class: string; readonly probabilities: readonly number[] };
  assert.equal(own.class, decided);
  for (const [k, p] of own.probabilities.entries()) assert.ok(Math.abs(p - Number(probs[k])) < 1e-6, other.shown);

  const shards = await place.command(["shards", folder.config]);
  assert.match(shards.stdout, /^group +images +circle +square +stripes/m, shards.shown);
  const inspected = await place.command(["inspect", folder.path]);
  assert.equal(inspected.code, 0, inspected.shown);

  writeFileSync(place.path("shapes", "circle", "bad.png"), "no image");
  const evaluated = await place.command(["evaluate", model, "shapes", "--sheet", "worst.png", "--json"]);
  assert.equal(evaluated.code, 0, evaluated.shown);
  const result = JSON.parse(evaluated.stdout);
  const { confusion, worst, bad, metrics } = result;
  assert.equal(
    confusion.flat().reduce((sum: number, n: number) => sum + n, 0),
    120,
  );
  const hits = shapeNames.reduce((sum, _, k) => sum + confusion[k][k], 0);
  assert.ok(Math.abs(metrics.accuracy - hits / 120) < 1e-9);
  assert.deepEqual([bad.length, bad[0].name], [1, "shapes/circle/bad.png"]);
  assert.ok(worst[0].ofLabel <= worst[23].ofLabel);
  const { width, height, format } = await sharp(place.path("worst.png")).metadata();
  assert.deepEqual([format, width, height], ["png", 1264, 1104]);
  const text = await place.command(["evaluate", model, "shapes"]);
  assert.match(text.stdout, /^label \\ decided +0 +1 +2\n0 circle /m, text.shown);
  assert.match(text.stdout, /^120 images, a folder for each class$/m, text.shown);

  // What is of tables or text says so.
  await place.write("plain.csv", `x,late\n${"1,yes\n2,no\n".repeat(60)}`);
  await place.write("x.csv", "kept");
  copyFileSync(model, place.path("copy.onnx"));
  for (const [args, message] of [
    [
      ["predict", model, "shapes", "--threshold", "0.4"],
      /--threshold is of tables or text, and \S+ is a model of images/,
    ],
    [
      ["predict", model, "shapes", "--out", "a.parquet"],
      /predictions of images are CSV, so that --out must end in \.csv/,
    ],
    [["predict", model, "nothing"], /no file matches "nothing"/],
    [["predict", model, "shapes", "--json"], /--json says what was done, .* Add --out <file>, or leave --json out/],
    [
      ["predict", model, "plain.csv", "--out", "x.csv"],
      /is a model of images, and none of 1 file or image can be used: plain\.csv is no image .* It reads JPEG, PNG/,
    ],
    [["evaluate", model, "shapes", "--sheet", "worst.jpg"], /--sheet must end in \.png, got worst\.jpg/],
    [["churn", model, "copy.onnx", "--data", "plain.csv"], /is a model of images, which reads no table\. .* churn/],
    [["ensemble", model, "copy.onnx", "--out", "e.onnx"], /is a model of images, which reads no table/],
    [
      ["train", "--data", "plain.csv", "--label", "late", "--teacher", model],
      /is a model of images, which reads no table/,
    ],
    [
      ["train", "--data", "shapes"],
      /is a folder\. .*It has images: train on them by codistill train --images shapes, or/,
    ],
    [["evaluate", model, "shapes", "--by", "x"], /--by is of tables or text/],
    [["ensemble", folder.path, "--out", "e.onnx"], /an ensemble of tables is for tables, and \S+ is of images/],
    [["sample", model], /is no(t a)? language model/],
  ] as const) {
    const refused = await place.command(args);
    assert.equal(refused.code, 2, refused.shown);
    assert.match(refused.stderr, message, refused.shown);
  }
  assert.equal(readFileSync(place.path("x.csv"), "utf8"), "kept");
});

test("a folder alone is enough: classes, sizes, split, network and steps are inferred, said and written", async () => {
  const described = await place.command(["describe", "--images", "photos", "--json"]);
  assert.equal(described.code, 2, described.shown);
  assert.match(described.stderr, /there is nothing at photos\. Name a folder with a folder for each class/);
  await writeShapes(place.path("own", "train"), 12);
  await writeShapes(place.path("own", "test"), 3);
  const args = ["--images", "own", "--classes", "stripes,circle", "--time-budget", "60s"];
  const { code, stdout, shown } = await place.command(["describe", ...args, "--json"]);
  assert.equal(code, 0, shown);
  const { images, classes, configuration, plan } = JSON.parse(stdout);
  assert.deepEqual([images, classes[0]], [24, { name: "stripes", images: 12 }]);
  assert.deepEqual(configuration.data.source, "own/train");
  assert.deepEqual(configuration.data.test, { source: "own/test" });
  assert.deepEqual([configuration.data.size, plan.augment.flip], [32, true]);
  const run = place.train([
    ...args,
    "--set",
    "numSteps=12",
    "--set",
    "validationInterval=4",
    "--write",
    "own.config.ts",
  ]);
  const ended = await run.ended;
  assert.equal(ended.code, 0, ended.shown);
  assert.match(ended.stdout, /^classes stripes \(12\), circle \(12\)$/m, ended.shown);
  assert.match(ended.stdout, /^config {2}own\.config\.ts, to go on from$/m, ended.shown);
  const first = await run.folder();
  const { testRows, yardsticks } = resultOf(first);
  assert.equal(testRows, 6);
  assert.equal(yardsticks?.[0]?.name, "shares of the classes");
  // The body of the network for classes in another order, by a recipe of large batches at a rate that moves nothing.
  const optimizer = {
    kind: "lars",
    learningRate: 1e-12,
    forBatch: { rows: 2 },
    warmUp: 2,
    weightDecay: { rate: 1e-4, except: ["*.gain", "*.bias"] },
  };
  const changes = {
    numSteps: 4,
    "data.classes": ["circle", "stripes"],
    init: { path: first.model.safetensors, fit: "transfer" },
    optimizer,
  };
  const again = place.train([
    "own.config.ts",
    ...Object.entries(changes).flatMap(([name, value]) => ["--set", `${name}=${JSON.stringify(value)}`]),
  ]);
  const second = await again.ended;
  assert.equal(second.code, 0, second.shown);
  const moved = await again.folder();
  const warnings = ofKind(readLog(moved.group(0).log), "warning").map(({ message }) => message);
  assert.match(
    warnings.join("\n"),
    /^init: \d+ of \d+ arrays of weights are those of \S+; drawn anew: head\.weight, head\.bias$/m,
  );
  const [before, after] = await Promise.all(
    [first, moved].map(async ({ model }) => (await openSafetensors("", readFileSync(model.safetensors))).tensors),
  );
  assert.deepEqual(after?.["blocks.1.conv.weight"], before?.["blocks.1.conv.weight"]);
  assert.notDeepEqual(after?.["head.weight"], before?.["head.weight"]);
  const refused = await place.command(["train", ...args, "--label", "x"]);
  assert.match(
    refused.stderr,
    /--images learns the classes of images, and --label is of tables or text/,
    refused.shown,
  );
});
