import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tinyLearner, tinyPreprocessing, tinyServing } from "../../../test/fixtures/tiny-run.js";
import { CheckpointError, DataError } from "../../errors.js";
import { initWeights } from "../../nn/model.js";
import { exportModel } from "../../run/export.js";
import { rootKey } from "../../runtime/random.js";
import { MODEL_FORMAT, MODEL_VERSION } from "../ort/model-file.js";
import { evaluate } from "./evaluate.js";
import { predict } from "./predict.js";
import { type DataRow, evaluateRows, predictRows } from "./predict-rows.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-predict-rows-"));
after(() => rmSync(folder, { recursive: true }));

const learner = tinyLearner();
const model = join(folder, "model.onnx");
writeFileSync(
  model,
  exportModel(learner, tinyPreprocessing, tinyServing(), initWeights(learner.model, rootKey(3)), {
    format: MODEL_FORMAT,
    version: String(MODEL_VERSION),
    name: "tiny",
    label: "late",
    reading: JSON.stringify({ columns: [] }),
  }),
);
const rows: readonly DataRow[] = [
  { colour: "blue", size: 2.5, late: 1, other: new Date(0) },
  { size: -1, colour: "red", late: 0 },
  { colour: "mauve", size: null, late: 1 },
  { colour: null, size: Number.NaN, late: 0 },
];
const cells = rows.map(({ colour, size, late }) => [colour ?? "", Number.isFinite(size) ? size : "", late].join());
const csv = join(folder, "rows.csv");
writeFileSync(csv, `colour,size,late\n${cells.join("\n")}\n`);

test("rows are predicted as the same rows of a file are, in their order", async () => {
  const out = join(folder, "out.jsonl");
  await predict(model, csv, { out, cacheFolder: join(folder, "cache") });
  const expected = readFileSync(out, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const predictions = await predictRows(model, rows);
  assert.deepEqual(
    predictions.map(({ prediction }) => prediction),
    expected.map(({ prediction }) => String(prediction)),
  );
  for (const [i, { probabilities }] of predictions.entries()) {
    const yes = Object.entries(probabilities ?? {})[1]?.[1] ?? Number.NaN;
    const [, inFile] = Object.entries(expected[i]).find(([name]) => name.startsWith("probability_")) ?? [];
    assert.ok(Math.abs(yes - Number(inFile)) < 1e-7, `row ${i}: ${yes}, in the file ${inFile}`);
  }
  assert.deepEqual(await predictRows(model, []), []);
});

test("rows are evaluated as the same rows of a file are", async () => {
  const ofFile = await evaluate(model, csv, { cacheFolder: join(folder, "cache") });
  const ofRows = await evaluateRows(model, rows);
  assert.deepEqual({ ...ofRows, seconds: 0, notes: [] }, { ...ofFile, seconds: 0, notes: [] });
  await assert.rejects(evaluateRows(model, []), DataError);
});

test("what cannot be predicted is refused with its place", async () => {
  await assert.rejects(predictRows(model, [{ colour: "blue" }]), /reads the column "size".*has none of that name/s);
  const list = [{ colour: ["blue"], size: 1 }] as unknown as DataRow[];
  await assert.rejects(predictRows(model, list), /"colour" of row 0 is of type array/);
  await assert.rejects(predictRows(csv, rows), CheckpointError);
});

test("rows are not written over the file that they are read from", async () => {
  const before = readFileSync(csv, "utf8");
  const link = join(folder, "link.csv");
  symlinkSync(csv, link);
  for (const out of [csv, link]) {
    await assert.rejects(
      predict(model, join(folder, "rows.*"), { out, cacheFolder: join(folder, "cache") }),
      /--out must be another file than those that are read, and \S+ is one of them\. Name another one, as predicted\.csv\./,
    );
  }
  assert.equal(readFileSync(csv, "utf8"), before);
});
