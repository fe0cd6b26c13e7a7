/** Ensembles of the groups of finished runs, by the command: beside the groups' own models, and the scores of the run. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { modelMetadata } from "../../src/node/launch/finish.js";
import { loadConfig } from "../../src/node/runs/load-config.js";
import { readRunFile } from "../../src/node/runs/run-file.js";
import type { RunFolder } from "../../src/node/runs/run-folder.js";
import { directoryStore } from "../../src/node/stores/directory-store.js";
import { type Prediction, predictRows } from "../../src/node/table/predict-rows.js";
import { openModel } from "../../src/node/table/served-model.js";
import { tableMetadata } from "../../src/node/table/table-reader.js";
import { exportedGroup, openTrainedTable, type TrainedOn } from "../../src/node/table/trained-table.js";
import type { TableRunConfig } from "../../src/run/kinds/table.js";
import type { RunInput } from "../../src/run/schema.js";
import { readOwnBest } from "../../src/run/score.js";
import { workplace } from "./fixture.js";
import { resultOf } from "./results.js";
import { csvHeader, tinyConfig, tinyCsv } from "./tiny.js";

const place = workplace();

/** The rows that the tiny configuration tests, as they are in the file. */
const testLines = tinyCsv()
  .trim()
  .split("\n")
  .slice(1)
  .filter((line) => line >= "2001-05-11");
const testRows = testLines.map((line) =>
  Object.fromEntries(line.split(",").map((value, i) => [csvHeader.split(",")[i] as string, value])),
);

/** A run that is long enough that its groups differ, and no longer. */
const SHORT = {
  numSteps: 30,
  algorithm: { ...tinyConfig.algorithm, burnInSteps: 30 },
  validationInterval: 10,
  checkpointInterval: 30,
} satisfies Partial<RunInput>;

async function trained(name: string, changes: Partial<RunInput>): Promise<RunFolder> {
  const run = place.train([await place.config(`${name}.json`, { ...SHORT, ...changes })]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  return run.folder();
}

/** The models of the groups of a run, each exported alone. */
async function ownModels(folder: RunFolder): Promise<string[]> {
  const config = (await loadConfig(folder.config)) as TableRunConfig;
  const { cache, digest } = readRunFile(folder.data) as unknown as TrainedOn;
  const options = { cacheFolder: place.path("cache") };
  const run = await openTrainedTable(config, { cache: resolve(place.path(), cache), digest }, options);
  return Promise.all(
    Array.from({ length: config.numGroups }, async (_, group) => {
      const best = await readOwnBest(directoryStore(folder.group(group).path), group, () => {});
      assert.ok(best);
      const metadata = modelMetadata(config, best, { metadata: tableMetadata(config, run.table) });
      const path = place.path(`${config.name}-${group}.onnx`);
      writeFileSync(path, exportedGroup(run, best, "best", metadata));
      return path;
    }),
  );
}

const valuesOf = ({ prediction, probabilities }: Prediction): number[] =>
  probabilities === null ? [Number(prediction)] : Object.values(probabilities);

/** Checks that a model predicts the mean of others; float64 to 1e-6, float32 to a part of 1e-6. */
async function checkMean(model: string, members: readonly string[], isDouble = false): Promise<void> {
  const own = await Promise.all(members.map((path) => predictRows(path, testRows)));
  let spread = 0;
  for (const [row, predicted] of (await predictRows(model, testRows)).entries()) {
    const all = own.map((one) => valuesOf(one[row] as Prediction));
    for (const [k, value] of valuesOf(predicted).entries()) {
      const values = all.map((one) => one[k] as number);
      const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
      const tolerance = 1e-6 * (isDouble ? 1 : Math.max(1, Math.abs(mean)));
      assert.ok(Math.abs(value - mean) <= tolerance, `row ${row}: ${value}, and the mean is ${mean}`);
      spread = Math.max(spread, Math.max(...values) - Math.min(...values));
    }
  }
  assert.ok(spread > 0.01, `members that predict alike prove nothing: ${spread}`);
}

const sizeLabel = (label: string) => ({ ...tinyConfig.data, label, numeric: {} });
/** Null for the run that all tests share. */
const runs: Readonly<Record<string, readonly [changes: Partial<RunInput> | null, isDouble: boolean]>> = {
  binary: [null, false],
  multiclass: [
    {
      task: { kind: "multiclass", temperature: true },
      data: { ...tinyConfig.data, label: "case when late then city else kind end" },
    },
    false,
  ],
  log: [{ task: { kind: "regression", scale: "log" }, data: sizeLabel("100 * size") }, false],
  shifted: [{ task: { kind: "regression" }, data: sizeLabel("1e9 + 100 * size") }, true],
};

for (const [name, [changes, isDouble]] of Object.entries(runs)) {
  test(`the ensemble of a run predicts the mean of its groups, and scores as the run says: ${name}`, async () => {
    const folder = changes === null ? (await place.finished()).folder : await trained(name, { ...changes, name });
    const out = place.path(`${name}.onnx`);
    const made = await place.command(["ensemble", folder.path, "--out", out, "--json"]);
    assert.equal(made.code, 0, made.shown);
    const { members, inputs, task, notes } = JSON.parse(made.stdout);
    const result = resultOf(folder);
    assert.deepEqual(
      members,
      result.groups.map(({ group, step }) => ({ source: folder.path, group, step })),
    );
    assert.deepEqual([task, notes, new Set(inputs).size], [result.task, [], inputs.length]);
    const own = await ownModels(folder);
    await checkMean(out, own, isDouble);
    assert.deepEqual(
      await predictRows(own[0] as string, testRows),
      await predictRows(folder.model.onnx, testRows),
      "group 0 is the one that the run shipped",
    );

    await place.write("test.csv", `${csvHeader}\n${testLines.join("\n")}\n`);
    const scored = await place.command(["evaluate", out, "test.csv", "--json"]);
    assert.equal(scored.code, 0, scored.shown);
    const { metrics } = JSON.parse(scored.stdout);
    for (const [metric, value] of Object.entries(metrics as Record<string, number>)) {
      const said = (result.ensemble as unknown as Record<string, number>)[
        `test${metric.slice(0, 1).toUpperCase()}${metric.slice(1)}`
      ];
      assert.ok(
        said !== undefined && Math.abs(value - said) < 1e-5 * Math.max(1, Math.abs(said)),
        `${metric} ${value} ${said}`,
      );
    }
    const churned = await place.command(["churn", folder.model.onnx, out, "--data", "test.csv", "--json"]);
    assert.equal(churned.code, 0, churned.shown);
    assert.ok(JSON.parse(churned.stdout).distance > 0, churned.shown);
    if (task === "regression") await checkIntervals(folder, out);
  });
}

/** Checks that the errors of an ensemble are those of its own predictions of the validation rows. */
async function checkIntervals(folder: RunFolder, out: string): Promise<void> {
  const rows = tinyCsv()
    .trim()
    .split("\n")
    .slice(1)
    .filter((line) => line >= "2001-04-21" && line < "2001-05-11")
    .map((line) => line.split(","));
  const named = rows.map((cells) =>
    Object.fromEntries(csvHeader.split(",").map((name, i) => [name, cells[i] as string])),
  );
  const predicted = await predictRows(out, named);
  await using model = await openModel(out, 1);
  await using shipped = await openModel(folder.model.onnx, 1);
  const { errors, task, label } = { errors: model.errors, task: model.task, label: model.label };
  assert.ok(errors && task.errorScale);
  assert.notDeepEqual(errors, shipped.errors);
  const labels = Float64Array.from(rows, (cells) => 100 * Number(cells[4]) + (label.startsWith("1e9") ? 1e9 : 0));
  const probs = Float64Array.from(predicted, ({ prediction }) => Number(prediction));
  const expected = task.errorScale.errors({ probs, labels }).sort();
  assert.equal(errors.count, rows.length);
  const unit = Math.max(...expected.map(Math.abs));
  for (const [i, rank] of errors.ranks.entries()) {
    const [value, own] = [errors.values[i] as number, expected[rank - 1] as number];
    assert.ok(Math.abs(value - own) < 1e-5 * unit, `rank ${rank}: ${value} ${own}`);
  }
}

test("two networks together, chosen groups, a run whose cache is gone; what is no member is refused", async () => {
  const { folder } = await place.finished();
  const tabm = await trained("tabm", {
    name: "tabm",
    model: { kind: "tabm", members: 3, embeddingWidth: 4, hidden: [8] },
    seed: 3,
  });
  const both = await place.command(["ensemble", folder.path, tabm.path, "--out", "both.onnx"]);
  assert.equal(both.code, 0, both.shown);
  assert.match(both.stdout, /^both\.onnx: the mean of the probabilities of 4 models, 4 inputs, /, both.shown);
  assert.match(both.stdout, new RegExp(`^${tabm.path} +1 +\\d+$`, "m"), both.shown);
  const own = [...(await ownModels(folder)), ...(await ownModels(tabm))];
  await checkMean(place.path("both.onnx"), own);
  const mixed = await place.command(["ensemble", folder.path, tabm.model.onnx, "--out", "mixed.onnx"]);
  assert.equal(mixed.code, 0, mixed.shown);
  await checkMean(place.path("mixed.onnx"), own.slice(0, 3));

  const refusals: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [["--out", "none.onnx"], /missing required argument 'runs'/],
    [[folder.path], /required option '--out <file>' not specified/],
    [[folder.path, "--out", "both.onnx"], /both\.onnx is there already\. Replace it with --force/],
    [[folder.path, "--out", "none.onnx", "--groups", "0,5"], /has the groups 0, 1, and --groups asks for 5/],
    [[folder.path, "--out", "none.onnx", "--groups", "0,0"], /--groups has 0 twice/],
    [[folder.path, "--out", "none.onnx", "--groups", "0,x"], /must be whole numbers parted by commas, as 0,2/],
    [[folder.path, "--out", "none.onnx", "--groups", "1"], /two models or more, and \S+ has one/],
    [[folder.path, folder.model.onnx, "--out", "none.onnx"], /model\.onnx is the same model as group 0 of \S+, with/],
    [["nowhere", "--out", "none.onnx"], /nowhere is not a run folder: it has no config\.json/],
  ];
  for (const [args, message] of refusals) {
    const { code, stderr, shown } = await place.command(["ensemble", ...args]);
    assert.equal(code, 2, shown);
    assert.match(stderr, message, shown);
  }
  const before = readFileSync(place.path("both.onnx"));
  const args = ["ensemble", folder.path, "--groups", "1,0", "--out", "both.onnx", "--force", "--json"];
  const replaced = await place.command(args);
  assert.equal(replaced.code, 0, replaced.shown);
  assert.deepEqual(
    JSON.parse(replaced.stdout).members.map(({ group }: { group: number }) => group),
    [1, 0],
  );
  assert.notDeepEqual(readFileSync(place.path("both.onnx")), before);

  // The cache of a run may be gone: its source makes it again, unless it has changed.
  const { cache } = readRunFile(folder.data) as unknown as TrainedOn;
  rmSync(resolve(place.path(), cache), { recursive: true });
  const again = await place.command(["ensemble", folder.path, "--out", "again.onnx", "--cache", "other"]);
  assert.equal(again.code, 0, again.shown);
  assert.deepEqual(readFileSync(place.path("again.onnx")).length, readFileSync(place.path("both.onnx")).length);
  const rows = readFileSync(place.path("rows.csv"), "utf8");
  await place.write("rows.csv", rows.replace("Lima", "Oslo"));
  const changed = await place.command(["ensemble", folder.path, "--out", "none.onnx"]);
  await place.write("rows.csv", rows);
  assert.equal(changed.code, 2, changed.shown);
  assert.match(changed.stderr, /its data has changed \(SHA-256 .*\)\. Put it back\./, changed.shown);
  assert.ok(!existsSync(place.path("none.onnx")));
});

test("a run that has not finished, and one on text beside a table, are refused; groups of text are one model, too", async () => {
  const whole = await place.finished();
  const refused = async (folder: RunFolder, message: RegExp) => {
    const { code, stderr, shown } = await place.command([
      ...["ensemble", whole.folder.path, folder.path, "--out", "none.onnx"],
    ]);
    assert.equal(code, 2, shown);
    assert.match(stderr, message, shown);
  };
  const unscored = await place.finishedCopy();
  rmSync(unscored.result);
  await refused(unscored, /runs must have finished, and of \S+ its groups have not been scored\. Go on with it by/);
  // As it is when the process of a group dies.
  const died = await place.finishedCopy();
  const { log } = died.group(1);
  const lines = readFileSync(log, "utf8").split("\n");
  writeFileSync(log, lines.filter((line) => !line.includes('"group-end"')).join("\n"));
  await refused(died, /of \S+ group 1 is failed\. Go on with it by codistill train --resume \S+$/m);

  await place.write("a.txt", "It was a dark and stormy night. ".repeat(400));
  const text = {
    name: "text",
    data: { kind: "text", source: "a.txt", longest: 500, validation: 0.1, test: 0.1, sequenceLength: 8 },
    model: { kind: "lstm", width: 4, hidden: 8 },
    numGroups: 2,
    numSteps: 2,
    globalBatchSize: 2,
    validationInterval: 2,
    checkpointInterval: 2,
    threads: 1,
  };
  const run = place.train([
    await place.write("text.json", JSON.stringify({ ...text, optimizer: tinyConfig.optimizer })),
  ]);
  const { code, shown } = await run.ended;
  assert.equal(code, 0, shown);
  const folder = await run.folder();
  await refused(folder, /an ensemble of tables is for tables, and \S+ is of text/);
  const { code: ofModel, stderr } = await place.command([
    ...["ensemble", whole.folder.path, folder.model.onnx, "--out", "none.onnx"],
  ]);
  assert.equal(ofModel, 2, stderr);
  assert.match(stderr, /is a language model, which reads no table/);
  const wrong = await place.command(["ensemble", folder.path, whole.folder.path, "--out", "none.onnx"]);
  assert.equal(wrong.code, 2, wrong.shown);
  assert.match(wrong.stderr, /an ensemble of text is for text, and \S+ is of tables/);
  assert.ok(!existsSync(place.path("none.onnx")));
  const both = await place.command(["ensemble", folder.path, "--out", "text.onnx"]);
  assert.equal(both.code, 0, both.shown);
  assert.match(both.stdout, /^text\.onnx: the mean of the probabilities of 2 models, 9 inputs/);
  const lossOf = async (model: string): Promise<number> => {
    const evaluated = await place.command(["evaluate", model, "a.txt", "--json"]);
    assert.equal(evaluated.code, 0, evaluated.shown);
    return JSON.parse(evaluated.stdout).loss;
  };
  assert.ok(Math.abs((await lossOf("text.onnx")) - (await lossOf(folder.model.onnx))) < 0.1);
  const sampled = await place.command(["sample", "text.onnx", "--length", "4", "--seed", "1"]);
  assert.equal(sampled.code, 0, sampled.shown);
});
