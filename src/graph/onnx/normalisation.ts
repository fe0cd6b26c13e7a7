import { filled, scalar, sizeOf } from "../../runtime/array.js";
import type { NormalisationOps, Tensor } from "../tensor.js";
import { countOf, MICROSOFT, type ModelBuilder, type Rules } from "./builder.js";

export const normalisationEmission = {
  // Not BatchNormalization in training mode: ONNX Runtime 1.30 writes its statistics over the running ones that it is
  // given. One constant given for both would then hold the variance in place of the mean, and be wrong for its other
  // readers.
  batchNorm: (b, { attributes: { epsilon }, inputs: [tensor] }, x = "", gain = "", bias = "") => {
    const [, channels = 0, ...sizes] = (tensor?.shape ?? []) as number[];
    const axes = [0, ...sizes.map((_, i) => i + 2)];
    const kept = b.node("ReduceMean", [x, b.ints(axes)], { keepdims: 1 });
    const mean = b.node("Reshape", [kept, b.ints([channels])]);
    const centred = b.node("Sub", [x, kept]);
    const variance = b.node("Div", [dots(b, tensor, centred, centred), countOf(b, tensor, x, axes)]);
    const zero = b.constant(filled([channels], 0));
    const y = normalise(b, tensor, [centred, gain, bias, zero, variance], epsilon);
    return [y, mean, variance];
  },
  normalise: (b, { attributes: { epsilon }, inputs: [x] }, ...inputs) => normalise(b, x, inputs, epsilon),
  channelDots: (b, { inputs: [x] }, left = "", right = "") => dots(b, x, left, right),
  layerNorm: (b, node, ...inputs) => {
    const numOutputs = b.isUsed(node, 1) || b.isUsed(node, 2) ? 3 : 1;
    const epsilon = { float: node.attributes.epsilon };
    return b.nodeOf(numOutputs, "LayerNormalization", inputs, { axis: -1, epsilon });
  },
  softmax: (b, _, x = "") => b.node("Softmax", [x], { axis: -1 }),
  logSoftmax: (b, _, x = "") => b.node("LogSoftmax", [x], { axis: -1 }),
  logSoftmaxAt: (b, _, x = "", classes = "") => {
    const last = b.ints([-1]);
    const all = b.node("LogSoftmax", [x], { axis: -1 });
    const at = b.node("GatherElements", [all, b.node("Unsqueeze", [classes, last])], { axis: -1 });
    return [b.node("Squeeze", [at, last]), all];
  },
} satisfies Rules<keyof NormalisationOps>;

function normalise(b: ModelBuilder, like: Tensor | undefined, inputs: readonly string[], epsilon: number): string {
  if (like?.shape.length !== 2) return b.node("BatchNormalization", inputs, { epsilon: { float: epsilon } });
  // BatchNormalization goes over the rows of each channel, and these have one element here.
  const [x = "", gain = "", bias = "", mean = "", variance = ""] = inputs;
  const added = b.constant(scalar(epsilon));
  const factor = b.node("Div", [gain, b.node("Sqrt", [b.node("Add", [variance, added])])]);
  return b.node("Add", [b.node("Mul", [b.node("Sub", [x, mean]), factor]), bias]);
}

/**
 * Up to rows of this many elements, multiplying element by element is no slower than a product of each row by a column, which
 * takes longer to begin than to do: a fourth of the time at 49 elements, as long at 200, half as long again at 256.
 */
const SHORT_ROW = 200;

/** As products of a row by a column, for each channel of each example, where rows are long: elementwise ones are not stored. */
function dots(b: ModelBuilder, like: Tensor | undefined, left: string, right: string): string {
  const [, channels = 0, ...sizes] = (like?.shape ?? []) as number[];
  if (sizeOf(sizes) <= SHORT_ROW) {
    const axes = b.ints([0, ...sizes.map((_, i) => i + 2)]);
    return b.node("ReduceSum", [b.node("Mul", [left, right]), axes], { keepdims: 0 });
  }
  const rows = [left, right].map((name) => b.node("Reshape", [name, b.ints([-1, channels, 1, sizeOf(sizes)])]));
  const products = b.node("FusedMatMul", rows, { transB: 1 }, MICROSOFT);
  return b.node("ReduceSum", [products, b.ints([0, 2, 3])], { keepdims: 0 });
}
