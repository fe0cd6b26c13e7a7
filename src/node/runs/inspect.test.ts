import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tinyLearner, tinyPreprocessing, tinyServing } from "../../../test/fixtures/tiny-run.js";
import { encodeSafetensors } from "../../checkpoint/safetensors.js";
import { CheckpointError, ConfigError } from "../../errors.js";
import { initWeights } from "../../nn/model.js";
import type { Reading } from "../../reading/reading.js";
import { exportModel } from "../../run/export.js";
import { float32 } from "../../runtime/array.js";
import { rootKey } from "../../runtime/random.js";
import { inspect } from "./inspect.js";

const root = mkdtempSync(join(tmpdir(), "codistill-inspect-"));
after(() => rmSync(root, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  writeFileSync(join(root, name), content);
  return join(root, name);
}

test("a safetensors file shows its kind, metadata and tensors", async () => {
  const bytes = encodeSafetensors(
    { b: float32([1, 2]), a: float32([1], []) },
    { format: "codistill.snapshot", step: "7" },
  );
  assert.deepEqual((await inspect(file("x.safetensors", bytes))).lines, [
    `codistill.snapshot, ${bytes.length} B, 2 tensors, 3 values`,
    "step: 7",
    "",
    "tensor  type",
    "a       float32[]",
    "b       float32[2]",
  ]);
});

test("a model shows its inputs, outputs and metadata", async () => {
  const learner = tinyLearner();
  const onnx = exportModel(learner, tinyPreprocessing, tinyServing(), initWeights(learner.model, rootKey(1)), {
    label: "late",
  });
  const { lines, data } = await inspect(file("model.onnx", onnx));
  assert.match(lines[0] ?? "", /^ONNX model by codistill, .* nodes, .* opsets onnx 20, ai\.onnx\.ml 4$/);
  assert.ok(lines.includes("label: late"), lines.join("\n"));
  assert.match(lines.join("\n"), /probability +float32\[batch\]/);
  assert.deepEqual([data.kind, data.outputs], ["onnx", [{ name: "probability", type: "float32[batch]" }]]);
  for (const name of Object.keys(tinyPreprocessing.vocabularies)) {
    assert.match(lines.join("\n"), new RegExp(`${name} +string\\[batch\\]`));
  }
});

test("a model shows which texts of its training became which value, also of what its expressions read", async () => {
  const learner = tinyLearner();
  const { inputs, ...serving } = tinyServing();
  const [first, second] = inputs;
  assert.ok(first?.column && second?.column);
  const reading: Reading = {
    columns: [
      { name: first.column, reading: { as: "boolean", words: { yes: "Y", no: "no" } } },
      { name: second.column, header: "Size", reading: { as: "number", decimal: ",", unit: "km" } },
      { name: "unread", reading: { as: "boolean" } },
    ],
  };
  const params = initWeights(learner.model, rootKey(1));
  const { column, ...expression } = second;
  const model = { ...serving, inputs: [first, { ...expression, sql: `ln(${column})` }, ...inputs.slice(2)] };
  const path = file(
    "spelt.onnx",
    exportModel(learner, tinyPreprocessing, model, params, { reading: JSON.stringify(reading) }),
  );
  const { lines, data } = await inspect(path);
  const at = lines.indexOf(`column  what its texts become; do the same where you feed the model`);
  assert.deepEqual(lines.slice(at + 1), [
    `${first.column.padEnd(8)}"Y" for yes, y, true, t; "no" for no, n, false, f, in any case; "" for`,
    "        na, n/a, #n/a, nan, null, nil, and 15 more",
    'Size    numbers, "," as the decimal mark, in km; NaN for na, n/a, #n/a, nan,',
    "        null, nil, and 15 more",
  ]);
  assert.deepEqual((data.inputs as { spellings?: unknown }[])[0]?.spellings, [
    { value: "Y", texts: ["yes", "y", "true", "t"] },
    { value: "no", texts: ["no", "n", "false", "f"] },
  ]);
});

test("what cannot be read is refused", async () => {
  await assert.rejects(inspect(join(root, "nowhere")), ConfigError);
  await assert.rejects(inspect(file("notes.txt", "hello")), /inspect reads a run folder, .*notes\.txt is none/);
  await assert.rejects(inspect(root), ConfigError);
  await assert.rejects(inspect(file("torn.safetensors", "short")), CheckpointError);
  await assert.rejects(inspect(file("torn.onnx", "no model")), /torn\.onnx is not an ONNX model/);
});
