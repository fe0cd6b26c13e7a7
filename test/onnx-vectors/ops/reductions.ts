import * as ops from "../../../src/graph/ops.js";
import type { Tensor } from "../../../src/graph/tensor.js";
import { axisOf, type Call, fromFirst, numbersAt, type Translations } from "../call.js";
import { notOurs } from "../values.js";
import { float } from "./elementwise.js";
import { rank, withLast } from "./shapes.js";

type Reduction = (x: Tensor, axes?: number[], keepDims?: boolean) => Tensor;

const reduction = (op: Reduction) => (call: Call) => {
  const x = float(call, 0);
  const listed = numbersAt(call, 1, "axes") ?? [];
  const isAll = listed.length === 0 && call.int("noop_with_empty_axes", 0) === 0;
  return op(x, isAll ? ops.allAxes(x) : fromFirst(listed, rank(x)), call.int("keepdims", 1) !== 0);
};

const alongAxis = (op: (x: Tensor) => Tensor) => (call: Call) => {
  const x = float(call, 0);
  return withLast(x, axisOf(call, rank(x), -1), op);
};

export const reductionsTranslations: Translations = {
  ReduceSum: reduction(ops.reduceSum),
  ReduceMean: reduction(ops.reduceMean),
  ReduceMax: reduction(ops.reduceMax),
  ReduceMin: reduction(ops.reduceMin),
  ReduceLogSumExp: reduction(ops.logSumExp),
  ReduceSumSquare: reduction((x, axes, keepDims) => ops.reduceSum(ops.square(x), axes, keepDims)),
  ArgMax: (call) => {
    const x = float(call, 0);
    const axis = axisOf(call, rank(x), 0);
    const isLast = call.int("select_last_index", 0) !== 0;
    // Ours finds the first of equal elements: of the reversed ones the last.
    const found = isLast
      ? ops.cast(
          ops.sub((x.shape[axis] as number) - 1, ops.cast(ops.argMax(ops.flip(x, axis), axis), "float32")),
          "int32",
        )
      : ops.argMax(x, axis);
    return call.int("keepdims", 1) === 0 ? found : ops.reshape(found, x.shape.with(axis, 1));
  },
  CumSum: (call) => {
    const x = float(call, 0);
    const [axis = 0] = fromFirst(numbersAt(call, 1) ?? [], rank(x));
    const [exclusive, reverse] = [call.int("exclusive", 0) !== 0, call.int("reverse", 0) !== 0];
    return ops.cumulativeSum(x, axis, { exclusive, reverse });
  },
  Softmax: alongAxis(ops.softmax),
  LogSoftmax: alongAxis(ops.logSoftmax),
  TopK: (call) => {
    const x = float(call, 0);
    if (axisOf(call, rank(x), -1) !== rank(x) - 1) return notOurs("an axis that is not the last");
    const [k = 0] = numbersAt(call, 1) ?? [];
    const isLargest = call.int("largest", 1) !== 0;
    const { values, indices } = ops.topK(isLargest ? x : ops.neg(x), k);
    return [isLargest ? values : ops.neg(values), indices];
  },
};
