/** Teachers that do not change, from flags to the result. */
import assert from "node:assert/strict";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { test } from "node:test";
import { workplace } from "./fixture.js";
import { resultOf, weightsOf } from "./results.js";

const place = workplace();
const data = ["--data", "rows.csv", "--label", "late", "--ignore", "date"];
const short = ["--set", "numSteps=80", "--set", "validationInterval=20", "--set", "checkpointInterval=20"];

const longer = ["--set", "numSteps=400", "--set", "validationInterval=40"];

test("a new model stays close to the one in use, which the run keeps a copy of", async () => {
  const first = place.train([...data, ...longer, "--set", "seed=1"]);
  assert.equal((await first.ended).code, 0, (await first.ended).shown);
  const inUse = (await first.folder()).model.onnx;
  const again = (flags: readonly string[]) =>
    place.train([...data, ...longer, "--set", "seed=2", ...flags, "--write", place.path(`${flags.length}.config.ts`)]);
  const [plain, anchored] = [again([]), again(["--anchor", inUse, "--teacher-weight", "0.9"])];
  const [, { code, stdout, shown }] = [await plain.ended, await anchored.ended];
  assert.equal(code, 0, shown);
  assert.match(stdout, /^taught +90 % of the label loss is against 1 fixed teacher$/m, shown);
  assert.match(
    stdout,
    /^data: 90 % of the label loss is against what a model \(teachers\.0\) predicts, computed once/m,
    shown,
  );
  assert.match(stdout, /^teachers +0\.\d{4}/m, shown);
  assert.match(stdout, /^the shipped model decides [\d.]+ % of the test rows differently from its teachers/m, shown);
  const folder = await anchored.folder();
  const { teachers, groups } = resultOf(folder);
  const apart = await place.command(["churn", inUse, folder.model.onnx, "--data", "rows.csv", "--json"]);
  const plainApart = await place.command([
    "churn",
    inUse,
    (await plain.folder()).model.onnx,
    "--data",
    "rows.csv",
    "--json",
  ]);
  const distance = ({ stdout: json }: typeof apart): number => JSON.parse(json).distance;
  assert.ok(distance(apart) < 0.9 * distance(plainApart), `${distance(apart)} ${distance(plainApart)}`);
  assert.ok(Math.abs((teachers?.testLoss ?? 0) - (groups[0]?.testLoss ?? 1)) < 0.02);
  // The teacher goes away, and the run goes on.
  renameSync(inUse, place.path("elsewhere.onnx"));
  const before = await weightsOf(folder);
  rmSync(folder.result);
  const resumed = place.resume(folder);
  assert.equal((await resumed.ended).code, 0, (await resumed.ended).shown);
  assert.equal(await weightsOf(folder), before);
  renameSync(place.path("elsewhere.onnx"), inUse);
});

test("a column teaches and is no feature, and classes have a column each", async () => {
  const one = place.train([...data, ...short, "--teacher", "size"]);
  const { code, stdout, shown } = await one.ended;
  assert.equal(code, 0, shown);
  assert.match(stdout, /^size +DOUBLE +ignored .* what a teacher predicts$/m, shown);
  const config = JSON.parse(readFileSync((await one.folder()).config, "utf8"));
  assert.deepEqual(config.teachers, [{ column: "size", weight: 1 }]);
  assert.ok(!Object.hasOwn(config.data.numeric, "size"));
  await place.write(
    "classes.csv",
    `kind,x,p_a,p_b,p_c\n${Array.from({ length: 300 }, (_, i) => `${"abc"[i % 3]},${(i * 7) % 11},0.5,0.25,0.25`).join("\n")}\n`,
  );
  const of = ["--data", "classes.csv", "--label", "kind"];
  const several = place.train([...of, ...short, "--teacher", "p_*"]);
  assert.equal((await several.ended).code, 0, (await several.ended).shown);
  const { teachers } = JSON.parse(readFileSync((await several.folder()).config, "utf8"));
  assert.deepEqual(teachers, [{ columns: { a: "p_a", b: "p_b", c: "p_c" }, weight: 1 }]);
});

test("wrong uses of teachers are refused with what to do, and nothing is trained", async () => {
  const model = (await place.finished()).folder.model.onnx;
  await place.write("text.onnx", "no model");
  for (const [flags, pattern] of [
    [["--anchor", "p"], /--anchor is the model\.onnx of a run, got p\. .* --teacher <column>/],
    [["--anchor", "none.onnx"], /teachers\.0\.model: .*none\.onnx cannot be read: ENOENT/],
    [["--anchor", "text.onnx"], /text\.onnx is not an ONNX model/],
    [["--teacher-weight", "0.5"], /--teacher-weight is of --teacher or --anchor, and neither is given, got 0\.5/],
    [
      ["--anchor", model, "--teacher-weight", "1.5"],
      /--teacher-weight.*must be a probability from 0 to 1, got "1\.5"/s,
    ],
    [["--teacher", "sise"], /teachers\.0\.column does not compile: sise.*Did you mean size\?/s],
    [
      ["--teacher", "size * 100"],
      /a teacher gives the probability of the positive label, from 0 to 1, and of [\d,]+ rows/,
    ],
    [["--teacher", "city"], /missing or no number in/],
    [["--teacher", "late"], /--teacher late: a teacher predicts the label, and late is part of it\./],
  ] as const) {
    const { code, shown, stdout, stderr } = await place.command(["train", ...data, ...short, ...flags]);
    assert.equal(code, 2, shown);
    assert.match(`${stdout}${stderr}`, pattern, shown);
    assert.doesNotMatch(stderr, /\n\s+at /, shown);
  }
  const { stderr, code } = await place.command([
    ...["train", "--data", "classes.csv", "--label", "kind", "--teacher", "p_a"],
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /of a label of 3 classes a teacher is a column for each, as probability_\*/);
});
