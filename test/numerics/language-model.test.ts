/** A language model over a whole text: the scores of training's own graphs against exported models in plain ONNX Runtime. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { corpusOf } from "../../src/data/text/corpus.js";
import type { TextLayout } from "../../src/data/text/whole.js";
import { lstmLanguageModel, lstmReader } from "../../src/nn/lstm-language-model.js";
import { initWeights, type Model } from "../../src/nn/model.js";
import type { TokenReader } from "../../src/nn/token-reader.js";
import { transformerLanguageModel, transformerReader } from "../../src/nn/transformer-language-model.js";
import { InferenceSession, Tensor } from "../../src/node/ort/library.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { exportText } from "../../src/run/export-text.js";
import { type NamedArrays, sizeOf } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { rootKey, uniform } from "../../src/runtime/random.js";
import { textScorer } from "../../src/train/evaluate-text.js";
import { weightState } from "../../src/train/graphs.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const [batchSize, sequenceLength, vocabulary] = [3, 5, 11];
const text = Uint16Array.from(uniform(rootKey(5), 200), (u) => Math.floor(u * u * vocabulary));
const corpus = corpusOf(Float64Array.of(0, 70, 70, text.length), text);

/** Log probabilities of what follows each token of a lane, by an exported model, one token a call. */
async function readBy(
  bytes: Uint8Array,
  shapes: TokenReader["state"],
  lane: readonly number[],
): Promise<Float32Array[]> {
  const session = await InferenceSession.create(bytes);
  let state: Record<string, Tensor> = mapValues(
    shapes,
    (shape) => new Tensor(new Float32Array(sizeOf(shape)), [1, ...shape]),
  );
  const rows: Float32Array[] = [];
  for (const token of lane) {
    const before = Object.entries(state).map(([name, value]) => [`before.${name}`, value]);
    const outputs = await session.run({ ids: new Tensor(Int32Array.of(token), [1]), ...Object.fromEntries(before) });
    rows.push(outputs.logProbabilities?.data as Float32Array);
    state = Object.fromEntries(Object.keys(state).map((name) => [name, outputs[`after.${name}`] as Tensor]));
  }
  await session.release();
  return rows;
}

interface Network {
  readonly model: Model;
  readonly reader: TokenReader;
  readonly layout: TextLayout;
}

const lstm = (isTied: boolean): Network => {
  const sizes = { batchSize, sequenceLength, vocabulary, width: isTied ? 6 : 4, hidden: 6, isTied };
  return { model: lstmLanguageModel(sizes), reader: lstmReader(sizes), layout: "lanes" };
};
const transformer = (style: "llama" | "gpt", isTied: boolean): Network => {
  const sizes = { batchSize, sequenceLength, vocabulary, width: 8, numHeads: 2, numLayers: 2, style, isTied };
  return { model: transformerLanguageModel(sizes), reader: transformerReader(sizes), layout: "sequences" };
};
const networks: Readonly<Record<string, Network>> = {
  "an LSTM": lstm(false),
  "a tied LSTM": lstm(true),
  "a transformer like Llama": transformer("llama", true),
  "a transformer like GPT": transformer("gpt", false),
};

for (const [name, { model, reader, layout }] of Object.entries(networks)) {
  describe(name, async () => {
    const weights = [1, 2].map((seed): NamedArrays => {
      const params = initWeights(model, rootKey(seed));
      // Far from zero, so that what a model says depends on what it has read.
      const scale = layout === "lanes" ? 4 : 15;
      return mapValues(params, (array, path) => ({
        ...array,
        data: Float32Array.from(array.data, (x) => (/norm/i.test(path) ? x : scale * x)),
      })) as NamedArrays;
    });
    const prefixes = weights.map((_, i) => ({ params: `m${i}`, buffers: `b${i}` }));
    const batch = { batchSize, sequenceLength, layout };

    /** The places of the text that are read on their own, each with the place after its end. */
    function chunks(): number[][] {
      const length = layout === "lanes" ? Math.ceil((text.length - 1) / batchSize) : sequenceLength;
      const numChunks = Math.ceil((text.length - 1) / length);
      return Array.from({ length: numChunks }, (_, i) => [...text.subarray(i * length, (i + 1) * length + 1)]);
    }

    /** The same by the exported models, in float64. */
    async function expected() {
      const exported = weights.map((own) => exportText(reader, own, {}));
      const sums = { losses: [0, 0], hits: [0, 0], ensemble: 0, distance: 0, churn: 0 };
      const best = (row: Float32Array) => row.indexOf(Math.max(...row));
      for (const places of chunks()) {
        const rows = await Promise.all(exported.map((bytes) => readBy(bytes, reader.state, places.slice(0, -1))));
        for (const [at, label] of places.slice(1).entries()) {
          const [a, b] = rows.map((own) => own[at]) as [Float32Array, Float32Array];
          for (const [i, row] of [a, b].entries()) {
            sums.losses[i]! -= row[label]!;
            sums.hits[i]! += Number(best(row) === label);
          }
          sums.ensemble -= Math.log((Math.exp(a[label]!) + Math.exp(b[label]!)) / 2);
          sums.distance += a.reduce((sum, x, token) => sum + Math.abs(Math.exp(x) - Math.exp(b[token]!)), 0) / 2;
          sums.churn += Number(best(a) !== best(b));
        }
      }
      return sums;
    }

    test("have the perplexity of their exports to 1e-5, and so do their ensemble, their distance and their churn", async () => {
      for (const [i, own] of weights.entries()) await engine.write(weightState(model, own, prefixes[i]?.params));
      const score = await textScorer(engine, model, prefixes, batch);
      const scores = await score(corpus);
      const { losses, hits, ensemble, distance, churn } = await expected();
      const n = text.length - 1;
      const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-5, `${a} and ${b}`);
      for (const [i, { loss, accuracy }] of scores.models.entries()) {
        close(Math.exp(loss), Math.exp(losses[i]! / n));
        close(accuracy, hits[i]! / n);
      }
      close(scores.ensemble?.loss ?? Number.NaN, ensemble / n);
      close(scores.disagreement ?? Number.NaN, distance / n);
      close(scores.churn ?? Number.NaN, churn / n);
      assert.ok(distance / n > 0.05 && churn > 0, "the models differ, or nothing is proved");
      // From the beginning each time.
      assert.deepEqual(await score(corpus), scores);
      const alone = await textScorer(engine, model, prefixes.slice(1), batch);
      const { models, ensemble: none } = await alone(corpus);
      assert.deepEqual([models[0], none], [scores.models[1], null]);
    });

    test("are cancelled by a signal", async () => {
      const reason = new Error("stop");
      const score = await textScorer(engine, model, prefixes, batch);
      await assert.rejects(score(corpus, AbortSignal.abort(reason)), reason);
    });
  });
}
