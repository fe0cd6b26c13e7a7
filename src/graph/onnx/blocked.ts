/** Convolutions over blocks of channels. See docs/decisions/021-blocked-convolutions.md. */
import { along, type Convolution } from "../geometry.js";
import { BLOCKED, type ModelBuilder } from "./builder.js";

/** A convolution, or one with stride 1 that is emitted in place of its transpose. */
interface Blocked {
  readonly attributes: Convolution;
  /** Of the weight as it is given, [O, C / groups, ...kernel]. */
  readonly weightShape: readonly number[];
  /** Whether the weight is read as [C, O / groups, ...kernel]; its kernel was turned back to front before. */
  readonly isTransposed: boolean;
}

/** With more elements, rearranging the weight takes longer than the faster kernel saves. */
const MOST_ELEMENTS = 1 << 20;

/**
 * Whether the engine's kernels for blocks of channels can compute a convolution, and are the faster ones: over two
 * spatial axes, with whole blocks of channels in and out, or with each channel by itself, and with a kernel of more than
 * one position.
 */
export function isBlocked(b: ModelBuilder, { attributes, weightShape }: Blocked): boolean {
  const { channelBlock: block } = b;
  const [outputs = 0, inputs = 0, ...kernel] = weightShape;
  if (block === undefined || kernel.length !== 2) return false;
  const { groups } = attributes;
  const isDepthwise = groups > 1 && inputs === 1 && outputs === groups;
  if (!isDepthwise && (groups > 1 || inputs % block !== 0)) return false;
  const positions = kernel.reduce((product, size) => product * size, 1);
  const fits = along(attributes, kernel).every(({ before, after, span }) => Math.max(before, after) < span);
  return outputs % block === 0 && positions > 1 && fits && outputs * inputs * positions <= MOST_ELEMENTS;
}

/** A convolution for which {@link isBlocked} holds: x, [batch, channels / block, height, width, block] in between. */
export function blockedConv(
  b: ModelBuilder,
  [x, weight]: readonly [x: string, weight: string],
  { weightShape, isTransposed, attributes }: Blocked,
  nodeAttributes: Parameters<ModelBuilder["node"]>[2],
): string {
  const block = b.channelBlock as number;
  const [outputs = 0, inputs = 0, ...kernel] = weightShape;
  const isDepthwise = attributes.groups > 1;
  const split = [outputs / block, block, ...(isDepthwise ? [1] : [inputs / block, block]), ...kernel];
  // Blocks of outputs, blocks of inputs, the kernel, the inputs of a block, its outputs.
  const perm = isDepthwise ? [0, 2, 3, 4, 1] : isTransposed ? [2, 0, 4, 5, 1, 3] : [0, 2, 4, 5, 3, 1];
  const [to, from] = isTransposed && !isDepthwise ? [inputs, outputs] : [outputs, inputs];
  const inBlocks = b.node("Transpose", [b.node("Reshape", [weight, b.ints(split)])], { perm });
  const own = b.node("Reshape", [inBlocks, b.ints([to, from, ...kernel])]);
  const y = b.node("Conv", [b.node("ReorderInput", [x], {}, BLOCKED), own], nodeAttributes, BLOCKED);
  return b.node("ReorderOutput", [y], { channels: to }, BLOCKED);
}
