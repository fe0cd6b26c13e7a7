/** Values that are repeated along axes. */
import * as ops from "../ops.js";
import { isOp, node, type Op, type Shape, type Tensor } from "../tensor.js";
import { traits } from "../traits.js";
import { knownShape, reciprocalOf } from "./match.js";

/** An expansion to a shape that is known needs nothing to be like. */
export function expanded(x: Tensor, shape: Shape): Tensor {
  return node("expand", [x], {}, shape, "float32");
}

/** An elementwise operation that lets its operands broadcast by itself, or is done before they are repeated. */
export function acrossExpansion(tensor: Tensor, isOnlyHere: (input: Tensor) => boolean): Tensor {
  if (!traits[tensor.op].mayPrecedeExpansion) return tensor;
  const smaller = tensor.inputs.map((input) => repeatedBy(input) ?? input);
  if (smaller.every((input, i) => input === tensor.inputs[i])) return tensor;
  // One operand after the other, as long as the result keeps its shape.
  const inputs = tensor.inputs.reduce<Tensor[]>(
    (chosen, _, i) => {
      const tried = chosen.with(i, smaller[i] as Tensor);
      return ops.sameShape(broadcast(tensor.op, tried), tensor.shape) ? tried : chosen;
    },
    [...tensor.inputs],
  );
  if (inputs.some((input, i) => input !== tensor.inputs[i])) return { ...tensor, inputs };
  const mayMove = (input: Tensor) => !isOp(input, "expand") || isOnlyHere(input);
  const like = tensor.inputs.find((input) => isOp(input, "expand") && ops.sameShape(input.shape, tensor.shape));
  if (!like || tensor.dtype !== "float32" || !tensor.inputs.every(mayMove)) return tensor;
  const small = { ...tensor, inputs: smaller, shape: broadcast(tensor.op, smaller) };
  return knownShape(tensor)
    ? expanded(small, tensor.shape)
    : node("expand", [small, ...like.inputs.slice(1)], {}, tensor.shape, "float32");
}

/** What an operand repeats, or what it only puts axes of size 1 in front of. */
function repeatedBy(operand: Tensor): Tensor | undefined {
  const [x] = operand.inputs;
  // ONNX Runtime divides by n where it finds 1 / n times something, which rounds once instead of twice.
  if (!x || reciprocalOf(operand)) return undefined;
  if (isOp(operand, "expand")) return x;
  const numNew = operand.shape.length - x.shape.length;
  const isInFront =
    isOp(operand, "reshape") && numNew > 0 && ops.sameShape([...Array(numNew).fill(1), ...x.shape], operand.shape);
  return isInFront ? x : undefined;
}

function broadcast(op: Op, tensors: readonly Tensor[]): Shape {
  return tensors.reduce<Shape>((shape, tensor) => ops.broadcastShapes(op, shape, tensor.shape), []);
}
