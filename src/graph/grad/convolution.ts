import { ones, sizeOf } from "../../runtime/array.js";
import { sizesCovered, type Windows } from "../geometry.js";
import * as ops from "../ops.js";
import { joined } from "../shape.js";
import { type ConvolutionOps, part, type Tensor } from "../tensor.js";
import { isTiled, tiledMaxGradient } from "./pooling.js";
import { known, type Rules } from "./rule.js";

const spatial = ({ shape }: Tensor) => shape.slice(2) as number[];

/** The rest of the input that no window of a convolution reached, which its transpose must add to restore the sizes. */
function paddingOf(input: Tensor, output: Tensor, kernel: readonly number[], windows: Windows): number[] {
  const covered = sizesCovered(spatial(output), kernel, windows, []);
  return spatial(input).map((size, i) => size - (covered[i] ?? 0));
}

/**
 * A convolution, its transpose and the gradient by its weight are one trilinear form, seen from its three sides: each is
 * linear in two tensors, and its gradients are the other two. So these rules are closed under differentiation.
 */
export const convolutionGradients = {
  conv: (g, { attributes }, x, w) => {
    const [input, weight] = [known(x), known(w)];
    const kernel = spatial(weight);
    return [
      ops.convTranspose(g, weight, { ...attributes, outputPadding: paddingOf(input, g, kernel, attributes) }),
      ops.convWeightGrad(input, g, { ...attributes, kernel }),
    ];
  },
  convTranspose: (g, { attributes: { outputPadding: _, ...convolution } }, x, w) => {
    const weight = known(w);
    return [
      ops.conv(g, weight, convolution),
      ops.convWeightGrad(g, known(x), { ...convolution, kernel: spatial(weight) }),
    ];
  },
  convWeightGrad: (g, { attributes: { kernel, ...convolution } }, x, dy) => {
    const [input, cotangent] = [known(x), known(dy)];
    const outputPadding = paddingOf(input, cotangent, kernel, convolution);
    return [ops.convTranspose(cotangent, g, { ...convolution, outputPadding }), ops.conv(input, g, convolution)];
  },
  maxPool: (g, y, x) => {
    const input = known(x);
    if (isTiled(y.attributes)) return [tiledMaxGradient(g, y, input, y.attributes.kernel)];
    return [ops.scatterWithin(g, part(y, 1), spatial(input))];
  },
  averagePool: (g, { attributes: { countIncludePad, kernel, ...windows } }, x) => {
    const input = known(x);
    // Each channel of each example by itself: a convolution with one channel, and a weight of ones.
    const single = ({ shape }: Tensor) => [joined(shape.slice(0, 2)), 1, ...shape.slice(2)];
    const weight = ops.constant(ones([1, 1, ...kernel]));
    const elements = ops.conv(ops.constant(ones([1, 1, ...spatial(input)])), weight, windows);
    const share = ops.div(g, countIncludePad ? sizeOf(kernel) : elements);
    const outputPadding = paddingOf(input, g, kernel, windows);
    const spread = ops.convTranspose(ops.reshape(share, single(g)), weight, { ...windows, outputPadding });
    return [ops.reshape(spread, input.shape)];
  },
  scatterWithin: (g, _, __, positions) => [ops.gatherWithin(g, known(positions)), null],
  gatherWithin: (g, _, x, positions) => [ops.scatterWithin(g, known(positions), spatial(known(x))), null],
} satisfies Rules<keyof ConvolutionOps>;
