import { scalar } from "../../runtime/array.js";
import { elementsOf, isSymbolic } from "../shape.js";
import type { RandomOps } from "../tensor.js";
import { type ModelBuilder, type Rules, shapeLike } from "./builder.js";
import { ELEMENT_TYPES } from "./element-types.js";

/** The golden ratio in 64 bits. */
const GOLDEN = [0x9e3779b9, 0x7f4a7c15] as const;
/** By which Wellons' mixing multiplies. */
const FACTORS = [0x21f0aaad, 0xd35a2d97] as const;

export const randomEmission = {
  randomUniform: (b, { attributes: { stream }, shape }, key = "", like = "") => {
    const words = b.node("Cast", [key], { to: ELEMENT_TYPES.uint32 });
    const [first, second] = [0, 1].map((at) => b.node("Gather", [words, b.ints([at])])) as [string, string];
    const numColumns = shape.length < 2 ? 1 : (shape.at(-1) as number);
    const size = shape.some(isSymbolic) ? b.node("Size", [like]) : b.int64(elementsOf(shape).count);
    // Of no columns there are no rows either.
    const numRows = numColumns === 1 ? size : b.node("Div", [size, b.int64(Math.max(1, numColumns))]);
    const numbered = (count: string) =>
      b.node("Cast", [b.node("Range", [b.int64(0), count, b.int64(1)])], { to: ELEMENT_TYPES.uint32 });
    const [forRows, forColumns] = saltsOf(b, stream);
    const rows = chained(b, numbered(numRows), [forRows, first, second]);
    const columns = chained(b, numbered(b.int64(numColumns)), [forColumns, second, first]);
    const bits = spread(b, xor(b, b.node("Reshape", [rows, b.ints([-1, 1])]), columns));
    const whole = b.node("Cast", [shifted(b, bits, 8)], { to: ELEMENT_TYPES.float32 });
    return b.node("Reshape", [b.node("Mul", [whole, b.constant(scalar(2 ** -24))]), shapeLike(b, shape, like)]);
  },
  hash: (b, { attributes: { numBuckets, stream } }, x = "") => {
    const bits = chained(b, b.node("Cast", [x], { to: ELEMENT_TYPES.uint32 }), saltsOf(b, stream));
    return b.node("Cast", [b.node("Mod", [bits, b.uint32(numBuckets)])], { to: ELEMENT_TYPES.int32 });
  },
} satisfies Rules<keyof RandomOps>;

const xor = (b: ModelBuilder, x: string, y: string) => b.node("BitwiseXor", [x, y]);

/** Two words for a stream, which the engine computes when it loads a model. */
function saltsOf(b: ModelBuilder, stream: number): [string, string] {
  return GOLDEN.map((word) => mix(b, xor(b, b.uint32(stream), b.uint32(word)))) as [string, string];
}

/** Words mixed with one key after the other. */
function chained(b: ModelBuilder, x: string, keys: readonly string[]): string {
  return keys.reduce((word, key) => mix(b, xor(b, word, key)), x);
}

/** Wellons' mixing of 32 bits: every bit of the result depends on every bit of x. */
function mix(b: ModelBuilder, x: string): string {
  return folded(b, times(b, folded(b, times(b, folded(b, x, 16), FACTORS[0]), 15), FACTORS[1]), 15);
}

/** The middle of {@link mix}, for words that are random already: every bit of x changes the high bits of the result. */
function spread(b: ModelBuilder, x: string): string {
  return times(b, folded(b, times(b, x, FACTORS[0]), 15), FACTORS[1]);
}

function folded(b: ModelBuilder, x: string, by: number): string {
  return xor(b, x, shifted(b, x, by));
}

function times(b: ModelBuilder, x: string, factor: number): string {
  return b.node("Mul", [x, b.uint32(factor)]);
}

function shifted(b: ModelBuilder, x: string, by: number): string {
  return b.node("BitShift", [x, b.uint32(by)], { direction: "RIGHT" });
}
