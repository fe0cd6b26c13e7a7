import * as ops from "../../../src/graph/ops.js";
import { part, type Tensor } from "../../../src/graph/tensor.js";
import { sizeOf } from "../../../src/runtime/array.js";
import { axisOf, sizes, type Translations } from "../call.js";
import { notOurs } from "../values.js";
import { float } from "./elementwise.js";
import { rank } from "./shapes.js";

const WITHIN_PRODUCTS = "uint8, of which ours are pixels; it is emitted within quantisedMatmul";

export const productsTranslations: Translations = {
  DequantizeLinear: () => notOurs(WITHIN_PRODUCTS),
  DynamicQuantizeLinear: () => notOurs(WITHIN_PRODUCTS),
  MatMul: (call) => ops.matmul(float(call, 0), float(call, 1)),
  Gemm: (call) => {
    const isOn = (name: string) => call.int(name, 0) !== 0;
    const product = ops.matmul(float(call, 0), float(call, 1), {
      transposeA: isOn("transA"),
      transposeB: isOn("transB"),
      scale: call.float("alpha", 1),
    });
    return call.has(2) ? ops.add(product, ops.mul(float(call, 2), call.float("beta", 1))) : product;
  },
  BatchNormalization: (call) => {
    const [x, gain, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => float(call, i)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const epsilon = call.float("epsilon", 1e-5);
    if (call.int("training_mode", 0) === 0) return ops.normalise(x, { gain, bias }, { mean, variance }, epsilon);
    const y = ops.batchNorm(x, { gain, bias }, epsilon);
    const momentum = call.float("momentum", 0.9);
    const moved = (before: Tensor, now: Tensor) => ops.add(ops.mul(momentum, before), ops.mul(1 - momentum, now));
    return [y, moved(mean, part(y, 1)), moved(variance, part(y, 2))];
  },
  LayerNormalization: (call) => {
    const [x, gain, bias] = [float(call, 0), float(call, 1), float(call, 2)];
    const axis = axisOf(call, rank(x), -1);
    const rows = sizes(x).slice(0, axis);
    const width = sizeOf(sizes(x).slice(axis));
    // Ours normalises one axis, so those from `axis` on are made one.
    const [flatGain, flatBias] = [ops.reshape(gain, [width]), ops.reshape(bias, [width])];
    const epsilon = call.float("epsilon", 1e-5);
    const normal = ops.layerNorm(ops.reshape(x, [...rows, width]), flatGain, flatBias, epsilon);
    const statistics = [...rows, ...x.shape.slice(axis).map(() => 1)];
    return [
      ops.reshape(normal.normalised, x.shape),
      ops.reshape(normal.mean, statistics),
      ops.reshape(normal.inverseStd, statistics),
    ];
  },
};
