/** Churn of procedures as processes: retrained, gone on with, and told from churn of two models. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runFolder } from "../../src/node/runs/run-folder.js";
import { workplace } from "./fixture.js";
import { killedAndGoneOnWith } from "./study-resume.js";

const place = workplace();

test("procedures are trained several times, anchored ones close to one model in use, and go on with more", async () => {
  const config = await place.config("config.json", { numSteps: 60, validationInterval: 20 });
  const runs = place.path("churn");
  const args = ["churn", config, "--retrains", "2", "--arms", "single,anchored", "--json", "--runs", runs];
  const first = await place.codistill(args).ended;
  assert.equal(first.code, 0, first.shown);
  const [name = ""] = readdirSync(runs);
  const folder = join(runs, name);
  const trained = (path: string) =>
    readdirSync(path).filter((entry) => existsSync(runFolder(join(path, entry)).result));
  const all = ["anchored-seed-1", "anchored-seed-2", "in-use-seed-0", "single-seed-1", "single-seed-2"];
  assert.deepEqual(trained(folder).sort(), all);
  const { teachers } = JSON.parse(readFileSync(runFolder(join(folder, "anchored-seed-2")).config, "utf8"));
  const digest = (path: string) => readFileSync(path).toString("base64");
  assert.equal(
    digest(join(folder, "anchored-seed-2", teachers[0].model)),
    digest(runFolder(join(folder, "in-use-seed-0")).model.onnx),
  );
  assert.match(first.stderr, /Two retrainings make one pair/);

  const scored = runFolder(join(folder, "in-use-seed-0")).result;
  const before = statSync(scored).mtimeMs;
  const more = await place.codistill(["churn", "--resume", folder, "--arms", "ensemble", "--json"]).ended;
  assert.equal(more.code, 0, more.shown);
  assert.equal(statSync(scored).mtimeMs, before, "the model in use was trained again");
  const { figures, reference } = JSON.parse(more.stdout);
  assert.equal(reference, "single");
  assert.deepEqual(
    figures.map(({ arm, seeds }: { arm: string; seeds: number[] }) => [arm, seeds]),
    ["single", "anchored", "ensemble"].map((arm) => [arm, [1, 2]]),
  );
  for (const { arm, changed, good, bad, distance, pairs, fromInUse } of figures) {
    assert.equal(pairs.length, 1, arm);
    assert.equal(distance.value, pairs[0].distance, arm);
    // Of two classes a decision that changes was right, or becomes so.
    assert.ok(Math.abs(changed.value - good.value - bad.value) < 1e-12, arm);
    assert.ok(fromInUse.changed.value > 0, arm);
  }
  const [single, anchored, ensemble] = figures;
  assert.notEqual(ensemble.distance.value, single.distance.value);
  assert.ok(anchored.fromInUse.distance.value < single.fromInUse.distance.value);
  const text = readFileSync(join(folder, "report.md"), "utf8");
  for (const words of [/^## Churn between retrainings$/m, /^## From the model in use$/m, /good churn/, /jackknife/])
    assert.match(text, words);
  const other = await place.command(["compare", "--resume", folder]);
  assert.equal(other.code, 2, other.shown);
  assert.match(other.stderr, /was begun by codistill churn, .* Go on with: codistill churn --resume/, other.shown);
});

test("retrainings that are killed in one of them and gone on with are as some that were not", async () => {
  const config = await place.config("killed.json");
  await killedAndGoneOnWith(place, {
    command: "churn",
    args: [config, "--retrains", "2", "--arms", "single-all"],
    ...{ run: "single-all-seed-2", when: "training", done: "single-all-seed-1" },
  });
});

test("churn of two models and of procedures are told apart, each mistake with its sentence", async () => {
  const config = await place.config("wrong.json");
  for (const [args, pattern] of [
    [[], /churn is of two models, as in .*; or of procedures .*Neither is given/],
    [["--data", "rows.csv"], /Neither is given/],
    [["a.onnx", "--data", "rows.csv"], /between two models, and a\.onnx is one\. Name the second, .*--retrains 5/],
    [["a.onnx", "b.onnx"], /--data names none\. Add it/],
    [
      ["a.onnx", "b.onnx", "--data", "rows.csv", "--retrains", "3"],
      /--retrains is of procedures that are trained, and a\.onnx and b\.onnx are models/,
    ],
    [["a.onnx", config, "--data", "rows.csv"], /is a configuration\. For churn of what it trains give it alone/],
    [[config, "--max-churn", "2%"], /--max-churn is of two models, and .*wrong\.json is given/],
    [[config, "--retrains", "0"], /must be a number from 1 to 100, got "0"/],
    [[config, "--arms", "sngle"], /--arms: must be of single, .*did you mean single/],
    [[config, "--data", "rows.csv", "--label", "late"], /--data and what goes with it make a new configuration/],
    [["--resume", place.path(), "--set", "numSteps=3"], /--resume goes on with the configuration as it began/],
    [["--resume", place.path()], /is not the folder of a comparison/],
  ] as const) {
    const refused = await place.command(["churn", ...args]);
    assert.equal(refused.code, 2, refused.shown);
    assert.match(refused.stderr, pattern, refused.shown);
    assert.doesNotMatch(refused.stderr, /\n\s+at /, refused.shown);
  }
});
