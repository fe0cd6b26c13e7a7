import * as ops from "../../../src/graph/ops.js";
import type { Tensor } from "../../../src/graph/tensor.js";
import { int32 } from "../../../src/runtime/array.js";
import { axisOf, numbersAt, type Translations } from "../call.js";
import { notOurs } from "../values.js";
import { float } from "./elementwise.js";
import { rank } from "./shapes.js";

export const rowsTranslations: Translations = {
  Gather: (call) => {
    const [x, indices] = [float(call, 0), call.tensor(1)];
    const axis = axisOf(call, rank(x), 0);
    const from = fromStart(indices, x.shape[axis] as number, hasNegative(call.array(1)));
    const others = ops.allAxes(x).filter((i) => i !== axis);
    const gathered = ops.gather(axis === 0 ? x : ops.transpose(x, [axis, ...others]), from);
    if (axis === 0) return gathered;
    const places = ops.allAxes(indices);
    const rest = ops.allAxes(gathered).slice(places.length);
    return ops.transpose(gathered, [...rest.slice(0, axis), ...places, ...rest.slice(axis)]);
  },
  GatherElements: (call) => {
    const x = float(call, 0);
    const axis = axisOf(call, rank(x), 0);
    return ops.takeAlong(x, fromStart(call.tensor(1), x.shape[axis] as number, hasNegative(call.array(1))), axis);
  },
  ScatterElements: (call) => {
    const [x, updates] = [float(call, 0), float(call, 2)];
    const axis = axisOf(call, rank(x), 0);
    const at = fromStart(call.tensor(1), x.shape[axis] as number, hasNegative(call.array(1)));
    const reduction = call.text("reduction", "none");
    if (reduction === "add") return ops.addAlong(x, at, updates, axis);
    if (reduction !== "none") return notOurs(`reduction ${reduction}; ours adds`);
    // Ours adds, so the difference is added: each position is written once.
    return ops.addAlong(x, at, ops.sub(updates, ops.takeAlong(x, at, axis)), axis);
  },
  ScatterND: (call) => {
    const indices = call.tensor(1);
    const [depth, reduction] = [indices.shape.at(-1), call.text("reduction", "none")];
    if (depth !== 1) return notOurs("indices of more than one axis; ours are of rows");
    if (reduction !== "none") return notOurs(`reduction ${reduction}; ours sets`);
    return ops.setRows(float(call, 0), ops.reshape(indices, indices.shape.slice(0, -1)), float(call, 2));
  },
  OneHot: (call) => {
    const [off = 0, on = 0] = numbersAt(call, 2) ?? [];
    if (call.array(2).dtype !== "float32") return notOurs("values that are not float32");
    const indices = call.tensor(0);
    const [depth = 0] = numbersAt(call, 1) ?? [];
    const whole = indices.dtype === "int32" ? indices : ops.cast(indices, "int32");
    const hot = ops.oneHot(fromStart(whole, depth, hasNegative(call.array(0))), depth);
    const axis = axisOf(call, rank(hot), -1);
    const last = rank(hot) - 1;
    const order = ops.allAxes(indices).toSpliced(axis, 0, last);
    return ops.add(ops.mul(axis === last ? hot : ops.transpose(hot, order), on - off), off);
  },
  Unique: () => notOurs("how many values differ is no shape of ours; it is emitted within firstEqual"),
  Mod: () => notOurs("no operation of ours takes a remainder; it is emitted within maxPool, for positions"),
  BitShift: () => notOurs("unsigned words are no dtype of ours; it is emitted within randomUniform"),
};

/** Positions that ONNX lets count from the end, counted from the start as ours are. */
function fromStart(indices: Tensor, size: number, isAsked: boolean): Tensor {
  if (!isAsked) return indices;
  const moved = ops.cast(ops.add(ops.cast(indices, "float32"), size), "int32");
  return ops.where(ops.less(indices, ops.constant(int32([0], []))), moved, indices);
}

function hasNegative({ data }: { readonly data: ArrayLike<unknown> }): boolean {
  return Array.from(data).some((value) => (value as number) < 0);
}
