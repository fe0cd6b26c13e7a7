import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, normal, rootKey } from "../../runtime/random.js";
import { noiseScale, type SquaredNorms } from "./noise.js";
import { measuredLink, stepSeconds } from "./time-model.js";

/** Steps of parts whose gradients are drawn: a mean of squared length `signal`, and of each example a variance of `trace` in all. */
function drawn(
  key: number,
  {
    signal,
    trace,
    batch,
    parts,
    numSteps,
    width = 40,
  }: Record<string, number> & { signal: number; trace: number; batch: number; parts: number; numSteps: number },
): SquaredNorms[] {
  const spread = Math.sqrt(trace / width / (batch / parts));
  const mean = Math.sqrt(signal / width);
  return Array.from({ length: numSteps }, (_, step) => {
    const all = normal(fold(fold(rootKey(key), "gradients"), step), parts * width);
    const sum = new Float64Array(width);
    let part = 0;
    for (let p = 0; p < parts; p++) {
      for (let i = 0; i < width; i++) {
        const value = mean + spread * (all[p * width + i] ?? 0);
        part += value ** 2 / parts;
        sum[i] = (sum[i] ?? 0) + value / parts;
      }
    }
    return { part, step: sum.reduce((total, value) => total + value ** 2, 0), numSteps: 1 };
  });
}

test("the noise scale of gradients with a known mean and covariance is their ratio, for any number of parts", () => {
  // tr(Sigma) / |G|^2 = 200 examples.
  for (const [batch, parts] of [
    [64, 2],
    [64, 8],
    [1024, 4],
  ] as const) {
    const blocks = drawn(5, { signal: 0.5, trace: 100, batch, parts, numSteps: 400 });
    const found = noiseScale(blocks, { batch, parts });
    assert.ok(found && found.low < 200 && found.high > 200 && Math.abs(found.value - 200) < 30, JSON.stringify(found));
  }
});

test("its interval holds the true value about as often as it says", () => {
  const shape = { batch: 64, parts: 4 };
  let held = 0;
  for (let key = 0; key < 200; key++) {
    const found = noiseScale(drawn(key, { signal: 1, trace: 100, ...shape, numSteps: 100, width: 20 }), shape);
    if (found && found.low <= 100 && found.high >= 100) held++;
  }
  assert.ok(held >= 180 && held <= 200, `${held} of 200`);
});

test("there is none of one stretch, of steps of one part, and where the noise hides the mean", () => {
  const block = { part: 2, step: 1.5, numSteps: 5 };
  assert.equal(noiseScale([block], { batch: 8, parts: 2 }), null);
  assert.equal(noiseScale([block, block], { batch: 8, parts: 1 }), null);
  assert.equal(
    noiseScale(
      [
        { ...block, step: 0.9 },
        { ...block, step: 0.8 },
      ],
      { batch: 8, parts: 2 },
    ),
    null,
  );
  assert.deepEqual(noiseScale([block, block], { batch: 8, parts: 2 }), { value: 4, low: 4, high: 4 });
});

test("a step is what one worker takes, and of more of them waits for the slowest and adds up", () => {
  const link = { bytesPerSecond: 1e9, latencySeconds: 1e-4, isMeasured: false };
  const model = { computeSeconds: 0.1, gradientBytes: 4e6, link, spread: 0.2 };
  assert.deepEqual(stepSeconds(model, 1), { compute: 0.1, waiting: 0, reduce: 0, total: 0.1 });
  const four = stepSeconds(model, 4);
  // H(4) - 1 = 1/2 + 1/3 + 1/4, and 2 log2(4) messages, and 2 x 3/4 of the bytes.
  assert.ok(Math.abs(four.waiting - 0.02 * (13 / 12)) < 1e-12);
  assert.ok(Math.abs(four.reduce - (4e-4 + 1.5 * 4e-3)) < 1e-12);
  assert.ok(Math.abs(four.total - (four.compute + four.waiting + four.reduce)) < 1e-12);
  const measured = stepSeconds({ ...model, link: measuredLink(4e6, 4, 0.03) }, 4);
  assert.ok(Math.abs(measured.reduce - 0.03) < 1e-12);
});
