/** Rotary positions (Su et al. 2021): queries and keys are turned by angles that grow with their position. */
import { ShapeError } from "../errors.js";
import { add, concat, constant, cos, mul, sin, split, sub } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { float32 } from "../runtime/array.js";

/** Cosines and sines of angles [..., depth / 2]. */
export interface Turn {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** Frequencies of the pairs: 10000^(-2 i / depth), i = 0 ... depth / 2 - 1. Throws {@link ShapeError} for an odd depth. */
function frequencies(depth: number): number[] {
  if (depth % 2 !== 0) throw new ShapeError(`rotary: a head has an even depth, got ${depth}`);
  return Array.from({ length: depth / 2 }, (_, i) => 10_000 ** ((-2 * i) / depth));
}

/** The turns of positions 0 ... time - 1: [time, depth / 2]. */
export function turnsOf(time: number, depth: number): Turn {
  const angles = Array.from({ length: time }, (_, t) => frequencies(depth).map((f) => t * f)).flat();
  const of = (f: (angle: number) => number) => constant(float32(angles.map(f), [time, depth / 2]));
  return { cos: of(Math.cos), sin: of(Math.sin) };
}

/** The turns of positions [batch, 1], each one's: [batch, depth / 2]. */
export function turnsAt(position: Tensor, depth: number): Turn {
  const angles = mul(position, constant(float32(frequencies(depth))));
  return { cos: cos(angles), sin: sin(angles) };
}

/** x [..., depth] turned: each pair (a, b) at (i, i + depth / 2), as in Llama, to (a cos - b sin, b cos + a sin). */
export function turned(x: Tensor, { cos, sin }: Turn): Tensor {
  const axis = x.shape.length - 1;
  const half = (x.shape[axis] as number) / 2;
  const [a, b] = split(x, axis, [half, half]) as [Tensor, Tensor];
  return concat([sub(mul(a, cos), mul(b, sin)), add(mul(b, cos), mul(a, sin))], axis);
}
