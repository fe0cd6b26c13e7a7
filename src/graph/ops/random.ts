import { ShapeError } from "../../errors.js";
import { formatShape, isSymbolic, type Shape } from "../shape.js";
import { node, type Tensor } from "../tensor.js";
import { requireDtype, sameShape } from "./checks.js";
import { greaterOrEqual, mul, where } from "./elementwise.js";

/**
 * Numbers of 24 bits, uniform in [0, 1): a pure function of the int32 `key` [2], the number of the stream and the
 * position of the element, which is its column, on the last axis, and its row, over the others; one axis has rows alone.
 * The shape is given, or that of `like`, whose values do not matter.
 *
 * A random word for each row and one for each column are combined (tabulation hashing; Patrascu and Thorup 2012: any three
 * elements are independent), and spread over the bits by most of a round of Wellons' mixing of 32 bits (hash-prospector,
 * 2018). The words are three such rounds, of the position, `stream` and `key`. The numbers are good for dropout and initial
 * values, but not for secrets.
 */
export function randomUniform(key: Tensor, like: Tensor | Shape, stream = 0): Tensor {
  requireDtype("randomUniform", key, "int32");
  if (!sameShape(key.shape, [2])) {
    throw new ShapeError(`randomUniform: the key must be int32[2], got ${key.dtype}${formatShape(key.shape)}`);
  }
  if ((stream | 0) !== stream || stream < 0) {
    throw new ShapeError(`randomUniform: the stream must be a whole number from 0 to 2^31 - 1, got ${stream}`);
  }
  const shape = "op" in like ? like.shape : like;
  if (!("op" in like) && shape.some(isSymbolic)) {
    throw new ShapeError(
      `randomUniform: a shape must be known, got ${formatShape(shape)}; give a tensor of that shape`,
    );
  }
  return node("randomUniform", "op" in like ? [key, like] : [key], { stream }, shape, "float32");
}

/**
 * x / (1 - rate) where a random number is not below the rate, else 0: each element is kept with probability 1 - rate,
 * and the expectation is x (Srivastava et al. 2014). The same key and stream keep the same elements.
 */
export function dropout(x: Tensor, rate: number, key: Tensor, stream = 0): Tensor {
  if (!(rate >= 0 && rate < 1)) throw new ShapeError(`dropout: needs 0 <= rate < 1, got ${rate}`);
  if (rate === 0) return x;
  return where(greaterOrEqual(randomUniform(key, x, stream), rate), mul(x, 1 / (1 - rate)), 0);
}

/**
 * A bucket for each int32 element, from 0 to numBuckets - 1: with the mixing of {@link randomUniform} and k1, k2 of the
 * number of the stream, mix(mix(x xor k1) xor k2) modulo numBuckets. Streams are like hash functions that were drawn
 * independently.
 */
export function hash(x: Tensor, numBuckets: number, stream = 0): Tensor {
  requireDtype("hash", x, "int32");
  for (const [name, value, least] of [["numBuckets", numBuckets, 1] as const, ["the stream", stream, 0] as const]) {
    if ((value | 0) === value && value >= least) continue;
    throw new ShapeError(`hash: ${name} must be a whole number from ${least} to 2^31 - 1, got ${value}`);
  }
  return node("hash", [x], { numBuckets, stream }, x.shape, "int32");
}
