/** Losses chunk by chunk: what they are at once, forward and back, and never the logits of more than a chunk. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { corpusOf } from "../../src/data/text/corpus.js";
import type { Graph } from "../../src/graph/graph.js";
import { rootsOf } from "../../src/graph/graph.js";
import { simplify } from "../../src/graph/simplify.js";
import { type Tensor, topologicalOrder } from "../../src/graph/tensor.js";
import { lstmLanguageModel } from "../../src/nn/lstm-language-model.js";
import { initWeights, type Model } from "../../src/nn/model.js";
import { categorical } from "../../src/nn/objectives.js";
import { transformerLanguageModel } from "../../src/nn/transformer-language-model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { rootKey, uniform } from "../../src/runtime/random.js";
import { CHUNK_BYTES, numChunksOf } from "../../src/train/chunked-loss.js";
import { textScorer } from "../../src/train/evaluate-text.js";
import { type Learner, stepGraph, weightState } from "../../src/train/graphs.js";
import { engineStudent } from "../../src/train/student.js";
import { randomTokens } from "../fixtures/sequence-models.js";

const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

const sizes = { sequenceLength: 6, batchSize: 4, vocabulary: 37, width: 8, hidden: 8 };
const numRows = sizes.sequenceLength * sizes.batchSize;
const networks: Readonly<Record<string, (numChunks: number) => Model>> = {
  "an LSTM": (numChunks) => lstmLanguageModel({ ...sizes, numChunks }),
  "a tied LSTM": (numChunks) => lstmLanguageModel({ ...sizes, numChunks, isTied: true }),
  "a transformer": (numChunks) => transformerLanguageModel({ ...sizes, numHeads: 2, numLayers: 1, numChunks }),
};

function learnerOf(model: Model): Learner {
  const labels = { shape: [numRows], dtype: "int32" } as const;
  return {
    model,
    objective: { ...categorical({ numClasses: sizes.vocabulary }), labels },
    optimizer: sgd(constantSchedule(0.1)),
    distillation: { temperature: 2, gramWeight: 3 },
  };
}

/** Two steps, the second with two teachers: what they report, and the state after. */
async function steps(model: Model, numParts: number) {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  const student = engineStudent({ engine, learner: learnerOf(model), accumulate: numParts });
  await student.init(rootKey(1));
  const teachers = [1, 2].map((group) => ({
    group,
    step: 0,
    digest: `${group}`,
    params: initWeights(model, rootKey(9 + group)),
  }));
  const isLanes = model.inputs.ids?.shape[0] === sizes.sequenceLength;
  const batch = (i: number) => {
    const { ids, labels } = randomTokens(sizes, (name) => ({ hi: i, lo: name.length }));
    return {
      ids: {
        ...ids,
        shape: isLanes ? [sizes.sequenceLength, sizes.batchSize] : [sizes.batchSize, sizes.sequenceLength],
      },
      labels,
    } as never;
  };
  const batches = (step: number) => Array.from({ length: numParts }, (_, i) => batch(step * numParts + i));
  const metrics = [await student.learn(batches(0), [], 0), await student.learn(batches(1), teachers, 0.5)];
  return { metrics, state: await student.state() };
}

function close(a: number | null, b: number | null, what: string): void {
  if (a === null || b === null) assert.equal(a, b, what);
  else assert.ok(Math.abs(a - b) <= 2e-6 * Math.max(1, Math.abs(b)), `${what}: ${a} and ${b}`);
}

/** Every tensor of a graph, those inside of loops too. */
function tensorsOf(roots: readonly Tensor[]): Tensor[] {
  return topologicalOrder(roots).flatMap((tensor) => {
    if (tensor.op !== "scan") return [tensor];
    const { body } = (tensor as Tensor<"scan">).attributes;
    return [tensor, ...tensorsOf([...body.nextStates, ...body.outputs, ...body.saved])];
  });
}

const sizeOf = ({ shape }: Pick<Tensor, "shape">) => shape.reduce<number>((size, axis) => size * Number(axis), 1);
const largest = (graph: Graph) =>
  Math.max(...tensorsOf(rootsOf(graph)).flatMap((tensor) => [tensor, ...(tensor.parts ?? [])].map(sizeOf)));

for (const [name, modelOf] of Object.entries(networks)) {
  describe(name, () => {
    for (const numParts of [1, 2]) {
      test(`has the same losses, gradients and params in 1 and in 4 chunks, ${numParts} sub-batches a step`, async () => {
        const [whole, chunks] = [await steps(modelOf(1), numParts), await steps(modelOf(4), numParts)];
        for (const [step, expected] of whole.metrics.entries()) {
          const found = chunks.metrics[step];
          assert.ok(found);
          for (const metric of ["labelLoss", "distillLoss", "divergence", "gradNorm"] as const)
            close(found[metric], expected[metric], `${metric} of step ${step}`);
          for (const [slot, statistics] of (expected.statistics?.teachers ?? []).entries()) {
            close(found.statistics?.teachers[slot]?.loss ?? null, statistics.loss, "a teacher's loss");
            close(found.statistics?.teachers[slot]?.distance ?? null, statistics.distance, "a teacher's distance");
          }
        }
        for (const [param, { data }] of Object.entries(whole.state)) {
          for (const [i, value] of data.entries()) close(Number(chunks.state[param]?.data[i]), value, param);
        }
      });
    }

    test("never holds a tensor of all rows by the vocabulary in chunks", () => {
      for (const numTeachers of [0, 2]) {
        const [whole, chunks] = [1, 4].map((numChunks) => stepGraph(learnerOf(modelOf(numChunks)), numTeachers)) as [
          Graph,
          Graph,
        ];
        assert.ok(largest(whole) >= numRows * sizes.vocabulary);
        assert.ok(largest(simplify(chunks)) < numRows * sizes.vocabulary, `${largest(simplify(chunks))}`);
      }
    });

    test("computes no product with the vocabulary twice in chunks", () => {
      for (const numTeachers of [0, 1, 2]) {
        const [whole, chunks] = [1, 4].map((numChunks) =>
          tensorsOf(rootsOf(simplify(stepGraph(learnerOf(modelOf(numChunks)), numTeachers)))).filter(
            ({ op, shape, inputs }) =>
              op === "matmul" &&
              [shape, ...inputs.map((input) => input.shape)].some((s) => s.includes(sizes.vocabulary)),
          ),
        );
        assert.equal(chunks?.length, whole?.length);
      }
    });

    test("is scored alike", async () => {
      const engine = onnxRuntimeEngine({ threads: 1 });
      engines.push(engine);
      const text = Uint16Array.from(uniform(rootKey(5), 100), (u) => Math.floor(u * sizes.vocabulary));
      const corpus = corpusOf(Float64Array.of(0, text.length), text);
      const prefixes = [0, 1].map((i) => ({ params: `m${i}`, buffers: `b${i}` }));
      for (const [i, { params }] of prefixes.entries()) {
        await engine.write(weightState(modelOf(1), initWeights(modelOf(1), rootKey(i)), params));
      }
      const layout = modelOf(1).state ? "lanes" : "sequences";
      const scoresBy = async (numChunks: number) => {
        const score = await textScorer(engine, modelOf(numChunks), prefixes, { ...sizes, layout });
        const { models, ensemble, disagreement, churn } = await score(corpus);
        const own = [...models, ensemble].flatMap((one) => [one?.loss ?? 0, one?.accuracy ?? 0]);
        return [...own, disagreement ?? 0, churn ?? 0];
      };
      const [whole, chunks] = [await scoresBy(1), await scoresBy(4)];
      for (const [i, value] of whole.entries()) close(chunks[i] ?? null, value, `score ${i}`);
    });
  });
}

test("chunks are as few as keep within the stated bytes, and equal in size", () => {
  assert.equal(numChunksOf(1024, 257), 1);
  for (const [rows, classes] of [
    [2048, 8192],
    [2048, 24_000],
    [2048, 50_257],
    [96, 100_000],
    [7, 10_000_000],
  ] as const) {
    const chunks = numChunksOf(rows, classes);
    assert.equal(rows % chunks, 0);
    assert.ok((4 * rows * classes) / chunks <= CHUNK_BYTES || chunks === rows);
    for (let fewer = 1; fewer < chunks; fewer++)
      assert.ok(rows % fewer !== 0 || (4 * rows * classes) / fewer > CHUNK_BYTES);
  }
});
