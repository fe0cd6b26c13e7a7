import * as ops from "../../../src/graph/ops.js";
import type { Tensor } from "../../../src/graph/tensor.js";
import { type Call, numbersAt, type Translations } from "../call.js";
import { dtypeOf, notOurs } from "../values.js";

const unary = (op: (x: Tensor) => Tensor) => (call: Call) => op(float(call, 0));
const binary = (op: (x: Tensor, y: Tensor) => Tensor) => (call: Call) => op(float(call, 0), float(call, 1));
const logical = (op: (x: Tensor, y: Tensor) => Tensor) => (call: Call) => op(call.tensor(0), call.tensor(1));

/** Ours takes two operands, ONNX any number. */
const folded = (op: (x: Tensor, y: Tensor) => Tensor) => (call: Call) =>
  Array.from({ length: call.numInputs }, (_, i) => float(call, i)).reduce(op);

export const elementwiseTranslations: Translations = {
  Neg: unary(ops.neg),
  Exp: unary(ops.exp),
  Log: unary(ops.log),
  Sqrt: unary(ops.sqrt),
  Relu: unary(ops.relu),
  Sigmoid: unary(ops.sigmoid),
  Softplus: unary(ops.softplus),
  Abs: unary(ops.abs),
  Sign: unary(ops.sign),
  Tanh: unary(ops.tanh),
  Erf: unary(ops.erf),
  Floor: unary(ops.floor),
  Sin: unary(ops.sin),
  Cos: unary(ops.cos),
  HardSwish: unary(ops.hardSwish),
  Add: binary(ops.add),
  Sub: binary(ops.sub),
  Mul: binary(ops.mul),
  Div: binary(ops.div),
  Max: folded(ops.maximum),
  Min: folded(ops.minimum),
  Clip: (call) => {
    const bound = (i: number, otherwise: number) => numbersAt(call, i)?.[0] ?? otherwise;
    return ops.clamp(float(call, 0), bound(1, Number.NEGATIVE_INFINITY), bound(2, Number.POSITIVE_INFINITY));
  },
  Where: (call) => ops.where(call.tensor(0), call.tensor(1), call.tensor(2)),
  Cast: (call) => {
    const to = dtypeOf(call.int("to", 0));
    const x = call.tensor(0);
    return x.dtype === to ? notOurs(`a cast between types that are both ${to} with us`) : ops.cast(x, to);
  },
  Greater: logical(ops.greater),
  GreaterOrEqual: logical(ops.greaterOrEqual),
  Less: logical(ops.less),
  LessOrEqual: logical(ops.lessOrEqual),
  Equal: logical(ops.equal),
  And: logical(ops.and),
  Or: logical(ops.or),
  Not: (call) => ops.not(call.tensor(0)),
};

/** An operand of arithmetic, which is float32 with us. */
export function float(call: Call, i: number): Tensor {
  const x = call.tensor(i);
  return x.dtype === "float32" ? x : notOurs(`arithmetic on ${x.dtype}, ours is on float32`);
}
