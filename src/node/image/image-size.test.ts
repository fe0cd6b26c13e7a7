/** Models that take images of any size: the pixels that their network reads against those of sharp, and what they predict. */
import assert from "node:assert/strict";
import { test } from "node:test";
import sharp from "sharp";
import { toModel } from "../../graph/onnx.js";
import { encodeModel } from "../../graph/onnx-proto.js";
import { cast, input } from "../../graph/ops.js";
import { initWeights } from "../../nn/model.js";
import { smallCnn } from "../../nn/small-cnn.js";
import { sgd } from "../../optim/optimizers.js";
import { constantSchedule } from "../../optim/schedules.js";
import { exportImages } from "../../run/export-images.js";
import { rootKey, uniform } from "../../runtime/random.js";
import { type ImageFit, servedAtAnySize } from "../../serving/image-size.js";
import { predictGraph, stateNames, weightState } from "../../train/graphs.js";
import { multiclassTask } from "../../train/task.js";
import { InferenceSession, Tensor } from "../ort/library.js";
import { onnxRuntimeEngine } from "../ort/onnxruntime.js";

const FITS = { crop: "cover", pad: "contain", stretch: "fill" } as const;
const SIZE = 24;

/** Soft shapes with some noise, [height, width, channels]. */
function picture(height: number, width: number, channels: number): Uint8Array {
  const noise = uniform(rootKey(3), height * width * channels);
  return Uint8Array.from(noise, (u, i) => {
    const [row, column] = [Math.floor(i / channels / width), Math.floor(i / channels) % width];
    const wave = Math.sin((row + 20 * (i % channels)) / 9) * Math.cos(column / 7);
    return 128 + 90 * wave + 40 * (u - 0.5);
  });
}

/** What a network of 24 x 24 pixels reads of images. */
async function readPixels(images: Tensor, channels: number, fit: ImageFit): Promise<Float32Array> {
  const own = input("images", ["batch", SIZE, SIZE, channels], "uint8");
  const model = toModel({ outputs: { pixels: cast(own, "float32") }, updates: {} });
  const served = servedAtAnySize(model, { name: "images", imageSize: [SIZE, SIZE], channels, fit });
  const session = await InferenceSession.create(encodeModel(served));
  const { pixels } = await session.run({ images });
  await session.release();
  return pixels?.data as Float32Array;
}

const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (value, i) => Math.abs(value - Number(b[i]))).reduce((sum, value) => sum + value, 0) / a.length;

for (const [fit, sharpFit] of Object.entries(FITS) as [ImageFit, (typeof FITS)[ImageFit]][]) {
  test(`images that shrink become what sharp makes of them, but for a level or two on average: ${fit}`, async () => {
    for (const [height, width, channels] of [
      [97, 143, 3],
      [60, 31, 1],
      [48, 52, 3],
    ] as const) {
      const data = picture(height, width, channels);
      const theirs = await sharp(data, { raw: { height, width, channels } })
        .resize(SIZE, SIZE, { fit: sharpFit, background: "#000000" })
        .toColourspace(channels === 1 ? "b-w" : "srgb")
        .raw({ depth: "uchar" })
        .toBuffer();
      const ours = await readPixels(new Tensor("uint8", data, [1, height, width, channels]), channels, fit);
      assert.equal(ours.length, theirs.length);
      assert.ok(apart(ours, theirs) < 2, `${height} x ${width}: ${apart(ours, theirs)} levels`);
    }
  });
}

test("an even slope stays one where images grow, in the place where it was", async () => {
  // sharp puts it a quarter of a pixel further, so that it is no measure here.
  const width = 12;
  const data = Uint8Array.from({ length: width * width }, (_, i) => 20 + 10 * (i % width));
  const ours = await readPixels(new Tensor("uint8", data, [1, width, width, 1]), 1, "stretch");
  for (let column = 3; column < SIZE - 3; column++) {
    const slope = 20 + 10 * ((column + 0.5) / 2 - 0.5);
    assert.ok(Math.abs((ours[5 * SIZE + column] ?? Number.NaN) - slope) <= 1, `column ${column}`);
  }
});

test("images of the network's own size stay what they are to the bit, alone and in a batch", async () => {
  const data = picture(2 * SIZE, SIZE, 3);
  for (const fit of ["crop", "pad", "stretch"] as const) {
    const ours = await readPixels(new Tensor("uint8", data, [2, SIZE, SIZE, 3]), 3, fit);
    assert.deepEqual(Uint8Array.from(ours), data);
  }
});

test("an exported model predicts what the engine does, to 1e-6, and takes other sizes", async () => {
  const task = multiclassTask({ classes: ["a", "b", "c"] });
  const sizes = { imageSize: [SIZE, SIZE] as const, channels: 3, numClasses: 3 };
  const model = smallCnn({ ...sizes, widths: [4, 8], mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25] });
  const learner = { model, objective: task.objective, task, optimizer: sgd(constantSchedule(0.1)) };
  const weights = initWeights(model, rootKey(1));
  await using engine = onnxRuntimeEngine({ threads: 1 });
  await engine.write(weightState(model, weights));
  const program = await engine.compile(predictGraph(learner, stateNames.params));
  const data = picture(3 * SIZE, SIZE, 3);
  const images = { dtype: "uint8", shape: [3, SIZE, SIZE, 3], data } as const;
  const { probs } = await program.run({ images });
  const session = await InferenceSession.create(exportImages(learner, "crop", weights, {}));
  const { probabilities } = await session.run({ images: new Tensor("uint8", data, images.shape) });
  const largest = Math.max(...Array.from(probs?.data ?? [], (p, i) => Math.abs(p - Number(probabilities?.data[i]))));
  assert.ok(largest <= 1e-6, `${largest}`);
  const other = await session.run({ images: new Tensor("uint8", picture(50, 40, 3), [1, 50, 40, 3]) });
  assert.deepEqual(other.probabilities?.dims, [1, 3]);
  await session.release();
});
