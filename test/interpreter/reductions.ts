import { operand, type Rules, span, sumOver } from "./values.js";

export const reductionsValues = {
  reduceSum: ({ attributes: { axes, keepDims }, inputs }) => sumOver(operand(inputs, 0), axes, keepDims),
  reduceMean: ({ attributes: { axes, keepDims }, inputs }) => {
    const x = operand(inputs, 0);
    const sum = sumOver(x, axes, keepDims);
    return { shape: sum.shape, data: sum.data.map((element) => element / span(x.shape, axes)) };
  },
  countAlong: ({ attributes: { axes }, inputs }) => ({ shape: [], data: [span(inputs[0]?.shape ?? [], axes)] }),
} satisfies Rules<"reduceSum" | "reduceMean" | "countAlong">;
