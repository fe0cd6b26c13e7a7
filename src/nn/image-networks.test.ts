import assert from "node:assert/strict";
import { test } from "node:test";
import { interpret } from "../../test/numerics/interpreter.js";
import { ShapeError } from "../errors.js";
import type { NdArray } from "../runtime/array.js";
import { normalisedImages } from "./image-input.js";
import { countParams, inputTensors, weightTensors } from "./model.js";
import { smallCnn } from "./small-cnn.js";

const options = { imageSize: [4, 6], channels: 3, numClasses: 5, mean: [0, 0.5, 1], std: [1, 0.5, 0.25] } as const;

/** Pixels 0, 1, 2, ... of images [numImages, 4, 6, 3]. */
function pixels(numImages: number): NdArray<"uint8"> {
  const data = Uint8Array.from({ length: numImages * 4 * 6 * 3 }, (_, i) => i);
  return { dtype: "uint8", shape: [numImages, 4, 6, 3], data };
}

test("pixels are read as bytes with channels last, and normalised with channels first", () => {
  const y = normalisedImages(inputTensors(smallCnn({ ...options, widths: [2] })), options);
  assert.deepEqual(y.shape, ["batch", 3, 4, 6]);
  const { data = [] } = interpret({ outputs: { y }, updates: {} }, { images: pixels(2) }).outputs.y ?? {};
  const at = (image: number, channel: number, row: number, column: number) =>
    Number(data[((image * 3 + channel) * 4 + row) * 6 + column]);
  // Image 1, row 2, column 3: its first channel is byte 72 + (2 x 6 + 3) x 3 = 117.
  for (const [channel, expected] of [117 / 255, (118 / 255 - 0.5) / 0.5, (119 / 255 - 1) / 0.25].entries()) {
    assert.ok(Math.abs(at(1, channel, 2, 3) - expected) < 1e-6, `channel ${channel}`);
  }
});

test("the small CNN has a block for each width, and logits for each class", () => {
  const model = smallCnn({ ...options, widths: [4, 8] });
  const logits = model.apply(weightTensors(model, "params"), inputTensors(model));
  assert.deepEqual(logits.shape, ["batch", 5]);
  assert.equal(countParams(model), 3 * 4 * 9 + 2 * 4 + 4 * 8 * 9 + 2 * 8 + 8 * 5 + 5);
  assert.deepEqual(Object.keys(model.buffers ?? {}), [
    "blocks.0.norm.mean",
    "blocks.0.norm.variance",
    "blocks.1.norm.mean",
    "blocks.1.norm.variance",
  ]);
});

test("wrong options of networks of images are refused with the rule, the values and the cure", () => {
  const refused = (call: () => unknown, message: RegExp) => assert.throws(call, { name: ShapeError.name, message });
  refused(() => smallCnn({ ...options, mean: [0.5] }), /^images: mean must be 3 numbers, one a channel, got \[0\.5\]/);
  refused(
    () => smallCnn({ ...options, std: [1, 0, 1] }),
    /^images: std must be above 0, got \[1, 0, 1\]; of a channel/,
  );
  refused(() => smallCnn(options), /^smallCnn: 3 blocks halve images of at least 8 pixels, got 4 x 6; use fewer/);
});
