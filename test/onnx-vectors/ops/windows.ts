import { along, type Windows } from "../../../src/graph/geometry.js";
import * as ops from "../../../src/graph/ops.js";
import { part, type Tensor } from "../../../src/graph/tensor.js";
import { type Call, sizes, type Translations } from "../call.js";
import { notOurs } from "../values.js";
import { float } from "./elementwise.js";

export const windowsTranslations: Translations = {
  Conv: (call) => {
    const [x, weight] = [images(call), float(call, 1)];
    const kernel = sizes(weight).slice(2);
    const groups = call.int("group", 1);
    return biased(call, ops.conv(x, weight, { ...windowsOf(call, sizes(x).slice(2), kernel), groups }));
  },
  ConvTranspose: (call) => {
    const [x, weight] = [images(call), float(call, 1)];
    const kernel = sizes(weight).slice(2);
    const options = { ...coverOf(call, sizes(x).slice(2), kernel), groups: call.int("group", 1) };
    return biased(call, ops.convTranspose(x, weight, options));
  },
  MaxPool: (call) => {
    const x = images(call);
    if (call.node.output.length > 1 && x.shape.slice(0, 2).some((size) => size !== 1)) {
      return notOurs("positions over several planes; ours count within each");
    }
    const kernel = kernelOf(call);
    const windows = windowsOf(call, sizes(x).slice(2), kernel);
    if (call.int("storage_order", 0) === 0) return positioned(ops.maxPool(x, { kernel, ...windows }));
    // Positions column by column are those row by row of the transpose.
    const [strides, pads, dilations] = [windows.strides, windows.pads, windows.dilations].map((list) =>
      [...list].reverse(),
    ) as [number[], Windows["pads"], number[]];
    const turned = ops.maxPool(turn(x), { kernel: [...kernel].reverse(), strides, pads, dilations });
    return positioned(turned).map(turn);
  },
  AveragePool: (call) => {
    const x = images(call);
    const countIncludePad = call.int("count_include_pad", 0) !== 0;
    if (countIncludePad && call.int("ceil_mode", 0) !== 0) return notOurs("padding that counts but for what ceil adds");
    const { strides, pads } = windowsOf(call, sizes(x).slice(2), kernelOf(call));
    return ops.averagePool(x, { kernel: kernelOf(call), strides, pads, countIncludePad });
  },
  GlobalAveragePool: (call) => spread(ops.globalAveragePool(images(call)), images(call)),
  GlobalMaxPool: (call) => spread(ops.globalMaxPool(images(call)), images(call)),
};

/** [batch, channels, and 1 or 2 spatial axes]. */
function images(call: Call): Tensor {
  const x = float(call, 0);
  return x.shape.length > 4 ? notOurs(`${x.shape.length - 2} spatial axes; ours has 1 or 2`) : x;
}

function kernelOf(call: Call): readonly number[] {
  return call.ints("kernel_shape") ?? [];
}

function biased(call: Call, y: Tensor): Tensor {
  return call.has(2) ? ops.add(y, ops.perChannel(float(call, 2), y)) : y;
}

function positioned(values: Tensor): Tensor[] {
  return [values, part(values, 1)];
}

function turn(x: Tensor): Tensor {
  return ops.transpose(x, [0, 1, 3, 2]);
}

function spread(y: Tensor, x: Tensor): Tensor {
  return ops.reshape(y, [...y.shape, ...x.shape.slice(2).map(() => 1)]);
}

/** What the attributes say with names and modes, as numbers. */
function windowsOf(call: Call, input: readonly number[], kernel: readonly number[]): Windows {
  const plain = plainWindows(call, kernel);
  const padded = along(plain, kernel).map(({ stride, span, before, after }, i): readonly [number, number] => {
    const size = input[i] ?? 0;
    return samePads(call, (Math.ceil(size / stride) - 1) * stride + span - size) ?? [before, after];
  });
  if (call.int("ceil_mode", 0) === 0) return { ...plain, pads: padded };
  // A last window that only begins within the input: what it lacks is padded.
  const pads = along({ ...plain, pads: padded }, kernel).map(
    ({ stride, span, before, after }, i): readonly [number, number] => {
      const whole = (input[i] ?? 0) + before + after;
      return [before, after + Math.ceil((whole - span) / stride) * stride + span - whole];
    },
  );
  return { ...plain, pads };
}

/** The windows and the output padding of a transposed convolution. */
function coverOf(call: Call, input: readonly number[], kernel: readonly number[]) {
  const plain = plainWindows(call, kernel);
  const given = call.ints("output_padding") ?? kernel.map(() => 0);
  const asked = call.ints("output_shape");
  const axes = along(plain, kernel).map(({ stride, span, before, after }, i) => {
    const size = input[i] ?? 0;
    const extra = given[i] ?? 0;
    const covered = stride * (size - 1) + span + extra;
    const target = asked?.slice(-input.length)[i] ?? size * stride;
    const pads = asked ? splitPads(covered - target, false) : samePads(call, covered - target);
    return { pads: pads ?? ([before, after] as const), extra: asked ? extra + Math.max(target - covered, 0) : extra };
  });
  return { ...plain, pads: axes.map(({ pads }) => pads), outputPadding: axes.map(({ extra }) => extra) };
}

function plainWindows(call: Call, kernel: readonly number[]): Windows {
  const each = (name: string) => call.ints(name) ?? kernel.map(() => 1);
  const pads = call.ints("pads") ?? kernel.flatMap(() => [0, 0]);
  return {
    strides: each("strides"),
    dilations: each("dilations"),
    pads: kernel.map((_, i) => [pads[i] ?? 0, pads[i + kernel.length] ?? 0]),
  };
}

/** So many pads in all, where the call asks for pads that keep sizes; undefined where it does not. */
function samePads(call: Call, total: number): readonly [number, number] | undefined {
  const mode = call.text("auto_pad", "NOTSET");
  if (mode === "SAME_UPPER" || mode === "SAME_LOWER") return splitPads(total, mode === "SAME_UPPER");
  return mode === "VALID" ? [0, 0] : undefined;
}

function splitPads(total: number, isMoreAfter: boolean): readonly [number, number] {
  const least = Math.floor(Math.max(total, 0) / 2);
  const most = Math.max(total, 0) - least;
  return isMoreAfter ? [least, most] : [most, least];
}
