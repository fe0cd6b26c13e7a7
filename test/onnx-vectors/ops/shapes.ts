import * as ops from "../../../src/graph/ops.js";
import { broadcastShapes } from "../../../src/graph/ops.js";
import type { Tensor } from "../../../src/graph/tensor.js";
import { sizeOf } from "../../../src/runtime/array.js";
import { axisOf, fromFirst, numbersAt, sizes, type Translations } from "../call.js";
import { notOurs } from "../values.js";
import { float } from "./elementwise.js";

export const shapesTranslations: Translations = {
  Identity: (call) => call.tensor(0),
  Expand: (call) => {
    const x = float(call, 0);
    const target = broadcastShapes("Expand", x.shape, numbersAt(call, 1) ?? []) as number[];
    return ops.expand(x, ops.constant({ dtype: "float32", shape: target, data: new Float32Array(sizeOf(target)) }));
  },
  Reshape: (call) => {
    const x = call.tensor(0);
    const isZeroKept = call.int("allowzero", 0) !== 0;
    const asked = (numbersAt(call, 1) ?? []).map((size, axis) =>
      size === 0 && !isZeroKept ? (x.shape[axis] as number) : size,
    );
    const known = sizeOf(asked.filter((size) => size !== -1));
    const shape = asked.map((size) => (size === -1 ? sizeOf(sizes(x)) / known : size));
    return isEmpty(shape) ? notOurs("a tensor without elements") : ops.reshape(x, shape);
  },
  Squeeze: (call) => {
    const x = call.tensor(0);
    const axes = fromFirst(numbersAt(call, 1, "axes") ?? ops.allAxes(x).filter((i) => x.shape[i] === 1), rank(x));
    return ops.reshape(
      x,
      x.shape.filter((_, i) => !axes.includes(i)),
    );
  },
  Unsqueeze: (call) => {
    const x = call.tensor(0);
    const listed = numbersAt(call, 1, "axes") ?? [];
    const axes = fromFirst(listed, rank(x) + listed.length);
    const rest = sizes(x)[Symbol.iterator]();
    const shape = Array.from({ length: rank(x) + axes.length }, (_, i) =>
      axes.includes(i) ? 1 : (rest.next().value as number),
    );
    return ops.reshape(x, shape);
  },
  Transpose: (call) => ops.transpose(call.tensor(0), [...(call.ints("perm") ?? ops.allAxes(call.tensor(0)).reverse())]),
  Concat: (call) => {
    const tensors = Array.from({ length: call.numInputs }, (_, i) => call.tensor(i));
    return ops.concat(tensors, axisOf(call, rank(tensors[0] as Tensor), 0));
  },
  Split: (call) => {
    const x = call.tensor(0);
    const axis = axisOf(call, rank(x), 0);
    const numParts = call.node.output.length;
    const equal = Array.from({ length: numParts }, () => (x.shape[axis] as number) / numParts);
    const parts = numbersAt(call, 1, "split") ?? equal;
    return parts.includes(0) ? notOurs("a part without elements") : ops.split(x, axis, parts);
  },
  Slice: (call) => {
    const x = call.tensor(0);
    const starts = numbersAt(call, 1, "starts") ?? [];
    const ends = numbersAt(call, 2, "ends") ?? [];
    const axes = fromFirst(numbersAt(call, 3, "axes") ?? starts.map((_, i) => i), rank(x));
    const steps = numbersAt(call, 4) ?? starts.map(() => 1);
    return axes.reduce((sliced, axis, i) => sliceAlong(sliced, axis, starts[i] ?? 0, ends[i] ?? 0, steps[i] ?? 1), x);
  },
  Pad: (call) => {
    const mode = call.text("mode", "constant");
    if (mode !== "constant") return notOurs(`mode ${mode}; ours pads with zeros`);
    const widths = numbersAt(call, 1, "pads") ?? [];
    const value = numbersAt(call, 2)?.[0] ?? 0;
    // Ours pads with zeros, so everything else is moved to where the value is 0, and back.
    const x = float(call, 0);
    const padded = ops
      .allAxes(x)
      .reduce(
        (y, axis) => ops.pad(y, axis, widths[axis] ?? 0, widths[axis + rank(x)] ?? 0),
        value === 0 ? x : ops.sub(x, value),
      );
    return value === 0 ? padded : ops.add(padded, value);
  },
  Shape: (call) => {
    const { length } = call.array(0).shape;
    const x = call.batched(0);
    const within = (position: number) => Math.min(Math.max(fromFirst([position], length)[0] as number, 0), length);
    const axes = ops.allAxes(x).slice(within(call.int("start", 0)), within(call.int("end", length)));
    if (axes.length === 0) return notOurs("a tensor without elements");
    return ops.cast(
      ops.stack(
        axes.map((axis) => ops.countAlong(x, [axis])),
        0,
      ),
      "int32",
    );
  },
  Size: (call) => ops.cast(ops.countAlong(call.batched(0)), "int32"),
  ConstantOfShape: () => notOurs("the shape is a tensor; ours emits it within scatterAdd, for a shape that is known"),
  Range: () => notOurs("the number of elements is a tensor; ours emits it within randomUniform, from 0 by 1"),
};

export function rank({ shape }: Tensor): number {
  return shape.length;
}

/** A tensor with one axis put last, and the way back. */
export function withLast(x: Tensor, axis: number, f: (moved: Tensor) => Tensor): Tensor {
  const order = [...ops.allAxes(x).filter((i) => i !== axis), axis];
  const back = ops.allAxes(x).map((i) => order.indexOf(i));
  return axis === rank(x) - 1 ? f(x) : ops.transpose(f(ops.transpose(x, order)), back);
}

function isEmpty(shape: readonly number[]): boolean {
  return sizeOf(shape) === 0;
}

function sliceAlong(x: Tensor, axis: number, start: number, end: number, step: number): Tensor {
  if (Math.abs(step) !== 1) return notOurs(`steps of ${step}; ours takes each element, in either direction`);
  const size = x.shape[axis] as number;
  const kept = (position: number, least: number, most: number) =>
    Math.min(Math.max(position < 0 ? position + size : position, least), most);
  const [from, to] =
    step > 0
      ? [kept(start, 0, size), kept(end, 0, size)]
      : [kept(end, -1, size - 1) + 1, kept(start, -1, size - 1) + 1];
  if (from >= to) return notOurs("a tensor without elements");
  const sliced = ops.slice(x, axis, from, to);
  return step > 0 ? sliced : ops.flip(sliced, axis);
}
