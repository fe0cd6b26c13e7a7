import * as ops from "../../../src/graph/ops.js";
import type { ShapeOps } from "../../../src/graph/tensor.js";
import { batch, indices, type Misuses, matrix, needsNumbers, other, vector, wide } from "./shared.js";

export const shapesMisuses = {
  expand: [
    { call: () => ops.expand(matrix, vector), message: /^expand: \[2, 3\] does not broadcast to \[3\]/ },
    { call: () => ops.expand(vector, other), message: /^expand: shapes must broadcast, got \[3\] and \[4\]/ },
    { call: () => ops.expand(indices, batch), message: /^expand: needs float32, got int32\[batch\]/ },
  ],
  reshape: [
    {
      call: () => ops.reshape(matrix, [5]),
      message: /^reshape: \[2, 3\] and \[5\] differ in their number of elements/,
    },
    {
      call: () => ops.reshape(batch, [3]),
      message: /^reshape: \[batch, 3\] and \[3\] differ in their number of elements/,
    },
    {
      call: () => ops.reshape(batch, [3, "batch"]),
      message: /^reshape: "batch" must be the leading axis, the result would be \[3, batch\]/,
    },
  ],
  transpose: [
    { call: () => ops.transpose(matrix, [0, 0]), message: /^transpose: \[0, 0\] is no order of the axes of \[2, 3\]/ },
    { call: () => ops.transpose(matrix, [1]), message: /^transpose: \[1\] is no order of the axes of \[2, 3\]/ },
    {
      call: () => ops.transpose(batch),
      message: /^transpose: "batch" must be the leading axis, the result would be \[3, batch\]/,
    },
  ],
  concat: [
    { call: () => ops.concat([], 0), message: /^concat: needs at least one tensor/ },
    {
      call: () => ops.concat([matrix, wide], 0),
      message: /^concat: all but axis 0 must agree, got float32\[2, 3\] and float32\[2, 5\]/,
    },
    {
      call: () => ops.concat([vector, ops.input("x", [3], "int32")], 0),
      message: /^concat: all but axis 0 must agree, got float32\[3\] and int32\[3\]/,
    },
    {
      call: () => ops.concat([batch, batch], 0),
      message: /^concat: axis 0 of \[batch, 3\] must have a known size/,
    },
    { call: () => ops.concat([vector, matrix], 1), message: /^concat: \[3\] has axes 0 to 0, got axis 1/ },
  ],
  slice: [
    { call: () => ops.slice(matrix, 1, 2, 4), message: /^slice: needs 0 <= start < end <= 3, got start 2 and end 4/ },
    { call: () => ops.slice(matrix, 1, 1, 1), message: /^slice: needs 0 <= start < end <= 3, got start 1 and end 1/ },
    { call: () => ops.slice(matrix, 1, -1, 2), message: /^slice: needs 0 <= start < end <= 3, got start -1 and end 2/ },
    { call: () => ops.split(matrix, 1, [2, 2]), message: /^split: the sizes \[2, 2\] must add up to 3, got 4/ },
    { call: () => ops.stack([vector], 2), message: /^stack: the new axis must be 0 to 1, got 2/ },
    { call: () => ops.oneHot(indices, 0), message: /^oneHot: depth must be a positive whole number, got 0/ },
    { call: () => ops.slice(batch, 0, 0, 1), message: /^slice: axis 0 of \[batch, 3\] must have a known size/ },
  ],
  split: [
    { call: () => ops.split(matrix, 1, [1, 1]), message: /^split: the sizes \[1, 1\] must add up to 3, got 2/ },
    { call: () => ops.split(matrix, 1, [0, 3]), message: /^split: sizes must be positive whole numbers, got 0/ },
    { call: () => ops.split(matrix, 2, [3]), message: /^split: \[2, 3\] has axes 0 to 1, got axis 2/ },
    { call: () => ops.split(batch, 0, [1]), message: /^split: axis 0 of \[batch, 3\] must have a known size/ },
  ],
  flip: [{ call: () => ops.flip(matrix, 2), message: /^flip: \[2, 3\] has axes 0 to 1, got axis 2/ }],
  pad: [
    ...needsNumbers("pad", (x) => ops.pad(x, 0, 1, 1)),
    { call: () => ops.pad(matrix, 1, -1, 0), message: /^pad: widths must be whole and not negative, got -1 and 0/ },
    { call: () => ops.pad(matrix, 1, 0, 0.5), message: /^pad: widths must be whole and not negative, got 0 and 0\.5/ },
    { call: () => ops.pad(batch, 0, 1, 1), message: /^pad: axis 0 of \[batch, 3\] must have a known size/ },
  ],
} satisfies Misuses<keyof ShapeOps>;
