import type { SoftmaxOps } from "../../../src/graph/tensor.js";
import { mapRows, operand, type Rules, rowsOf } from "./values.js";

export const softmaxValues = {
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
} satisfies Rules<keyof SoftmaxOps>;

function logProbs(row: Float64Array): Float64Array {
  const peak = Math.max(...row);
  const logSum = peak + Math.log(row.reduce((sum, x) => sum + Math.exp(x - peak), 0));
  return row.map((x) => x - logSum);
}
