import { ones, zeros } from "../../runtime/array.js";
import * as ops from "../ops.js";
import { type NormalisationOps, part, type Tensor } from "../tensor.js";
import { known, type Rules, unbroadcast } from "./rule.js";

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
  // With u = (x - mean) / std and h = g gain: (h - mean h - u mean(h u)) / std (Ba et al. 2016, appendix).
  layerNorm: {
    ofParts: ([g, byMean, byInverse], node, _, input, gain, bias) => {
      const x = known(input);
      const axis = x.shape.length - 1;
      const width = ops.knownSize("layerNorm", x, axis);
      const inverse = part(node, 2);
      const u = ops.mul(ops.sub(x, part(node, 1)), inverse);
      const meanOf = (rows: Tensor) => ops.reduceMean(rows, [axis], true);
      const contributions: Tensor[] = [];
      if (g) {
        const h = ops.mul(g, known(gain));
        const centred = ops.sub(ops.sub(h, meanOf(h)), ops.mul(u, meanOf(ops.mul(h, u))));
        contributions.push(ops.mul(centred, inverse));
      }
      if (byMean) contributions.push(ops.expand(ops.div(byMean, width), x));
      // d inverse / dx = -inverse^2 u / width.
      if (byInverse)
        contributions.push(ops.mul(u, ops.div(ops.mul(byInverse, ops.neg(ops.mul(inverse, inverse))), width)));
      return [
        contributions.length > 0 ? contributions.reduce(ops.add) : null,
        g ? unbroadcast(ops.mul(g, u), gain) : null,
        g ? unbroadcast(g, bias) : null,
      ];
    },
  },
  softmax: (g, y) => [ops.mul(y, ops.sub(g, sumOfRows(ops.mul(g, y))))],
  logSoftmax: (g, y) => [fromLogProbs(g, ops.exp(y))],
  logSoftmaxAt: {
    ofParts: ([byAt, byAll], node, _, __, classes) => {
      const probs = ops.exp(part(node, 1));
      const axis = probs.shape.length - 1;
      // The gradient of one log probability is 1 at its class less the probabilities.
      const at = byAt && column(byAt);
      const fromAt = at && ops.addAlong(ops.mul(probs, ops.neg(at)), column(known(classes)), at, axis);
      const fromAll = byAll && fromLogProbs(byAll, probs);
      return [fromAt && fromAll ? ops.add(fromAt, fromAll) : (fromAt ?? fromAll ?? null), null];
    },
  },
} satisfies Rules<keyof NormalisationOps>;

/** (x - mean) / sqrt(variance + epsilon), channel by channel. */
function standardised(x: Tensor, statistics: ops.ChannelStatistics, epsilon: number): Tensor {
  const { shape } = statistics.mean;
  const affine = { gain: constantLike(shape, ones), bias: constantLike(shape, zeros) };
  return ops.normalise(x, affine, statistics, epsilon);
}

/** (x slope + offset) / count, channel by channel, where slope and offset are the sums of `slopes` and `offsets`. */
function line(x: Tensor, slopes: readonly Tensor[], offsets: readonly Tensor[], count: Tensor): Tensor {
  const shape = [ops.knownSize("normalise", x, 1)];
  const [none, one] = [constantLike(shape, zeros), constantLike(shape, ones)];
  const total = (terms: readonly Tensor[]) => (terms.length > 0 ? ops.div(terms.reduce(ops.add), count) : none);
  return ops.normalise(x, { gain: total(slopes), bias: total(offsets) }, { mean: none, variance: one }, 0);
}

function constantLike(shape: Tensor["shape"], fill: typeof zeros): Tensor {
  return ops.constant(fill(shape as number[]));
}

function fromLogProbs(g: Tensor, probs: Tensor): Tensor {
  return ops.sub(g, ops.mul(probs, sumOfRows(g)));
}

function sumOfRows(x: Tensor): Tensor {
  return ops.reduceSum(x, [x.shape.length - 1], true);
}

function column(x: Tensor): Tensor {
  return ops.reshape(x, [...x.shape, 1]);
}
