import { sizeOf } from "../../runtime/array.js";
import { along, type Convolution, positionsOf, type Windows } from "../geometry.js";
import type { ConvolutionOps, Tensor } from "../tensor.js";
import { blockedConv, isBlocked } from "./blocked.js";
import { MICROSOFT, type ModelBuilder, onnxAxis, type Rules } from "./builder.js";
import { ELEMENT_TYPES } from "./element-types.js";

export const convolutionEmission = {
  conv: (b, { attributes, inputs: [, w] }, x = "", weight = "") => {
    const settings = { ...windowAttributes(attributes, spatial(w)), group: attributes.groups };
    const blocked = { attributes, weightShape: w?.shape as number[], isTransposed: false };
    if (isBlocked(b, blocked)) return blockedConv(b, [x, weight], blocked, settings);
    return b.node("Conv", [x, weight], settings);
  },
  convTranspose: (b, { attributes, inputs: [, w] }, x = "", weight = "") => {
    const { outputPadding, groups } = attributes;
    const kernel = spatial(w);
    const axes = along(attributes, kernel);
    // With stride 1 a convolution with the flipped weight does the same, and is faster.
    if (axes.every(({ stride, span, before, after }) => stride === 1 && Math.max(before, after) < span)) {
      const pads = axes.map(({ span, before, after }) => [span - 1 - before, span - 1 - after] as const);
      const settings = { ...windowAttributes({ ...attributes, pads }, kernel), group: groups };
      const weightShape = w?.shape as number[];
      const blocked = { attributes: { ...attributes, pads }, weightShape, isTransposed: true };
      if (isBlocked(b, blocked)) return blockedConv(b, [x, turned(b, weight, kernel)], blocked, settings);
      return b.node("Conv", [x, flip(b, weight, weightShape, groups)], settings);
    }
    const windows = windowAttributes(attributes, kernel);
    return b.node("ConvTranspose", [x, weight], { ...windows, group: groups, output_padding: outputPadding });
  },
  convWeightGrad,
  maxPool: (b, node, x = "") => {
    const { kernel, ...windows } = node.attributes;
    const attributes = windowAttributes(windows, kernel);
    // Finding the positions takes many times as long.
    if (!b.isUsed(node, 1)) return b.node("MaxPool", [x], attributes);
    const [y = "", positions = ""] = b.nodeOf(2, "MaxPool", [x], attributes);
    // ONNX counts over the whole tensor. The remainder is in range, whatever position a window of NaN gets.
    const within = b.node("Mod", [positions, b.ints([sizeOf(spatial(node.inputs[0]))])]);
    return [y, b.node("Cast", [within], { to: ELEMENT_TYPES.int32 })];
  },
  averagePool: (b, { attributes: { kernel, countIncludePad, ...windows } }, x = "") => {
    const { dilations: _, ...attributes } = windowAttributes(windows, kernel);
    return b.node("AveragePool", [x], { ...attributes, count_include_pad: Number(countIncludePad) });
  },
  scatterWithin: (b, { attributes: { sizes }, shape, inputs: [g] }, updates = "", positions = "") => {
    const rows = (name: string, length: number) => b.node("Reshape", [name, b.ints([-1, length])]);
    const from = sizeOf(spatial(g));
    const width = b.ints([sizeOf(sizes)]);
    const flat = rows(updates, from);
    const numRows = b.node("Shape", [flat], { start: 0, end: 1 });
    const zeros = b.node("ConstantOfShape", [b.node("Concat", [numRows, width], { axis: 0 })]);
    const sum = b.node("ScatterElements", [zeros, rows(positions, from), flat], { axis: 1, reduction: "add" });
    return b.node("Reshape", [sum, b.ints(shape.map(onnxAxis))]);
  },
  gatherWithin: (b, { shape, inputs: [from] }, x = "", positions = "") => {
    const rows = b.node("Reshape", [x, b.ints([-1, sizeOf(spatial(from))])]);
    const at = b.node("Reshape", [positions, b.ints([-1, sizeOf(shape.slice(2) as number[])])]);
    return b.node("Reshape", [b.node("GatherElements", [rows, at], { axis: 1 }), b.ints(shape.map(onnxAxis))]);
  },
} satisfies Rules<keyof ConvolutionOps>;

/** Of no more channels than this, several positions of a kernel are one product, of so many columns at most. */
const FEW_CHANNELS = 4;
const STACKED_COLUMNS = 64;

/**
 * For each position of the kernel, one matrix product of the cotangent with the padded input that the position sees:
 * [O, batch x sizes] [batch x sizes, C], for every group. Where channels are few, as those of images, the positions are
 * stacked, since each product reads all of the cotangent. See docs/decisions/004-convolution-weight-gradients.md.
 */
function convWeightGrad(
  b: ModelBuilder,
  { attributes, inputs: [x, g], shape }: Tensor<"convWeightGrad">,
  xName = "",
  gName = "",
): string {
  const { kernel, groups } = attributes;
  const axes = along(attributes, kernel);
  const sizes = spatial(x);
  const counts = spatial(g);
  const [outputs = 0, inputs = 0] = shape as number[];
  const channelsFirst = [1, 0, ...kernel.map((_, i) => i + 2)];
  const matrix = groups === 1 ? [] : [groups];
  const cotangent = b.node("Reshape", [
    b.node("Transpose", [gName], { perm: channelsFirst }),
    b.ints([...matrix, outputs / groups, -1]),
  ]);
  const padded = pad(b, b.node("Transpose", [xName], { perm: channelsFirst }), attributes);
  const columns = positionsOf(kernel).map((at) => {
    const seen = axes.map(({ stride, before, after, dilation }, i) => {
      const start = (at[i] ?? 0) * dilation;
      const end = start + stride * ((counts[i] ?? 0) - 1) + 1;
      return { start, end, stride, isAll: start === 0 && stride === 1 && end === before + (sizes[i] ?? 0) + after };
    });
    const window = seen.every(({ isAll }) => isAll) ? padded : slice(b, padded, seen);
    return b.node("Reshape", [window, b.ints([...matrix, inputs, -1])]);
  });
  const size = groups === 1 && inputs <= FEW_CHANNELS ? Math.floor(STACKED_COLUMNS / inputs) : 1;
  const products = inChunks(columns, size).map((some) => {
    const product =
      groups === 1
        ? b.node("Gemm", [cotangent, joined(b, some, 0)], { transB: 1 })
        : b.node("FusedMatMul", [cotangent, ...some], { transB: 1 }, MICROSOFT);
    if (some.length === 1) return b.node("Reshape", [product, b.ints([outputs, inputs, 1])]);
    const apart = b.node("Reshape", [product, b.ints([outputs, some.length, inputs])]);
    return b.node("Transpose", [apart], { perm: [0, 2, 1] });
  });
  return b.node("Reshape", [joined(b, products, 2), b.ints(shape as number[])]);
}

function joined(b: ModelBuilder, names: readonly string[], axis: number): string {
  return names.length === 1 ? (names[0] as string) : b.node("Concat", names, { axis });
}

function inChunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

function spatial(x: Tensor | undefined): number[] {
  return (x?.shape.slice(2) ?? []) as number[];
}

function windowAttributes({ strides, pads, dilations }: Windows, kernel: readonly number[]) {
  const all = [...pads.map(([before]) => before), ...pads.map(([, after]) => after)];
  return { kernel_shape: kernel, strides, pads: all, dilations };
}

/** A weight [O, C / groups, ...kernel] as [C, O / groups, ...kernel], the kernel back to front. */
function flip(b: ModelBuilder, weight: string, shape: readonly number[], groups: number): string {
  const [outputs = 0, inputs = 0, ...kernel] = shape;
  // Rows and columns trade places, within each group.
  const turn = (x: string, at: number) => {
    const perm = [...Array(at).keys(), at + 1, at, ...kernel.map((_, i) => at + 2 + i)];
    return b.node("Transpose", [x], { perm });
  };
  const inGroups = () => {
    const apart = b.node("Reshape", [weight, b.ints([groups, outputs / groups, inputs, ...kernel])]);
    return b.node("Reshape", [turn(apart, 1), b.ints([inputs * groups, outputs / groups, ...kernel])]);
  };
  return turned(b, groups === 1 ? turn(weight, 0) : inGroups(), kernel);
}

/** A weight with its kernel back to front. */
function turned(b: ModelBuilder, weight: string, kernel: readonly number[]): string {
  if (kernel.every((size) => size === 1)) return weight;
  const all = (value: number) => b.ints(kernel.map(() => value));
  const axes = b.ints(kernel.map((_, i) => i + 2));
  return b.node("Slice", [weight, all(-1), all(-(2 ** 31)), axes, all(-1)]);
}

function pad(b: ModelBuilder, x: string, { pads }: Convolution): string {
  if (pads.flat().every((width) => width === 0)) return x;
  const widths = [0, 0, ...pads.map(([before]) => before), 0, 0, ...pads.map(([, after]) => after)];
  return b.node("Pad", [x, b.ints(widths)]);
}

function slice(
  b: ModelBuilder,
  x: string,
  seen: readonly { readonly start: number; readonly end: number; readonly stride: number }[],
): string {
  const list = (of: (axis: (typeof seen)[number], i: number) => number) => b.ints(seen.map(of));
  const axes = list((_, i) => i + 2);
  return b.node("Slice", [x, list(({ start }) => start), list(({ end }) => end), axes, list(({ stride }) => stride)]);
}
