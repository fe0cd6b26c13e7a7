/** Tensors that are cut and joined. */
import * as ops from "../ops.js";
import { isOp, type Tensor } from "../tensor.js";
import type { Results } from "./walk.js";

/** Elements `start` to `end` of a tensor along an axis. */
interface Piece {
  readonly of: Tensor;
  readonly start: number;
  readonly end: number;
}

/** What is joined, and lay side by side before, is not cut. */
export function concat(tensor: Tensor<"concat">): Tensor {
  const { axis } = tensor.attributes;
  const flat = tensor.inputs.flatMap((input) =>
    isOp(input, "concat") && input.attributes.axis === axis ? input.inputs : [input],
  );
  const pieces: Piece[] = [];
  for (const piece of flat.map((input) => pieceOf(input, axis))) {
    const last = pieces.at(-1);
    if (last?.of === piece.of && last.end === piece.start) pieces.splice(-1, 1, { ...last, end: piece.end });
    else pieces.push(piece);
  }
  const [first] = pieces as [Piece, ...Piece[]];
  if (pieces.length === 1) return ops.slice(first.of, axis, first.start, first.end);
  // A piece of several that is not all of a tensor would be one more operation.
  const areWhole = pieces.every(isWhole(axis)) && pieces.length < flat.length;
  if (areWhole)
    return ops.concat(
      pieces.map(({ of }) => of),
      axis,
    );
  return flat.length === tensor.inputs.length ? tensor : ops.concat(flat, axis);
}

const isWhole =
  (axis: number) =>
  ({ of, start, end }: Piece) =>
    start === 0 && end === of.shape[axis];

/** A piece of a piece, of one of several that are joined, or of what lies between zeros. */
export function slice(tensor: Tensor<"slice">): Tensor {
  const { axis, start, end } = tensor.attributes;
  const x = tensor.inputs[0] as Tensor;
  const size = ops.knownSize("slice", x, axis);
  if (start === 0 && end === size) return x;
  if ((isOp(x, "slice") || isOp(x, "pad") || isOp(x, "concat")) && x.attributes.axis === axis) {
    let at = isOp(x, "slice") ? -x.attributes.start : isOp(x, "pad") ? x.attributes.before : 0;
    for (const input of x.inputs) {
      const length = ops.knownSize("slice", input, axis);
      if (start >= at && end <= at + length) return ops.slice(input, axis, start - at, end - at);
      at += length;
    }
  }
  return tensor;
}

/** What is cut where it was joined. */
export function split(tensor: Tensor<"split">): Tensor | Results {
  const { axis, sizes } = tensor.attributes;
  const x = tensor.inputs[0] as Tensor;
  if (sizes.length === 1) return x;
  if (!isOp(x, "concat") || x.attributes.axis !== axis || x.inputs.length !== sizes.length) return tensor;
  const isSame = x.inputs.every(({ shape }, i) => shape[axis] === sizes[i]);
  return isSame ? new Map(x.inputs.map((input, i) => [i, input] as const)) : tensor;
}

/** What a tensor is a piece of: of itself, if of nothing else. */
function pieceOf(tensor: Tensor, axis: number): Piece {
  const [whole] = tensor.inputs;
  if (isOp(tensor, "slice") && tensor.attributes.axis === axis)
    return { of: whole as Tensor, start: tensor.attributes.start, end: tensor.attributes.end };
  const cut = isOp(tensor, "part") ? whole : tensor;
  if (cut && isOp(cut, "split") && cut.attributes.axis === axis)
    return partOf(cut, isOp(tensor, "part") ? tensor.attributes.index : 0);
  return { of: tensor, start: 0, end: ops.knownSize("concat", tensor, axis) };
}

/** What one part of a tensor that is cut is a piece of. */
export function partOf({ inputs: [x], attributes: { sizes } }: Tensor<"split">, index: number): Piece {
  const start = sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
  return { of: x as Tensor, start, end: start + (sizes[index] ?? 0) };
}
