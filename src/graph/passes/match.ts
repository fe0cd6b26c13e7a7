/** What rules ask of tensors. */
import type { NdArray } from "../../runtime/array.js";
import { isSymbolic, sameShape } from "../shape.js";
import { isOp, type Op, type Tensor } from "../tensor.js";

/** The value of a constant. */
export function constantOf(tensor: Tensor | undefined): NdArray | undefined {
  return tensor && isOp(tensor, "constant") ? tensor.attributes.value : undefined;
}

/** The number that all elements of a float32 constant are, if they are one number; of another tensor nothing. */
export function numberOf(tensor: Tensor | undefined): number | undefined {
  const value = constantOf(tensor);
  if (value?.dtype !== "float32") return undefined;
  const { data } = value;
  const [first] = data;
  return first !== undefined && data.every((element) => Object.is(element, first)) ? first : undefined;
}

/** The tensor and the number whose product this is, if one factor is the same number in every place. */
export function scaled({ inputs, shape }: Tensor<"mul">): [factor?: Tensor, number?: number] {
  const [x, y] = inputs as [Tensor, Tensor];
  const [byX, byY] = [numberOf(x), numberOf(y)];
  if (byY !== undefined && sameShape(x.shape, shape)) return [x, byY];
  return byX !== undefined && sameShape(y.shape, shape) ? [y, byX] : [];
}

/** The shape of a tensor whose sizes are all known. */
export function knownShape({ shape }: Tensor): readonly number[] | undefined {
  return shape.some(isSymbolic) ? undefined : (shape as readonly number[]);
}

/** What a tensor is 1 divided by, in whatever shape. */
export function reciprocalOf(tensor: Tensor | undefined): Tensor | undefined {
  if (!tensor) return undefined;
  if (isOp(tensor, "div")) return numberOf(tensor.inputs[0]) === 1 ? tensor.inputs[1] : undefined;
  return isOp(tensor, "reshape") || isOp(tensor, "expand") ? reciprocalOf(tensor.inputs[0]) : undefined;
}

/** The operand of a tensor that was made by the given operation. */
export function operandOf<O extends Op>(tensor: Tensor | undefined, op: O): Tensor | undefined {
  return tensor && isOp(tensor, op) ? tensor.inputs[0] : undefined;
}

/** Whether an order of axes exchanges the last two and leaves the others. */
export function exchangesLastTwo(permutation: readonly number[]): boolean {
  const rank = permutation.length;
  const turned = [...permutation.keys()].slice(0, -2).concat(rank - 1, rank - 2);
  return rank >= 2 && permutation.every((axis, i) => axis === turned[i]);
}
