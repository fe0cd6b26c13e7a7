/** Permutation importance of a served model, beside the same computed from predictions of rows that were permuted here. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tinyLearner, tinyPreprocessing, tinyServing } from "../../../test/fixtures/tiny-run.js";
import { ConfigError, DataError } from "../../errors.js";
import { initWeights } from "../../nn/model.js";
import { exportModel } from "../../run/export.js";
import { fold, normal, rootKey, uniform } from "../../runtime/random.js";
import { repeatedDonors } from "../../train/importance.js";
import { MODEL_FORMAT, MODEL_VERSION } from "../ort/model-file.js";
import { type DataRow, evaluateRows, predictRows } from "./predict-rows.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-importance-"));
after(() => rmSync(folder, { recursive: true }));

/** A model that reads a colour as it stands, and a size from three columns, one of them a time. */
const model = join(folder, "model.onnx");
const learner = tinyLearner();
const serving = tinyServing();
const inputs = serving.inputs.map((input) => {
  if (input.name !== "size") return { ...input, sql: '"Colour"' };
  return { name: "size", type: "number" as const, sql: 'dayofyear("at") - base - half' };
});
writeFileSync(
  model,
  exportModel(learner, tinyPreprocessing, { ...serving, inputs }, initWeights(learner.model, rootKey(3)), {
    format: MODEL_FORMAT,
    version: String(MODEL_VERSION),
    name: "tiny",
    label: "late",
    reading: JSON.stringify({ columns: [] }),
  }),
);

const NUM_ROWS = 60;
const draw = (name: string) => fold(rootKey(12), name);
const colours = uniform(draw("colour"), NUM_ROWS);
const bases = normal(draw("base"), NUM_ROWS);
const days = uniform(draw("day"), NUM_ROWS);
const rows = Array.from({ length: NUM_ROWS }, (_, i) => {
  const base = i % 7 === 0 ? null : Math.round((bases[i] ?? 0) * 100) / 100;
  return {
    colour: ["red", "green", "blue", null][Math.floor((colours[i] ?? 0) * 4)] ?? null,
    base,
    half: base === null ? null : base / 2,
    at: `2024-01-0${1 + Math.floor((days[i] ?? 0) * 4)}`,
    idle: i,
    late: i % 9 === 0 ? null : i % 2,
  };
});
const labelled = rows.filter(({ late }) => late !== null);

/** The loss of each row. */
async function lossesOf(of: readonly DataRow[]): Promise<number[]> {
  const predictions = await predictRows(model, of);
  return predictions.map(
    ({ probabilities }, i) => -Math.log(Object.values(probabilities ?? {})[Number(of[i]?.late)] ?? 0),
  );
}

test("each column that the model's SQL reads is permuted alone, as it stands in the table", async () => {
  const repeats = 3;
  const { importance, metrics } = await evaluateRows(model, rows, { importance: { repeats, seed: 8 } });
  assert.deepEqual([importance?.rows, importance?.repeats], [labelled.length, repeats]);
  assert.ok(Math.abs((importance?.loss ?? 0) - metrics.loss) < 1e-6);
  assert.deepEqual(importance?.columns.map(({ column }) => column).toSorted(), ["at", "base", "colour", "half"]);
  const { columns = [], groups = [] } = importance ?? {};
  assert.deepEqual(
    groups.map(({ columns }) => columns),
    [["base", "half"]],
  );
  const units = [...columns.map(({ column, rise }) => ({ columns: [column], rise })), ...groups];
  const givers = repeatedDonors(rootKey(8), repeats, labelled.length);
  const permuted = units.flatMap((unit) =>
    givers.flatMap((own) =>
      labelled.map((row, i) => {
        const giver = labelled[own[i] ?? 0] as DataRow;
        return { ...row, ...Object.fromEntries(unit.columns.map((column) => [column, giver[column]])) };
      }),
    ),
  );
  const losses = await lossesOf([...labelled, ...permuted]);
  const meanOf = (start: number, end: number) =>
    losses.slice(start, end).reduce((sum, loss) => sum + loss, 0) / (end - start);
  for (const [i, { columns, rise }] of units.entries()) {
    const start = (1 + i * repeats) * labelled.length;
    const expected = meanOf(start, start + repeats * labelled.length) - meanOf(0, labelled.length);
    assert.ok(Math.abs(rise.value - expected) < 1e-6, `${columns}: ${rise.value}, expected ${expected}`);
    assert.ok(rise.low < rise.value && rise.value < rise.high, `${columns}`);
  }
  const values = columns.map(({ rise }) => rise.value);
  assert.deepEqual(
    values,
    values.toSorted((a, b) => b - a),
  );
});

test("rows are drawn by the seed, from those with a label", async () => {
  const drawn = async (seed: number) =>
    (await evaluateRows(model, rows, { importance: { rows: 20, seed } })).importance;
  const [first, again, other] = [await drawn(1), await drawn(1), await drawn(2)];
  assert.equal(first?.rows, 20);
  assert.deepEqual(first, again);
  assert.notEqual(first?.loss, other?.loss);
  await assert.rejects(evaluateRows(model, rows.slice(0, 2), { importance: {} }), DataError);
  for (const importance of [{ rows: 1 }, { repeats: 0 }, { seed: 0.5 }])
    await assert.rejects(evaluateRows(model, rows, { importance }), ConfigError);
});

test("costs must be more than 0, and a threshold a probability", async () => {
  const costs = { falsePositive: 1, falseNegative: 0 };
  await assert.rejects(evaluateRows(model, rows, { costs }), /a wrong no \(--cost-fn\) must cost more than 0, got 0/);
  await assert.rejects(predictRows(model, rows, { threshold: 2 }), /a probability from 0 to 1, got 2/);
  await assert.rejects(predictRows(model, rows, { interval: 0.9 }), /for a label that is a number, .* the task binary/);
  const yes = (predictions: readonly { readonly prediction: string | number }[]) =>
    predictions.filter(({ prediction }) => prediction === "true").length;
  assert.equal(yes(await predictRows(model, rows, { threshold: 0 })), NUM_ROWS);
  assert.equal(yes(await predictRows(model, rows, { threshold: 1 })), 0);
});
