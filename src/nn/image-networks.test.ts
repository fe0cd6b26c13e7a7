import assert from "node:assert/strict";
import { test } from "node:test";
import { interpret } from "../../test/numerics/interpreter.js";
import { ShapeError } from "../errors.js";
import { input } from "../graph/ops.js";
import { isOp, type Tensor, topologicalOrder } from "../graph/tensor.js";
import { float32, type NdArray } from "../runtime/array.js";
import { everyOther } from "./conv.js";
import { normalisedImages } from "./image-input.js";
import { mobileNet } from "./mobilenet.js";
import { carry, countParams, inputTensors, train, weightTensors } from "./model.js";
import { resnet } from "./resnet.js";
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

const onImages = (height: number, channels: number, numClasses: number) => ({
  imageSize: [height, height] as const,
  channels,
  numClasses,
  mean: Array(channels).fill(0.5),
  std: Array(channels).fill(0.25),
});

// Of the networks with these layers that others publish: torchvision's 18 and 50, MobileNet 1.0 with batch norms in
// PyTorch, and section 4.2 of He et al. with batch norms and option A.
for (const [name, model, numParams] of [
  ["resnet 20", resnet({ ...onImages(32, 3, 10), depth: 20 }), 269_722],
  ["resnet 32", resnet({ ...onImages(32, 3, 10), depth: 32 }), 464_154],
  ["resnet 56", resnet({ ...onImages(32, 3, 10), depth: 56 }), 853_018],
  ["resnet 18", resnet({ ...onImages(224, 3, 1000), depth: 18 }), 11_689_512],
  ["resnet 50", resnet({ ...onImages(224, 3, 1000), depth: 50 }), 25_557_032],
  ["mobilenet", mobileNet(onImages(224, 3, 1000)), 4_231_976],
] as const) {
  test(`${name} has as many params as those of others, and a layer for each of them`, () => {
    assert.equal(countParams(model), numParams);
    const read = new Set(
      topologicalOrder([model.apply(weightTensors(model, "w"), inputTensors(model))]).flatMap((x) =>
        isOp(x, "input") ? [x.attributes.name] : [],
      ),
    );
    const given = Object.keys(weightTensors(model, "w")).map((path) => `w.${path}`);
    assert.deepEqual([...read].sort(), [...given, "images"].sort());
  });
}

test("networks of images give their last hidden layer, from which the linear layer makes the logits", () => {
  const grey = onImages(27, 1, 4);
  for (const [model, width] of [
    [smallCnn({ ...grey, widths: [4, 6], dropout: 0.1 }), 6],
    [resnet({ ...grey, depth: 20 }), 64],
    [resnet({ ...grey, depth: 50 }), 2048],
    [mobileNet({ ...grey, widthMultiplier: 0.5 }), 512],
  ] as const) {
    const weights = weightTensors(model, "w");
    for (const said of [carry(model, weights, inputTensors(model)), train(model, weights, inputTensors(model))]) {
      assert.deepEqual(said.rows?.shape, ["batch", width]);
      assert.ok(topologicalOrder([said.logits]).includes(said.rows as Tensor));
    }
  }
});

test("networks of images take odd sizes and grey images, and halve as convolutions with stride 2 do", () => {
  const grey = onImages(27, 1, 4);
  for (const model of [resnet({ ...grey, depth: 20 }), resnet({ ...grey, depth: 18 }), mobileNet(grey)]) {
    assert.deepEqual(model.apply(weightTensors(model, "w"), inputTensors(model)).shape, ["batch", 4]);
  }
  const x = input("x", [1, 1, 3, 5]);
  const values = Float32Array.from({ length: 15 }, (_, i) => i);
  const { y } = interpret({ outputs: { y: everyOther(x) }, updates: {} }, { x: float32(values, [1, 1, 3, 5]) }).outputs;
  assert.deepEqual(y?.shape, [1, 1, 2, 3]);
  assert.deepEqual([...(y?.data ?? [])], [0, 2, 4, 10, 12, 14]);
});

test("a narrower MobileNet has multiples of 8 channels", () => {
  const { params } = mobileNet({ ...onImages(32, 3, 10), widthMultiplier: 0.3 });
  assert.deepEqual(params["stem.conv.weight"]?.shape, [8, 3, 3, 3]);
  assert.deepEqual(params["blocks.12.depthwise.weight"]?.shape, [304, 1, 3, 3]);
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
