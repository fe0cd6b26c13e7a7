/** Models that are damaged, cut off, of another version or made by others: refused with a sentence by all that read them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tinyLearner, tinyPreprocessing, tinyServing } from "../../../test/fixtures/tiny-run.js";
import { joined } from "../../checkpoint/bytes.js";
import { NO_SEAL, SEAL, seal, sealedSafetensors } from "../../checkpoint/seal.js";
import { CheckpointError, DamagedError } from "../../errors.js";
import { decodeModel, encodeModel, type ModelProto } from "../../graph/onnx-proto.js";
import { initWeights } from "../../nn/model.js";
import { exportModel } from "../../run/export.js";
import { rootKey } from "../../runtime/random.js";
import { inspect } from "../runs/inspect.js";
import { openModel } from "../table/served-model.js";
import { openLanguageModel } from "../text/language-model.js";
import { MODEL_FORMAT, MODEL_VERSION } from "./model-file.js";

const root = mkdtempSync(join(tmpdir(), "codistill-model-"));
after(() => rmSync(root, { recursive: true }));

const learner = tinyLearner();
const params = initWeights(learner.model, rootKey(1));
const metadata = {
  format: MODEL_FORMAT,
  version: String(MODEL_VERSION),
  name: "tiny",
  label: "late",
  reading: '{"columns":[]}',
};
const exported = exportModel(learner, tinyPreprocessing, tinyServing(), params, { ...metadata, [SEAL]: NO_SEAL });
const whole = joined(await seal(exported, "onnx"));

const opened = (path: string): Promise<unknown> => openModel(path, 1);
const openedAsText = (path: string): Promise<unknown> => openLanguageModel(path);

/** Refused by every reader of a model, each with one sentence. */
async function refused(bytes: Uint8Array, message: RegExp, readers = [opened, openedAsText, inspect]) {
  const path = join(root, "model.onnx");
  writeFileSync(path, bytes);
  for (const read of readers) {
    await assert.rejects(read(path), (error) => {
      assert.ok(error instanceof CheckpointError, `${read.name}: ${error}`);
      assert.match(error.message, message, read.name);
      return true;
    });
  }
}

/** The model with a change, without its digest. */
function changed(change: (model: ModelProto) => Partial<ModelProto>): Uint8Array {
  const model = decodeModel(whole);
  const metadataProps = model.metadataProps.filter((entry) => entry.key !== SEAL);
  return encodeModel({ ...model, metadataProps, ...change({ ...model, metadataProps }) });
}

const withEntry = (name: string, value: string) =>
  changed(({ metadataProps }) => ({
    metadataProps: [...metadataProps.filter((entry) => entry.key !== name), { key: name, value }],
  }));

test("a model that is whole opens, and so does one of an earlier version, without a digest", async () => {
  for (const bytes of [whole, changed(() => ({}))]) {
    writeFileSync(join(root, "model.onnx"), bytes);
    await (await openModel(join(root, "model.onnx"), 1)).close();
    assert.equal((await inspect(join(root, "model.onnx"))).data.kind, "onnx");
  }
});

test("what is no model is refused: empty, cut off, other bytes", async () => {
  await refused(new Uint8Array(), /is not an ONNX model: the file is empty\. Give the model\.onnx of a run/);
  await refused(new TextEncoder().encode("no model"), /is not an ONNX model/);
  await refused(Uint8Array.of(8, 8), /is not an ONNX model: it has no graph/);
  for (const share of [0.1, 0.5, 0.9, 0.999]) {
    await refused(whole.subarray(0, Math.floor(share * whole.length)), /is not an ONNX model/);
  }
});

test("a bit that flipped in a model's weights is seen before anything is predicted", async () => {
  const weights = decodeModel(whole).graph.initializer.find(({ rawData }) => rawData && rawData.length > 16);
  const raw = Buffer.from(weights?.rawData ?? []);
  const at = Buffer.from(whole).indexOf(raw) + 3;
  assert.ok(raw.length > 0 && at > 3);
  const damaged = whole.slice();
  damaged[at]! ^= 1 << 6;
  const message = /model\.onnx is damaged: its SHA-256 must be .*\. Go on with its run .* leave fileSha256 out/;
  await refused(damaged, message);
  await assert.rejects(openModel(join(root, "model.onnx"), 1), DamagedError);
});

test("a model of another version is refused by its number", async () => {
  await refused(withEntry("version", "99"), /model\.onnx: version must be 2, got 99; use the codistill that wrote it/);
  const weights = joined(await sealedSafetensors(params, { ...metadata, version: "99" }));
  writeFileSync(join(root, "model.safetensors"), weights);
  await assert.rejects(inspect(join(root, "model.safetensors")), /version must be 2, got 99/);
  weights[weights.length - 1]! ^= 1;
  writeFileSync(join(root, "model.safetensors"), weights);
  await assert.rejects(inspect(join(root, "model.safetensors")), /model\.safetensors is damaged/);
});

test("metadata that is no JSON, or of another shape, is refused with the name of the entry", async () => {
  for (const text of ["", "{", "7", '[{"name":5}]', `${"[".repeat(50_000)}${"]".repeat(50_000)}`, "nul"]) {
    await refused(withEntry("inputs", text), /metadata of .*model\.onnx do not say .*inputs/s, [opened]);
  }
  await refused(withEntry("classes", "{}"), /classes/, [opened]);
  await refused(withEntry("labelMean", "x"), /labelMean/, [opened]);
});

test("a model without an input or output that its metadata promise is refused before it predicts nothing", async () => {
  const renamed = (part: "input" | "output") =>
    changed(({ graph }) => ({
      graph: { ...graph, [part]: graph[part].map((value, i) => (i === 0 ? { ...value, name: "other" } : value)) },
    }));
  await refused(renamed("output"), /must have the outputs that its metadata promise \(probability\), and has other/, [
    opened,
  ]);
  await refused(renamed("input"), /must have the inputs that its metadata promise/, [opened]);
  await refused(withEntry("task", "regression"), /promise \(prediction\), and has probability/, [opened]);
});
