/** Cross-validation as processes: stopped, gone on with, and every row tested once. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { workplace } from "./fixture.js";
import { eventually } from "./processes.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();
const byChance = { ...tinyConfig.data, split: { kind: "rows" as const }, weight: "1 + size" };
const changes = { data: byChance, numGroups: 1, numSteps: 60 };

interface Score {
  readonly testLoss: number;
  readonly testAuc: number;
}
interface Result {
  readonly folds: readonly (Score & { readonly fold: number; readonly rows: number })[];
  readonly mean: Score;
  readonly standardError: Score;
  readonly outOfFold: Score & { readonly rows: number };
}

test("three folds, stopped in the second and gone on with: finished folds stay, and all rows are tested once", async () => {
  const runs = place.path("folds");
  const config = await place.config("folds.json", changes);
  // `evaluate --folds` trains, and is the same command.
  const first = place.codistill(["evaluate", config, "--folds", "3", "--runs", runs]);
  const at = (...names: string[]) => {
    const [name = ""] = existsSync(runs) ? readdirSync(runs) : [];
    return existsSync(join(runs, name, ...names)) ? join(runs, name) : null;
  };
  await eventually("the data of the first fold", () => at("fold-1", "data.json"), first.output);
  await eventually("the first fold", () => at("fold-1", "result.json"), first.output);
  const folder = await eventually("the second fold", () => at("fold-2", "log.jsonl"), first.output);
  process.kill(first.pid, "SIGINT");
  const stopped = await first.ended;
  assert.equal(stopped.code, 130, stopped.shown);
  assert.ok(stopped.stdout.includes(`codistill cross-validate --resume ${folder}`), stopped.shown);
  const before = statSync(join(folder, "fold-1", "result.json")).mtimeMs;

  const ended = await place.codistill(["cross-validate", "--resume", folder, "--json"]).ended;
  assert.equal(ended.code, 0, ended.shown);
  assert.equal(statSync(join(folder, "fold-1", "result.json")).mtimeMs, before, "the first fold was not scored again");
  assert.match(ended.stderr, /fold 2 of 3 in [\s\S]*fold 3 of 3 in .*; about 0:\d\d left/, ended.shown);
  assert.doesNotMatch(ended.stderr, /fold 1 of 3 in/);
  const result: Result = JSON.parse(ended.stdout);
  const { version: _, ...written } = JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));
  assert.deepEqual(written, result);
  assert.deepEqual(
    result.folds.map(({ fold }) => fold),
    [1, 2, 3],
  );
  assert.equal(
    result.folds.reduce((sum, { rows }) => sum + rows, 0),
    6000,
  );
  assert.equal(result.outOfFold.rows, 6000);
  const losses = result.folds.map(({ testLoss }) => testLoss);
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / 3;
  const deviation = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / 2);
  assert.ok(Math.abs(result.mean.testLoss - mean) < 1e-12);
  assert.ok(Math.abs(result.standardError.testLoss - deviation / Math.sqrt(3)) < 1e-12);
  // Folds of equal size with a label that is learned: all rows together are as well predicted as in each fold.
  assert.ok(Math.abs(result.outOfFold.testLoss - mean) < 0.005, ended.shown);
  assert.ok(result.outOfFold.testAuc > 0.75 && Math.abs(result.outOfFold.testAuc - result.mean.testAuc) < 0.02);
  assert.match(ended.stderr, /^mean of the folds +0\.\d{4}/m, ended.shown);
  assert.match(ended.stderr, /^all rows, out of fold +6,000 +0\.\d{4}/m, ended.shown);
  assert.match(ended.stderr, /each row counts by its weight, 1 \+ size/, ended.shown);
  assert.match(ended.stderr, /note: the standard error takes the folds for independent/, ended.shown);

  // The model of a fold is evaluated by the weights that it was trained with, unless others are given.
  const model = join(folder, "fold-3", "model.onnx");
  const evaluated = await place.codistill(["evaluate", model, "rows.csv", "--json"]).ended;
  const alike = await place.codistill(["evaluate", model, "rows.csv", "--weight", "1", "--json"]).ended;
  const [weighted, plain] = [evaluated, alike].map(({ stdout }) => JSON.parse(stdout));
  assert.deepEqual([weighted.weight, plain.weight], ["1 + size", "1"], evaluated.shown);
  assert.notEqual(weighted.metrics.loss, plain.metrics.loss);
  await place.write("no-size.csv", "date,city,kind,hour,late\n2001-01-01,Lima,bus,h1,true\n");
  const without = await place.codistill(["evaluate", model, "no-size.csv"]).ended;
  assert.equal(without.code, 2, without.shown);
});

test("what cannot be dealt to folds is refused with what to do", async () => {
  const refused = async (args: readonly string[], pattern: RegExp) => {
    const { code, stderr, shown } = await place.codistill(["cross-validate", ...args]).ended;
    assert.equal(code, 2, shown);
    assert.match(stderr, pattern, shown);
    assert.doesNotMatch(stderr, /\n\s+at /, shown);
  };
  const byTime = await place.config("by-time.json");
  await refused([byTime], /data\.split of the configuration is by predicates\. .*several cuts/);
  await refused(["--data", "rows.csv", "--label", "late", "--time", "date"], /--time date is given/);
  const named = await place.codistill(["evaluate", "--folds=3", byTime]).ended;
  assert.match(named.stderr, /^codistill: evaluate --folds: folds: rows are dealt to them by chance/, named.shown);
  assert.doesNotMatch(named.stderr, /cross-validate/, named.shown);
  const config = await place.config("by-chance.json", changes);
  await refused([config, "--folds", "1"], /--folds must be from 2 to 100, got 1/);
  await refused([config, "--folds", "x"], /must be a whole number, got "x"/);
  await refused(["--resume", place.path("nowhere")], /is not the folder of a cross-validation/);
  await refused([], /cross-validate: folds are of data or of a configuration, and neither is given/);
});
