import * as ops from "../ops.js";
import { isOp, type Op, type Tensor } from "../tensor.js";
import { numberOf, operandOf, scaled } from "./match.js";
import type { Pass } from "./walk.js";

/**
 * Arithmetic that comes to the same number: neutral operands and signs. Every result is equal. Bits may differ in three
 * ways only: the sign of a NaN, and where x + 0 or x times 1 would have been computed, a number below the normal ones,
 * which arithmetic in the engine takes for 0.
 */
export const algebra: Pass = () => (tensor) => {
  const rule = rules[tensor.op] as ((tensor: Tensor, x: Tensor, y: Tensor) => Tensor) | undefined;
  const [x, y] = tensor.inputs as [Tensor, Tensor];
  return rule ? rule(tensor, x, y) : tensor;
};

type Rule<O extends Op> = (tensor: Tensor<O>, x: Tensor, y: Tensor) => Tensor;

const rules: { readonly [O in Op]?: Rule<O> } = {
  neg: (tensor, x) => {
    const inner = operandOf(x, "neg");
    if (inner) return inner;
    const [factor, number] = isOp(x, "mul") ? scaled(x) : [];
    return factor && number !== undefined ? ops.mul(factor, -number) : tensor;
  },
  not: (tensor, x) => operandOf(x, "not") ?? tensor,
  abs: (tensor, x) => {
    const inner = operandOf(x, "neg");
    return inner ? ops.abs(inner) : tensor;
  },
  add: (tensor, x, y) => {
    if (isUnchanged(tensor, x, y)) return x;
    if (isUnchanged(tensor, y, x)) return y;
    const [minusX, minusY] = [operandOf(x, "neg"), operandOf(y, "neg")];
    if (minusY) return ops.sub(x, minusY);
    return minusX ? ops.sub(y, minusX) : tensor;
  },
  sub: (tensor, x, y) => {
    if (isZero(y, 1) && ops.sameShape(x.shape, tensor.shape)) return x;
    const minus = operandOf(y, "neg");
    return minus ? ops.add(x, minus) : tensor;
  },
  mul: (tensor, x, y) => {
    const [minusX, minusY] = [operandOf(x, "neg"), operandOf(y, "neg")];
    if (minusX && minusY) return ops.mul(minusX, minusY);
    const [factor, number] = scaled(tensor);
    if (!factor || number === undefined) return tensor;
    if (Math.abs(number) === 1) return number === 1 ? factor : ops.neg(factor);
    const minus = operandOf(factor, "neg");
    return minus ? ops.mul(minus, -number) : tensor;
  },
  div: (tensor, x, y) => {
    const [minusX, minusY] = [operandOf(x, "neg"), operandOf(y, "neg")];
    if (minusX && minusY) return ops.div(minusX, minusY);
    const number = numberOf(y);
    if (number !== 1 && number !== -1) return tensor;
    if (!ops.sameShape(x.shape, tensor.shape)) return tensor;
    return number === 1 ? x : ops.neg(x);
  },
  where: (tensor, condition, x) => {
    const inner = operandOf(condition, "not");
    return inner ? ops.where(inner, tensor.inputs[2] as Tensor, x) : tensor;
  },
};

/** Whether a sum is its operand `x`, the other one being zeros: -0, or 0 if `x` is never -0, as -0 + 0 is 0. */
function isUnchanged(sum: Tensor, x: Tensor, zeros: Tensor): boolean {
  if (!ops.sameShape(x.shape, sum.shape)) return false;
  return isZero(zeros, -1) || (isZero(zeros, 1) && isNeverMinusZero(x));
}

function isZero(tensor: Tensor, sign: 1 | -1): boolean {
  return Object.is(numberOf(tensor), sign === 1 ? 0 : -0);
}

/** Whether no element can be -0: of a sum, when one of its terms cannot. */
function isNeverMinusZero(tensor: Tensor): boolean {
  if ((["exp", "abs", "sigmoid", "softmax", "randomUniform", "countAlong"] as readonly Op[]).includes(tensor.op))
    return true;
  if (isOp(tensor, "add")) return tensor.inputs.some(isNeverMinusZero);
  if (isOp(tensor, "mul")) return tensor.inputs[0] === tensor.inputs[1];
  const number = numberOf(tensor);
  return number !== undefined && !Object.is(number, -0);
}
