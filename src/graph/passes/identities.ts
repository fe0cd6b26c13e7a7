import * as ops from "../ops.js";
import { isOp, type Op, type Tensor } from "../tensor.js";
import { acrossExpansion, expanded } from "./expansions.js";
import { constantOf, knownShape, operandOf } from "./match.js";
import { concat, slice, split } from "./pieces.js";
import type { Pass, Results } from "./walk.js";

/**
 * The same elements in the same places are not moved: operations that change nothing, that undo each other or that are
 * one. Values that are repeated are computed before they are repeated, or not repeated at all where the operation
 * broadcasts. No element changes its bits.
 */
export const identities: Pass = (_, reads) => {
  return (tensor) => {
    const isOnlyHere: IsOnlyHere = (input) => reads.get(input) === tensor.inputs.filter((x) => x === input).length;
    const made = (rules[tensor.op] as Rule<Op> | undefined)?.(tensor, isOnlyHere) ?? tensor;
    return made === tensor ? acrossExpansion(tensor, isOnlyHere) : made;
  };
};

/** Whether nothing else reads an input of the tensor: otherwise moving it would double it. */
type IsOnlyHere = (input: Tensor) => boolean;

type Rule<O extends Op> = (tensor: Tensor<O>, isOnlyHere: IsOnlyHere) => Tensor | Results;

const rules: { readonly [O in Op]?: Rule<O> } = {
  stopGradient: first,
  cast: (tensor) => (first(tensor).dtype === tensor.dtype ? first(tensor) : tensor),
  reduceSum: overNoAxis,
  reduceMean: overNoAxis,
  reduceMax: overNoAxis,
  reduceMin: overNoAxis,
  reshape: (tensor, isOnlyHere) => {
    const x = first(tensor);
    if (isOp(x, "reshape")) return ops.reshape(first(x), tensor.shape);
    const repeated = operandOf(x, "expand");
    // One number in every place.
    const isOne = repeated?.shape.every((axis) => axis === 1) && knownShape(tensor) && isOnlyHere(x);
    return repeated && isOne ? expanded(ops.reshape(repeated, []), tensor.shape) : tensor;
  },
  transpose: (tensor) => {
    const x = first(tensor);
    const { permutation } = tensor.attributes;
    if (isOp(x, "transpose")) {
      const inner = x.attributes.permutation;
      return ops.transpose(
        first(x),
        permutation.map((axis) => inner[axis] as number),
      );
    }
    // Axes of size 1 may be anywhere.
    const moved = permutation.filter((axis) => x.shape[axis] !== 1);
    return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number)) ? ops.reshape(x, tensor.shape) : tensor;
  },
  concat,
  slice,
  split,
  flip: (tensor) => {
    const x = first(tensor);
    const { axis } = tensor.attributes;
    if (x.shape[axis] === 1) return x;
    return isOp(x, "flip") && x.attributes.axis === axis ? first(x) : tensor;
  },
  pad: (tensor) => {
    const x = first(tensor);
    const { axis, before, after } = tensor.attributes;
    if (before === 0 && after === 0) return x;
    if (!isOp(x, "pad") || x.attributes.axis !== axis) return tensor;
    return ops.pad(first(x), axis, x.attributes.before + before, x.attributes.after + after);
  },
  expand: (tensor) => {
    const [x, like] = tensor.inputs as [Tensor, Tensor?];
    if (ops.sameShape(x.shape, tensor.shape)) return x;
    const inner = operandOf(x, "expand") ?? x;
    if (like && knownShape(tensor)) return expanded(inner, tensor.shape);
    return inner === x ? tensor : { ...tensor, inputs: [inner, ...(like ? [like] : [])] };
  },
  where: (tensor) => {
    const [condition, x, y] = tensor.inputs as [Tensor, Tensor, Tensor];
    const holds = constantOf(condition)?.data as Uint8Array | undefined;
    const isX = x === y || holds?.every((value) => value !== 0);
    const chosen = isX ? x : holds?.every((value) => value === 0) ? y : undefined;
    return chosen && ops.sameShape(chosen.shape, tensor.shape) ? chosen : tensor;
  },
};

function overNoAxis(tensor: Tensor<"reduceSum" | "reduceMean" | "reduceMax" | "reduceMin">): Tensor {
  return tensor.attributes.axes.length === 0 ? first(tensor) : tensor;
}

function first({ inputs: [x] }: Tensor): Tensor {
  return x as Tensor;
}
