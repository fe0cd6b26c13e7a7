/** The recipe of large batches as a configuration of images has it: LARS, its warm-up and the linear rule, against the formulas. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { resolveConfig } from "../../src/run/config.js";
import { imageRunSpec } from "../../src/run/image-spec.js";
import type { ImageRunConfig } from "../../src/run/kinds/images.js";
import { int32, type NamedArrays } from "../../src/runtime/array.js";
import { named } from "../../src/runtime/named.js";
import { fold, rootKey, uniform } from "../../src/runtime/random.js";
import { engineStudent } from "../../src/train/student.js";

const [SIZE, ROWS] = [8, 8];
const fitted = {
  digest: "d".repeat(64),
  shape: { height: SIZE, width: SIZE, channels: 1 },
  classes: ["a", "b", "c"],
  counts: [4, 4, 4],
  mean: [0.5],
  std: [0.3],
} as const;

function configOf(optimizer: object): ImageRunConfig {
  return resolveConfig({
    name: "large",
    data: { kind: "images", source: "photos", size: SIZE },
    model: { kind: "cnn", widths: [4, 6] },
    optimizer: { learningRate: 0.1, schedule: "constant", ...optimizer },
    numSteps: 20,
    globalBatchSize: ROWS,
  } as never) as ImageRunConfig;
}

const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));
function studentOf(optimizer: object) {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  const { learner } = imageRunSpec(configOf(optimizer), fitted);
  return { ...engineStudent({ engine, learner }), names: Object.keys(learner.model.params) };
}

const batch: NamedArrays = {
  images: {
    dtype: "uint8",
    shape: [ROWS, SIZE, SIZE, 1],
    data: Uint8Array.from(uniform(fold(rootKey(3), "pixels"), ROWS * SIZE * SIZE), (u) => Math.floor(256 * u)),
  },
  labels: int32(Int32Array.from({ length: ROWS }, (_, i) => i % 3)),
};

const valuesOf = (arrays: NamedArrays, name: string) => [...named(arrays, name).data].map(Number);
const norm = (values: readonly number[]) => Math.hypot(...values);

/** The gradient at these weights: what a step of plain descent takes off at a learning rate of 1. */
async function gradientAt(weights: NamedArrays): Promise<(name: string) => number[]> {
  const one = studentOf({ kind: "sgd", learningRate: 1 });
  await one.init(rootKey(1), weights);
  await one.learn([batch], [], 0);
  const moved = await one.params();
  return (name) => valuesOf(weights, name).map((before, i) => before - Number(named(moved, name).data[i]));
}

test("two steps of LARS, warmed up and in proportion to the batch: norms and biases take the plain step, without decay or trust ratio", async () => {
  const [coefficient, rate, momentum] = [0.01, 0.005, 0.9];
  const one = studentOf({
    ...{ kind: "lars", coefficient, momentum },
    weightDecay: { rate, except: ["*.gain", "*.bias"] },
    forBatch: { rows: 2 },
    warmUp: { steps: 4, from: 0.25 },
  });
  await one.init(rootKey(1));
  // 0.1 is meant for 2 images, and a step has 8; of the warm-up's way from a quarter to all, 0 and then a fourth is done.
  const rates = [0.4 * 0.25, 0.4 * (0.25 + 0.75 / 4)];
  const velocity: Record<string, number[]> = {};
  let numPlain = 0;
  for (const [step, learningRate] of rates.entries()) {
    const before = await one.params();
    const gradient = await gradientAt(before);
    await one.learn([batch], [], 0);
    const moved = await one.params();
    for (const name of one.names) {
      const [w, g] = [valuesOf(before, name), gradient(name)];
      const isPlain = name.endsWith(".gain") || name.endsWith(".bias");
      if (isPlain) numPlain++;
      const ratio = (coefficient * norm(w)) / (norm(g) + rate * norm(w));
      const update = g.map((value, i) => learningRate * (isPlain ? value : ratio * (value + rate * (w[i] ?? 0))));
      const was = velocity[name] ?? update.map(() => 0);
      const now = update.map((value, i) => momentum * (was[i] ?? 0) + value);
      velocity[name] = now;
      const error = norm(valuesOf(moved, name).map((value, i) => value - (w[i] ?? 0) + (now[i] ?? 0)));
      // Weights are kept to about 6e-8 of their size, and a gradient is read off a step of them.
      const allowed = 1e-4 * norm(now) + 2e-7 * norm(w);
      assert.ok(norm(now) > 0 && error < allowed, `${name}, step ${step}: ${error} of ${norm(now)}`);
    }
  }
  assert.equal(numPlain, 2 * 5);
});

test("Nesterov's momentum with decay but for norms and biases, by the formula", async () => {
  const [momentum, rate, learningRate] = [0.9, 0.05, 0.1];
  const one = studentOf({
    ...{ kind: "sgd", momentum, nesterov: true, learningRate },
    weightDecay: { rate, except: ["*.gain", "*.bias"] },
  });
  await one.init(rootKey(1));
  const before = await one.params();
  const gradient = await gradientAt(before);
  await one.learn([batch], [], 0);
  const moved = await one.params();
  for (const name of one.names) {
    const w = valuesOf(before, name);
    const decay = /\.(gain|bias)$/.test(name) ? 0 : rate;
    // The first velocity is the gradient itself: g + momentum g.
    const step = gradient(name).map((g, i) => learningRate * (1 + momentum) * (g + decay * (w[i] ?? 0)));
    const error = norm(valuesOf(moved, name).map((value, i) => value - (w[i] ?? 0) + (step[i] ?? 0)));
    assert.ok(error < 1e-4 * norm(step) + 2e-7 * norm(w), `${name}: ${error} of ${norm(step)}`);
  }
});

test("what is wrong in it is refused with the rule and the cure", () => {
  for (const [optimizer, message] of [
    [{ forBatch: 256 }, /optimizer\.forBatch: must be \{ rows \}, .* as \{ rows: 256 \}, got 256/],
    [{ forBatch: { rows: 0 } }, /optimizer\.forBatch\.rows: must be > 0, got 0/],
    [{ forBatch: { rows: 256, rule: "cubic" } }, /optimizer\.forBatch\.rule: must be one of "linear"\|"squareRoot"/],
    [{ baseBatchSize: 256 }, /optimizer\.baseBatchSize: unknown name; did you mean "forBatch"\?/],
    [{ warmUp: 30 }, /optimizer\.warmUp: must be at most numSteps \(20\), got 30/],
    [{ coefficient: 0 }, /optimizer\.coefficient: must be > 0, got 0/],
    [{ weightDecay: { rate: 0, rates: { "*.gain": 1 } } }, /optimizer\.weightDecay\.rates: "lars" has one rate/],
    [{ trustExcept: ["*.bias"] }, /optimizer\.trustExcept: unknown name; did you mean "weightDecay\.except"\?/],
  ] as const) {
    assert.throws(() => configOf({ kind: "lars", ...optimizer }), { name: "ConfigError", message });
  }
  const wrong = configOf({ kind: "lars", weightDecay: { rate: 0, except: ["*.beta"] } });
  assert.throws(() => imageRunSpec(wrong, fitted), {
    name: "ConfigError",
    message:
      /optimizer\.weightDecay\.except: "\*\.beta" must match a param, and matches none of blocks\.0\.conv\.weight/,
  });
});
