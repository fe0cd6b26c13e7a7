/** Ensembles of language models, beside the mean of the probabilities of each. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { sha256 } from "../../checkpoint/digest.js";
import { tokenizerFile } from "../../data/text/byte-level.js";
import { CheckpointError, ConfigError } from "../../errors.js";
import { lstmLanguageModel, lstmReader } from "../../nn/lstm-language-model.js";
import { initWeights } from "../../nn/model.js";
import { transformerLanguageModel, transformerReader } from "../../nn/transformer-language-model.js";
import { exportText } from "../../run/export-text.js";
import { mapValues } from "../../runtime/named.js";
import { rootKey, uniform } from "../../runtime/random.js";
import { InferenceSession, Tensor } from "../ort/library.js";
import { evaluateText } from "../text/evaluate-text.js";
import { openLanguageModel } from "../text/language-model.js";
import { ensemble } from "./ensemble.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-text-ensemble-"));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const options = { cacheFolder: path("cache") };

const bytes = { format: "codistill.model", task: "language", tokenizer: "bytes" };
const sizes = { batchSize: 2, sequenceLength: 6, vocabulary: 257, width: 8, numLayers: 2 };

/** A file of a model with drawn weights, far enough from uniform that members differ. */
function write(
  name: string,
  kind: "lstm" | "transformer",
  seed: number,
  metadata: Readonly<Record<string, string>> = bytes,
) {
  const [model, reader] =
    kind === "lstm"
      ? [lstmLanguageModel({ ...sizes, hidden: 12 }), lstmReader({ ...sizes, hidden: 12 })]
      : [transformerLanguageModel({ ...sizes, numHeads: 2 }), transformerReader({ ...sizes, numHeads: 2 })];
  const weights = mapValues(initWeights(model, rootKey(seed)), ({ shape, data }, weight) => {
    const drawn = uniform(rootKey(1000 * seed + weight.length), data.length).map((u) => 2 * (u - 0.5));
    return { dtype: "float32" as const, shape, data: data.map((value, i) => value + (drawn[i] as number)) };
  });
  writeFileSync(path(name), exportText(reader, weights as ReturnType<typeof initWeights>, metadata));
  return path(name);
}

const members = [write("a.onnx", "lstm", 1), write("b.onnx", "lstm", 2), write("c.onnx", "transformer", 3)];

/** Log probabilities of the next token after each of some tokens of each text, [tokens][texts x vocabulary], by plain ONNX Runtime. */
async function read(file: string, texts: readonly Int32Array[], numTexts: number): Promise<Float32Array[]> {
  const session = await InferenceSession.create(file);
  const model = await openLanguageModel(file);
  const shapes = mapValues(model.begin(numTexts), ({ length }) => length);
  await model.close();
  let state: Record<string, Tensor> = Object.fromEntries(
    session.inputMetadata.flatMap((input) => {
      if (!input.isTensor || input.name === "ids") return [];
      const dims = input.shape.map((size) => (typeof size === "number" ? size : numTexts));
      const length = dims.reduce((product, size) => product * size, 1);
      assert.equal(length, shapes[input.name.slice("before.".length)]);
      return [[input.name, new Tensor(new Float32Array(length), dims)] as const];
    }),
  );
  const said: Float32Array[] = [];
  for (const ids of texts) {
    const outputs = await session.run({ ids: new Tensor(ids, [numTexts]), ...state });
    said.push(outputs.logProbabilities?.data as Float32Array);
    state = Object.fromEntries(
      Object.keys(state).map((name) => [name, outputs[name.replace("before", "after")] as Tensor]),
    );
  }
  await session.release();
  return said as Float32Array[];
}

test("the ensemble's probabilities are the mean of its members', token by token, each with a state of its own", async () => {
  const out = path("all.onnx");
  const made = await ensemble(members, { ...options, out });
  assert.equal(made.task, "language");
  assert.deepEqual(made.inputs.slice(0, 3), ["ids", "before.0.layers.0.hidden", "before.0.layers.0.cell"]);
  // Longer than the transformer sees at once.
  const [numTexts, length] = [3, 15];
  const texts = Array.from({ length }, (_, t) => Int32Array.from(uniform(rootKey(50 + t), numTexts), (u) => 257 * u));
  const [own, ...each] = await Promise.all([out, ...members].map((file) => read(file, texts, numTexts)));
  let apart = 0;
  for (const [t, said] of (own ?? []).entries()) {
    for (const [i, value] of said.entries()) {
      const probs = each.map((one) => Math.exp(one[t]?.[i] ?? Number.NaN));
      const mean = probs.reduce((sum, p) => sum + p, 0) / probs.length;
      assert.ok(Math.abs(Math.exp(value) - mean) < 1e-6, `token ${t}, ${i}: ${Math.exp(value)} and ${mean}`);
      apart = Math.max(apart, Math.abs((probs[0] as number) - mean));
    }
  }
  assert.ok(apart > 0.1, "the members must say different things");
});

test("it is evaluated, and is a member, as any model; an ensemble of one network at its own bits is that network", async () => {
  const out = path("two.onnx");
  await ensemble(members.slice(0, 2), { ...options, out });
  writeFileSync(path("text.txt"), "the quick brown fox jumps over the lazy dog. ".repeat(120));
  const [own, first, second] = await Promise.all(
    [out, ...members.slice(0, 2)].map((file) => evaluateText(file, path("text.txt"), options)),
  );
  assert.ok(own && first && second && own.loss < (first.loss + second.loss) / 2, `${own?.loss}`);
  const nested = await ensemble([out, members[2] as string], { ...options, out: path("nested.onnx") });
  assert.ok(nested.inputs.includes("before.0.1.layers.0.cell"), nested.inputs.join());
});

test("models of a tokenizer have it beside them, and other tokens are refused", async () => {
  const tokenizer = JSON.stringify(tokenizerFile([[104, 105]]));
  const withTokenizer = {
    ...bytes,
    tokenizer: "tokenizer.json",
    tokenizerSha256: await sha256(Buffer.from(tokenizer)),
    endOfText: "256",
  };
  mkdirSync(path("own"));
  writeFileSync(path("own/tokenizer.json"), tokenizer);
  const two = [4, 5].map((seed) => write(`own/${seed}.onnx`, "lstm", seed, withTokenizer));
  mkdirSync(path("elsewhere"));
  const out = path("elsewhere/both.onnx");
  await ensemble(two, { ...options, out });
  assert.deepEqual(readFileSync(path("elsewhere/tokenizer.json")), readFileSync(path("own/tokenizer.json")));
  await (await openLanguageModel(out)).close();
  mkdirSync(path("foreign"));
  writeFileSync(path("foreign/tokenizer.json"), "{}");
  const [a = "", b = ""] = members;
  copyFileSync(a, path("copy.onnx"));
  const table = path("table.onnx");
  writeFileSync(table, "no model");
  const tooSmall = exportText(
    lstmReader({ hidden: 4, numLayers: 1 }),
    initWeights(lstmLanguageModel({ ...sizes, vocabulary: 40, hidden: 4, numLayers: 1 }), rootKey(1)),
    bytes,
  );
  writeFileSync(path("small.onnx"), tooSmall);
  for (const [sources, pattern, file = path("wrong.onnx")] of [
    [[a], /the mean is of two models or more, and \S+a\.onnx has one/],
    [[a, path("copy.onnx")], /each model counts once, and \S+copy\.onnx is the same model as \S+a\.onnx/],
    [
      [a, ...two],
      /a\.onnx has 257 tokens of bytes, ending by none, \S+4\.onnx 257 tokens of a tokenizer of SHA-256 \w{8}, ending by 256/,
    ],
    [[a, path("small.onnx")], /a\.onnx has 257 tokens of bytes, ending by none, \S+small\.onnx 40 tokens/],
    [two, /foreign\/tokenizer\.json is another one\. Name a file in another folder/, path("foreign/x.onnx")],
    [[a, table], /is not an ONNX model/],
    [[a, b], /is there already\. Replace it with --force/, path("all.onnx")],
  ] as const) {
    await assert.rejects(
      ensemble(sources, { ...options, out: file }),
      (error: Error) =>
        (error instanceof ConfigError || error instanceof CheckpointError) && pattern.test(error.message),
    );
    assert.equal(existsSync(path("wrong.onnx")), false);
  }
});
