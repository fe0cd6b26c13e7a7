import { scalar } from "../../runtime/array.js";
import { elementsOf, isSymbolic } from "../shape.js";
import type { RandomOps } from "../tensor.js";
import { type ModelBuilder, type Rules, shapeLike } from "./builder.js";
import { ELEMENT_TYPES } from "./element-types.js";

/** The golden ratio in 64 bits. */
const GOLDEN = [0x9e3779b9, 0x7f4a7c15] as const;

export const randomEmission = {
  randomUniform: (b, { attributes: { stream }, shape }, key = "", like = "") => {
    const words = b.node("Cast", [key], { to: ELEMENT_TYPES.uint32 });
    const [first, second] = [0, 1].map((at) => b.node("Gather", [words, b.ints([at])])) as [string, string];
    const xor = (x: string, y: string) => b.node("BitwiseXor", [x, y]);
    const mixed = (golden: number, x: string, y: string) =>
      mix(b, xor(mix(b, xor(mix(b, xor(x, b.uint32(golden))), y)), b.uint32(stream)));
    const keys = [mixed(GOLDEN[0], first, second), mixed(GOLDEN[1], second, first)] as const;

    const sizes = shapeLike(b, shape, like);
    const count = shape.some(isSymbolic) ? b.node("Size", [like]) : b.int64(elementsOf(shape).count);
    const positions = b.node("Cast", [b.node("Range", [b.int64(0), count, b.int64(1)])], { to: ELEMENT_TYPES.uint32 });
    const bits = mix(b, xor(mix(b, xor(positions, keys[0])), keys[1]));
    const whole = b.node("Cast", [shifted(b, bits, 8)], { to: ELEMENT_TYPES.float32 });
    const scale = b.constant(scalar(2 ** -24));
    return b.node("Reshape", [b.node("Mul", [whole, scale]), sizes]);
  },
  hash: (b, { attributes: { numBuckets, stream } }, x = "") => {
    const mixed = (value: string, key: string) => mix(b, b.node("BitwiseXor", [value, key]));
    const [first, second] = GOLDEN.map((word) => mixed(b.uint32(stream), b.uint32(word))) as [string, string];
    const bits = mixed(mixed(b.node("Cast", [x], { to: ELEMENT_TYPES.uint32 }), first), second);
    return b.node("Cast", [b.node("Mod", [bits, b.uint32(numBuckets)])], { to: ELEMENT_TYPES.int32 });
  },
} satisfies Rules<keyof RandomOps>;

/** Wellons' mixing of 32 bits: every bit of the result depends on every bit of x. */
function mix(b: ModelBuilder, x: string): string {
  const folded = (value: string, by: number) => b.node("BitwiseXor", [value, shifted(b, value, by)]);
  const times = (value: string, factor: number) => b.node("Mul", [value, b.uint32(factor)]);
  return folded(times(folded(times(folded(x, 16), 0x21f0aaad), 15), 0xd35a2d97), 15);
}

function shifted(b: ModelBuilder, x: string, by: number): string {
  return b.node("BitShift", [x, b.uint32(by)], { direction: "RIGHT" });
}
