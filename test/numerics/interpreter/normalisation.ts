import type { NormalisationOps } from "../../../src/graph/tensor.js";
import { count, mapRows, type Numbers, operand, type Rules, rowsOf, sumOver } from "./values.js";

export const normalisationValues = {
  batchNorm: ({ attributes: { epsilon }, inputs }) => {
    const [x, gain, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const mean = channelMeans(x);
    const variance = channelMeans(mapChannels(x, (value, c) => (value - (mean.data[c] ?? Number.NaN)) ** 2));
    return [normalised(x, gain, bias, mean, variance, epsilon), mean, variance];
  },
  normalise: ({ attributes: { epsilon }, inputs }) => {
    const [x, gain, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => operand(inputs, i)) as [
      Numbers,
      Numbers,
      Numbers,
      Numbers,
      Numbers,
    ];
    return normalised(x, gain, bias, mean, variance, epsilon);
  },
  channelDots: ({ inputs }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
    const products = { shape: a.shape, data: a.data.map((value, i) => value * (b.data[i] ?? Number.NaN)) };
    return sumOver(products, besideChannels(a), false);
  },
  layerNorm: ({ attributes: { epsilon }, inputs }) => {
    const [x, gain, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const means = Float64Array.from(rowsOf(x), mean);
    const inverses = Float64Array.from(rowsOf(x), (row, i) => {
      return 1 / Math.sqrt(mean(row.map((value) => (value - (means[i] ?? 0)) ** 2)) + epsilon);
    });
    const normalised = mapRows(x, (row, i) => {
      return row.map(
        (value, j) => (value - (means[i] ?? 0)) * (inverses[i] ?? 0) * (gain.data[j] ?? 0) + (bias.data[j] ?? 0),
      );
    });
    const shape = x.shape.with(-1, 1);
    return [normalised, { shape, data: means }, { shape, data: inverses }];
  },
  softmax: ({ inputs }) => mapRows(operand(inputs, 0), (row) => logProbs(row).map(Math.exp)),
  logSoftmax: ({ inputs }) => mapRows(operand(inputs, 0), logProbs),
  logSoftmaxAt: ({ inputs }) => {
    const [classes, all] = [operand(inputs, 1), mapRows(operand(inputs, 0), logProbs)];
    const at = rowsOf(all).map((row, i) => {
      const logProb = row[classes.data[i] ?? -1];
      if (logProb === undefined) throw new Error(`interpret: there is no class ${classes.data[i]}`);
      return logProb;
    });
    return [{ shape: classes.shape, data: Float64Array.from(at) }, all];
  },
} satisfies Rules<keyof NormalisationOps>;

const besideChannels = ({ shape }: Numbers) => [...shape.keys()].filter((axis) => axis !== 1);

function channelMeans(x: Numbers): Numbers {
  const sum = sumOver(x, besideChannels(x), false);
  return { shape: sum.shape, data: sum.data.map((value) => value / (x.data.length / (x.shape[1] ?? 1))) };
}

function mapChannels(x: Numbers, f: (value: number, channel: number) => number): Numbers {
  const inner = count(x.shape.slice(2));
  return { shape: x.shape, data: x.data.map((value, i) => f(value, Math.floor(i / inner) % (x.shape[1] ?? 1))) };
}

function normalised(x: Numbers, gain: Numbers, bias: Numbers, mean: Numbers, variance: Numbers, epsilon: number) {
  return mapChannels(x, (value, c) => {
    const [s, t, m, v] = [gain, bias, mean, variance].map(({ data }) => data[c] ?? Number.NaN) as [
      number,
      number,
      number,
      number,
    ];
    return (s * (value - m)) / Math.sqrt(v + epsilon) + t;
  });
}

function mean(row: Float64Array): number {
  return row.reduce((sum, value) => sum + value, 0) / row.length;
}

function logProbs(row: Float64Array): Float64Array {
  const peak = Math.max(...row);
  const logSum = peak + Math.log(row.reduce((sum, x) => sum + Math.exp(x - peak), 0));
  return row.map((x) => x - logSum);
}
