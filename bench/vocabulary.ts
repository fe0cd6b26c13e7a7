/**
 * What the losses of large vocabularies cost, at once and in chunks: `npm run bench:vocabulary`, about three minutes.
 *
 * Steps of the LSTM language model with one teacher, 2,048 tokens a batch, each case in a process of its own, whose peak is told
 * by Linux.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { lstmLanguageModel } from "../src/nn/lstm-language-model.js";
import { initWeights } from "../src/nn/model.js";
import { categorical } from "../src/nn/objectives.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { adam } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import { table } from "../src/report/format.js";
import { fold, rootKey } from "../src/runtime/random.js";
import { numChunksOf } from "../src/train/chunked-loss.js";
import { engineStudent } from "../src/train/student.js";
import { randomTokens } from "../test/fixtures/sequence-models.js";
import { measuredBy, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";

const sizes = { sequenceLength: 64, batchSize: 32, width: 128, hidden: 256 };
const NUM_ROWS = sizes.sequenceLength * sizes.batchSize;
const VOCABULARIES = [8192, 24_000, 50_257];
const STEPS = 5;

interface Figures {
  readonly vocabulary: number;
  readonly numChunks: number;
  /** Of a step with a teacher, the median, and the most that the process held. */
  readonly milliseconds: number;
  readonly peakBytes: number;
}

async function measure(vocabulary: number, numChunks: number): Promise<Figures> {
  const engine = onnxRuntimeEngine({ threads: 2 });
  const model = lstmLanguageModel({ ...sizes, vocabulary, numChunks });
  const labels = { shape: [NUM_ROWS], dtype: "int32" } as const;
  const objective = { ...categorical({ numClasses: vocabulary }), labels };
  const student = engineStudent({ engine, learner: { model, objective, optimizer: adam(constantSchedule(1e-3)) } });
  await student.init(rootKey(1));
  const teacher = { group: 1, step: 0, digest: "1", params: initWeights(model, rootKey(2)) };
  const seconds: number[] = [];
  for (let step = 0; step <= STEPS; step++) {
    const batch = randomTokens({ ...sizes, vocabulary }, (name) => fold(fold(rootKey(3), name), step));
    const started = performance.now();
    await student.learn([batch], [teacher], 1);
    // The first one compiles.
    if (step > 0) seconds.push(performance.now() - started);
  }
  await engine.close();
  const [, peak] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return { vocabulary, numChunks, milliseconds: median(seconds), peakBytes: 1024 * Number(peak) };
}

const [vocabulary, chunks] = process.argv.slice(2).map(Number);
if (process.send && vocabulary && chunks) {
  process.send(await measure(vocabulary, chunks));
} else {
  const machine = thisMachine();
  const results: Figures[] = [];
  for (const size of VOCABULARIES) {
    for (const numChunks of new Set([1, numChunksOf(NUM_ROWS, size)])) {
      results.push(await measuredBy<Figures>(fileURLToPath(import.meta.url), [String(size), String(numChunks)]));
      process.stderr.write(`a vocabulary of ${size}, ${numChunks} chunks\n`);
    }
  }
  const lines = results.map((one) => [
    one.vocabulary.toLocaleString("en-US"),
    String(one.numChunks),
    `${one.milliseconds.toFixed(0)} ms`,
    `${(one.peakBytes / 1e6).toFixed(0)} MB`,
  ]);
  process.stdout.write(`${table([["vocabulary", "chunks", "a step", "peak"], ...lines]).join("\n")}\n`);
  await writeFigures("vocabulary", machine, results);
}
