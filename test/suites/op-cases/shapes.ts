import * as ops from "../../../src/graph/ops.js";
import { formatShape, type ShapeOps, type Tensor } from "../../../src/graph/tensor.js";
import { type Cases, ids, real } from "../op-case.js";

export const shapesCases = {
  expand: (
    [
      [[], ["batch", 2]],
      [[], []],
      [[2], ["batch", 2]],
      [
        ["batch", 1],
        ["batch", 2],
      ],
      [
        [2, 1],
        [2, 3],
      ],
      [
        ["batch", 2],
        ["batch", 2],
      ],
    ] as const
  ).map(([from, to]) => ({
    name: `${formatShape(from)} to ${formatShape(to)}`,
    operands: [real(from), real(to)],
    build: ops.expand,
    held: [1],
  })),
  reshape: (
    [
      [[2, 3], [6]],
      [[6], [3, 1, 2]],
      [["batch", 1], ["batch"]],
      [["batch"], ["batch", 1]],
      [
        ["batch", 4],
        ["batch", 2, 2],
      ],
      [[], [1, 1]],
      [[1], []],
    ] as const
  ).map(([from, to]) => ({
    name: `${formatShape(from)} to ${formatShape(to)}`,
    operands: [real(from)],
    build: (x: Tensor) => ops.reshape(x, to),
  })),
  transpose: [
    { name: "a matrix", operands: [real([2, 3])], build: (x) => ops.transpose(x) },
    { name: "three axes in a circle", operands: [real([2, 1, 3])], build: (x) => ops.transpose(x, [1, 2, 0]) },
    { name: "behind the batch", operands: [real(["batch", 2, 3])], build: (x) => ops.transpose(x, [0, 2, 1]) },
    { name: "a vector", operands: [real(["batch"])], build: (x) => ops.transpose(x) },
    { name: "a scalar", operands: [real([])], build: (x) => ops.transpose(x) },
  ],
  concat: [
    {
      name: "axis 1 of a batch",
      operands: [real(["batch", 2]), real(["batch", 1])],
      build: (...x) => ops.concat(x, 1),
    },
    { name: "axis 0", operands: [real([1, 2]), real([3, 2]), real([1, 2])], build: (...x) => ops.concat(x, 0) },
    { name: "the last of three axes", operands: [real([2, 1, 2]), real([2, 1, 1])], build: (...x) => ops.concat(x, 2) },
    { name: "one tensor", operands: [real(["batch", 2])], build: (...x) => ops.concat(x, 1) },
    { name: "a tensor twice", operands: [real(["batch", 2])], build: (x) => ops.concat([x, x], 1) },
    { name: "int32", operands: [ids([2], [1, 2]), ids([1], [3])], build: (...x) => ops.concat(x, 0) },
  ],
  slice: [
    { name: "from the start", operands: [real(["batch", 4])], build: (x) => ops.slice(x, 1, 0, 2) },
    { name: "to the end", operands: [real(["batch", 4])], build: (x) => ops.slice(x, 1, 3, 4) },
    { name: "the middle of axis 0", operands: [real([4, 2])], build: (x) => ops.slice(x, 0, 1, 3) },
    { name: "everything", operands: [real([2, 2])], build: (x) => ops.slice(x, 1, 0, 2) },
    { name: "int32", operands: [ids([3], [7, 8, 9])], build: (x) => ops.slice(x, 0, 1, 3) },
  ],
  split: [
    {
      name: "the first of three",
      operands: [real(["batch", 4])],
      build: (x) => ops.split(x, 1, [1, 2, 1])[0] as Tensor,
    },
    { name: "along axis 0", operands: [real([3, 2])], build: (x) => ops.split(x, 0, [2, 1])[0] as Tensor },
    { name: "the whole", operands: [real([2, 2])], build: (x) => ops.split(x, 1, [2])[0] as Tensor },
    { name: "int32", operands: [ids([3], [7, 8, 9])], build: (x) => ops.split(x, 0, [1, 2])[0] as Tensor },
  ],
  flip: [
    { name: "the last axis", operands: [real(["batch", 3])], build: (x) => ops.flip(x, 1) },
    { name: "the batch", operands: [real(["batch", 2])], build: (x) => ops.flip(x, 0) },
    { name: "the middle of three axes", operands: [real([2, 3, 2])], build: (x) => ops.flip(x, 1) },
    { name: "one element", operands: [real([1])], build: (x) => ops.flip(x, 0) },
    { name: "int32", operands: [ids([3], [7, 8, 9])], build: (x) => ops.flip(x, 0) },
  ],
  pad: [
    { name: "before", operands: [real(["batch", 2])], build: (x) => ops.pad(x, 1, 2, 0) },
    { name: "after", operands: [real(["batch", 2])], build: (x) => ops.pad(x, 1, 0, 1) },
    { name: "both sides of axis 0", operands: [real([2, 2])], build: (x) => ops.pad(x, 0, 1, 1) },
    { name: "by nothing", operands: [real([2])], build: (x) => ops.pad(x, 0, 0, 0) },
  ],
} satisfies Cases<keyof ShapeOps>;
