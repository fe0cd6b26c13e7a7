/** The blocks with convolutions of `golden/blocks_torch.py` as models of ours. */
import { add, conv, hardSwish, relu } from "../src/graph/ops.js";
import { convolution, convolutionParams } from "../src/nn/conv.js";
import type { Model } from "../src/nn/model.js";
import { batchNormBuffers, batchNormModel, normParams } from "../src/nn/norm.js";
import { named } from "../src/runtime/named.js";

type Shape = Model["inputs"][string]["shape"];

/** relu(x + BN(conv(relu(BN(conv(x)))))) of x [batch, channels, ...sizes]. */
export function residualBlock(channels: number, sizes: readonly number[]): Model {
  const shape = { inputs: channels, outputs: channels, kernel: [3, 3], hasBias: false };
  return batchNormModel({
    params: {
      ...convolutionParams("conv1", shape),
      ...normParams("norm1", channels),
      ...convolutionParams("conv2", shape),
      ...normParams("norm2", channels),
    },
    buffers: { ...batchNormBuffers("norm1", channels), ...batchNormBuffers("norm2", channels) },
    inputs: inputsOf(["batch", channels, ...sizes]),
    logits(weights, inputs, norm) {
      const x = named(inputs, "x");
      const y = relu(norm("norm1", convolution(weights, "conv1", x, { pads: 1 })));
      return relu(add(x, norm("norm2", convolution(weights, "conv2", y, { pads: 1 }))));
    },
  });
}

/** hardswish(BN(conv(conv(x; depthwise, stride 2); pointwise))) of x [batch, inputs, ...sizes] to so many outputs. */
export function separableBlock(inputs: number, outputs: number, sizes: readonly number[]): Model {
  return batchNormModel({
    params: {
      ...convolutionParams("depthwise", { inputs, outputs: inputs, kernel: [3, 3], groups: inputs, hasBias: false }),
      ...convolutionParams("pointwise", { inputs, outputs, kernel: [1, 1], hasBias: false }),
      ...normParams("norm", outputs),
    },
    buffers: batchNormBuffers("norm", outputs),
    inputs: inputsOf(["batch", inputs, ...sizes]),
    logits(weights, values, norm) {
      const options = { strides: 2, pads: 1, groups: inputs };
      const narrow = conv(named(values, "x"), named(weights, "depthwise.weight"), options);
      return hardSwish(norm("norm", convolution(weights, "pointwise", narrow)));
    },
  });
}

const inputsOf = (shape: Shape): Model["inputs"] => ({ x: { shape, dtype: "float32" } });
