import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tokenizerFile } from "../../data/text/byte-level.js";
import { corpusOf } from "../../data/text/corpus.js";
import { CheckpointError, DataError } from "../../errors.js";
import { lstmLanguageModel, lstmReader } from "../../nn/lstm-language-model.js";
import { initWeights } from "../../nn/model.js";
import { transformerLanguageModel, transformerReader } from "../../nn/transformer-language-model.js";
import { exportText } from "../../run/export-text.js";
import { rootKey, uniform } from "../../runtime/random.js";
import { textScorer } from "../../train/evaluate-text.js";
import { weightState } from "../../train/graphs.js";
import { onnxRuntimeEngine } from "../ort/onnxruntime.js";
import { evaluateText } from "./evaluate-text.js";
import { isLanguageModel, openLanguageModel } from "./language-model.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-evaluate-text-"));
const engine = onnxRuntimeEngine({ threads: 1 });
after(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});
const path = (name: string) => join(folder, name);
const options = { cacheFolder: path("cache") };

/** Two lanes of the exported model's, and as many of training. */
const sizes = { batchSize: 2, sequenceLength: 10, vocabulary: 257, width: 6, hidden: 16 };
const model = lstmLanguageModel(sizes);
const params = initWeights(model, rootKey(1));
const metadata = { format: "codistill.model", task: "language", tokenizer: "bytes" };
writeFileSync(path("model.onnx"), exportText(lstmReader(sizes), params, metadata));
const letters = Array.from(uniform(rootKey(2), 4500), (u) => String.fromCharCode(97 + Math.floor(20 * u * u)));
/** An é takes two bytes. */
const texts = [`${letters.slice(0, 3000).join("")}é`, letters.slice(3000).join("")];

test("an exported model's figures are those of training's own graphs on the same lanes", async () => {
  for (const [i, text] of texts.entries()) writeFileSync(path(`text${i}.txt`), text);
  const found = await evaluateText(path("model.onnx"), path("text*.txt"), options);
  const tokens = Uint16Array.from(texts.flatMap((text) => [...Buffer.from(text), 256]));
  const prefixes = { params: "scored.params", buffers: "scored.buffers" };
  await engine.write(weightState(model, params, prefixes.params));
  const score = await textScorer(engine, model, [prefixes], { ...sizes, layout: "lanes" });
  const { models } = await score(corpusOf(Float64Array.of(0, tokens.length), tokens));
  const [expected] = models;
  assert.ok(expected && Math.abs(found.loss - expected.loss) < 1e-5, `${found.loss} and ${expected?.loss}`);
  assert.equal(found.accuracy, expected.accuracy);
  assert.deepEqual([found.documents, found.tokens, found.bytes], [2, 4504, 4502]);
  assert.ok(Math.abs(found.perplexity - Math.exp(found.loss)) < 1e-9);
  assert.ok(Math.abs((found.bitsPerByte ?? 0) - (found.loss * 4503) / (Math.LN2 * 4502)) < 1e-9);
});

test("text may be a column, and too little of it is refused", async () => {
  writeFileSync(path("rows.jsonl"), texts.map((body) => JSON.stringify({ body })).join("\n"));
  const [of, plain] = await Promise.all([
    evaluateText(path("model.onnx"), path("rows.jsonl"), { ...options, field: "body" }),
    evaluateText(path("model.onnx"), path("text*.txt"), options),
  ]);
  assert.deepEqual([of.loss, of.tokens], [plain.loss, plain.tokens]);
  writeFileSync(path("empty.txt"), "");
  await assert.rejects(
    evaluateText(path("model.onnx"), path("empty.txt"), options),
    (error) => error instanceof DataError && /this text has 0/.test(error.message),
  );
});

test("many tokens of each text in a call come to the bits of one in a call", async () => {
  const small = { batchSize: 3, sequenceLength: 8, vocabulary: 257, width: 8, numHeads: 2, numLayers: 2 };
  writeFileSync(
    path("transformer.onnx"),
    exportText(transformerReader(small), initWeights(transformerLanguageModel(small), rootKey(1)), metadata),
  );
  // Longer than the transformer sees.
  const [lanes, sequenceLength] = [3, 20];
  const ids = Int32Array.from(uniform(rootKey(5), lanes * sequenceLength), (u) => Math.floor(257 * u));
  const labels = Int32Array.from(uniform(rootKey(6), lanes * sequenceLength), (u) => Math.floor(257 * u));
  for (const name of ["model.onnx", "transformer.onnx"]) {
    const model = await openLanguageModel(path(name));
    const many = await model.score(ids, labels, sequenceLength, model.begin(lanes));
    let state = model.begin(lanes);
    for (let time = 0; time < sequenceLength; time++) {
      const read = await model.read(ids.slice(time * lanes, (time + 1) * lanes), state);
      for (let lane = 0; lane < lanes; lane++) {
        const logProbs = read.logProbs.subarray(lane * 257, (lane + 1) * 257);
        assert.equal(many.logProbs[time * lanes + lane], logProbs[labels[time * lanes + lane] as number]);
        assert.equal(Number(many.best[time * lanes + lane]), logProbs.indexOf(Math.max(...logProbs)));
      }
      ({ state } = read);
    }
    assert.deepEqual(many.state, state);
    await model.close();
  }
});

test("a model reads no text by another tokenizer than its own", async () => {
  const merges = [[104, 105]] as const;
  const own = JSON.stringify(tokenizerFile(merges));
  writeFileSync(path("tokenizer.json"), own);
  const sha256 = createHash("sha256").update(own).digest("hex");
  const withTokenizer = { ...metadata, tokenizer: "tokenizer.json", tokenizerSha256: sha256 };
  const larger = { ...sizes, vocabulary: 258 };
  const drawn = initWeights(lstmLanguageModel(larger), rootKey(1));
  writeFileSync(path("with-tokenizer.onnx"), exportText(lstmReader(larger), drawn, withTokenizer));
  const model = await openLanguageModel(path("with-tokenizer.onnx"));
  assert.equal(model.tokenizer.digest, sha256);
  await model.close();
  writeFileSync(path("tokenizer.json"), JSON.stringify(tokenizerFile([[104, 106]])));
  await assert.rejects(
    openLanguageModel(path("with-tokenizer.onnx")),
    (error) =>
      error instanceof CheckpointError &&
      /tokenizer that it was trained with .*tokenizer\.json is another one/.test(error.message),
  );
});

test("what is a language model is told by its metadata", () => {
  assert.equal(isLanguageModel(path("model.onnx")), true);
  for (const other of ["text0.txt", "none.onnx", "."]) assert.equal(isLanguageModel(path(other)), false, other);
});
