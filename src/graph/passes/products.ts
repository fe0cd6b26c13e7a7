import * as ops from "../ops.js";
import { isOp, type Tensor } from "../tensor.js";
import { exchangesLastTwo, numberOf, reciprocalOf, scaled } from "./match.js";
import type { Pass } from "./walk.js";

/**
 * Matrix products take in what is around them: transposes of their operands and of their result, signs, and numbers that
 * these are multiplied or divided by. A product has a flag or a factor for each, so a copy of a matrix goes away. And a
 * product with 1 / n is divided by n. Results are rounded in another order: this is the one pass that changes numbers.
 */
export const products: Pass = (_, reads) => {
  /** Otherwise it would be computed twice. */
  const isOnlyHere = (tensor: Tensor) => reads.get(tensor) === 1;
  return (tensor) => {
    if (isOp(tensor, "matmul")) return ofOperands(tensor, isOnlyHere);
    const [x] = tensor.inputs;
    if (isOp(tensor, "transpose") && x && isOp(x, "matmul") && isOnlyHere(x)) return turned(tensor, x);
    if (isOp(tensor, "mul")) {
      const quotient = quotientOf(tensor);
      if (quotient) return quotient;
    }
    const [factor, number] = scaling(tensor);
    if (!factor || !isOp(factor, "matmul") || !isOnlyHere(factor) || number === undefined) return tensor;
    return timesNumber(factor, number) ?? tensor;
  };
};

/** A product of what its operands are made from. */
function ofOperands(product: Tensor<"matmul">, isOnlyHere: (tensor: Tensor) => boolean): Tensor {
  const { transposeA, transposeB, scale } = product.attributes;
  const [a, b] = product.inputs as [Tensor, Tensor];
  const isTurned = (x: Tensor): x is Tensor<"transpose"> =>
    isOp(x, "transpose") && exchangesLastTwo(x.attributes.permutation);
  if (isTurned(a)) return ops.matmul(a.inputs[0] as Tensor, b, { ...product.attributes, transposeA: !transposeA });
  if (isTurned(b)) return ops.matmul(a, b.inputs[0] as Tensor, { ...product.attributes, transposeB: !transposeB });
  for (const [i, operand] of [a, b].entries()) {
    const [factor, number] = scaling(operand);
    const taken = number !== undefined && times(scale, number);
    if (!factor || !isOnlyHere(operand) || !taken) continue;
    const [x, y] = i === 0 ? [factor, b] : [a, factor];
    return ops.matmul(x, y, { transposeA, transposeB, scale: taken });
  }
  return product;
}

/** (A B)^T is B^T A^T. */
function turned(tensor: Tensor<"transpose">, product: Tensor<"matmul">): Tensor {
  if (!exchangesLastTwo(tensor.attributes.permutation)) return tensor;
  const { transposeA, transposeB, scale } = product.attributes;
  const [a, b] = product.inputs as [Tensor, Tensor];
  return ops.matmul(b, a, { transposeA: !transposeB, transposeB: !transposeA, scale });
}

function timesNumber(product: Tensor<"matmul">, number: number): Tensor | undefined {
  const [a, b] = product.inputs as [Tensor, Tensor];
  const scale = times(product.attributes.scale, number);
  return scale === undefined ? undefined : ops.matmul(a, b, { ...product.attributes, scale });
}

/** x / n for x times 1 / n, where n is one number. */
function quotientOf(product: Tensor<"mul">): Tensor | undefined {
  const [x, y] = product.inputs as [Tensor, Tensor];
  const pairs = [
    { factor: x, by: reciprocalOf(y) },
    { factor: y, by: reciprocalOf(x) },
  ];
  const found = pairs.find(({ factor, by }) => by?.shape.length === 0 && ops.sameShape(factor.shape, product.shape));
  return found?.by && ops.div(found.factor, found.by);
}

/** The tensor of its own shape that a tensor is a multiple of, and how many times. */
function scaling(tensor: Tensor): [factor?: Tensor, number?: number] {
  const [x, y] = tensor.inputs as [Tensor, Tensor];
  if (isOp(tensor, "neg")) return [x, -1];
  if (isOp(tensor, "mul")) return scaled(tensor);
  const divisor = isOp(tensor, "div") && ops.sameShape(x.shape, tensor.shape) ? numberOf(y) : undefined;
  return divisor === undefined ? [] : [x, 1 / divisor];
}

/** A product of factors as a normal float32; nothing where it is none, as it would lose all digits. */
function times(scale: number, number: number): number | undefined {
  const result = Math.fround(scale * number);
  return Number.isFinite(result) && Math.abs(result) >= 2 ** -126 ? result : undefined;
}
