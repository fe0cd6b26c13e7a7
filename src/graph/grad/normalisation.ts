import { ones, zeros } from "../../runtime/array.js";
import * as ops from "../ops.js";
import { type NormalisationOps, part, type Tensor } from "../tensor.js";
import { known, type Rules } from "./rule.js";

export const normalisationGradients = {
  /**
   * With xhat = (x - mean) / std and n values in a channel (Ioffe and Szegedy 2015, section 3):
   *
   *     dx = gain / std (g - (sum g + xhat sum (g xhat)) / n) + dmean / n + 2 xhat std dvariance / n,
   *
   * put together as a multiple of g and a line in xhat: two sums and one affine function for each channel.
   */
  batchNorm: {
    ofParts: ([g, gMean, gVariance], y, _, x, w) => {
      const [input, gain] = [known(x), known(w)];
      const statistics = { mean: part(y, 1), variance: part(y, 2) };
      const { epsilon } = y.attributes;
      const std = ops.sqrt(ops.add(statistics.variance, epsilon));
      const xhat = standardised(input, statistics, epsilon);
      const count = ops.countAlong(input, ops.axesBesideChannels(input));
      const slopes: Tensor[] = [];
      const offsets: Tensor[] = [];
      if (gMean) offsets.push(gMean);
      if (gVariance) slopes.push(ops.mul(ops.mul(gVariance, 2), std));
      if (!g) return [line(xhat, slopes, offsets, count), null, null];

      const sums = ops.reduceSum(g, ops.axesBesideChannels(g));
      const dots = ops.channelDots(g, xhat);
      const factor = ops.div(gain, std);
      slopes.push(ops.neg(ops.mul(factor, dots)));
      offsets.push(ops.neg(ops.mul(factor, sums)));
      const dx = ops.add(ops.mul(g, ops.perChannel(factor, g)), line(xhat, slopes, offsets, count));
      return [dx, dots, sums];
    },
  },
  normalise: (g, { attributes: { epsilon } }, x, w, _, mean, variance) => {
    const [input, gain] = [known(x), known(w)];
    const statistics = { mean: known(mean), variance: known(variance) };
    const squared = ops.add(statistics.variance, epsilon);
    const factor = ops.div(gain, ops.sqrt(squared));
    const sums = ops.reduceSum(g, ops.axesBesideChannels(g));
    const dots = ops.channelDots(g, standardised(input, statistics, epsilon));
    return [
      ops.mul(g, ops.perChannel(factor, g)),
      dots,
      sums,
      ops.neg(ops.mul(factor, sums)),
      ops.div(ops.mul(ops.mul(gain, dots), -0.5), squared),
    ];
  },
  channelDots: (g, _, a, b) => {
    const [x, y] = [known(a), known(b)];
    return [ops.mul(y, ops.perChannel(g, y)), ops.mul(x, ops.perChannel(g, x))];
  },
} satisfies Rules<keyof NormalisationOps>;

/** (x - mean) / sqrt(variance + epsilon), channel by channel. */
function standardised(x: Tensor, statistics: ops.ChannelStatistics, epsilon: number): Tensor {
  const { shape } = statistics.mean;
  const affine = { gain: constantLike(shape, ones), bias: constantLike(shape, zeros) };
  return ops.normalise(x, affine, statistics, epsilon);
}

/** (x slope + offset) / count, channel by channel, with the sums of what was given as slopes and offsets. */
function line(x: Tensor, slopes: readonly Tensor[], offsets: readonly Tensor[], count: Tensor): Tensor {
  const shape = [ops.knownSize("normalise", x, 1)];
  const [none, one] = [constantLike(shape, zeros), constantLike(shape, ones)];
  const total = (terms: readonly Tensor[]) => (terms.length > 0 ? ops.div(terms.reduce(ops.add), count) : none);
  return ops.normalise(x, { gain: total(slopes), bias: total(offsets) }, { mean: none, variance: one }, 0);
}

function constantLike(shape: Tensor["shape"], fill: typeof zeros): Tensor {
  return ops.constant(fill(shape as number[]));
}
