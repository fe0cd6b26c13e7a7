import * as ops from "../../../src/graph/ops.js";
import type { ProductOps, Shape, Tensor } from "../../../src/graph/tensor.js";
import { type Case, type Cases, real } from "../op-case.js";
import { product } from "./shared.js";

const batched: Case[] = [
  product(["batch", 2, 3], ["batch", 3, 2], false, false),
  product(["batch", 3, 2], ["batch", 3, 4], true, false),
  product(["batch", 2, 3], ["batch", 4, 3], false, true),
  product(["batch", 3, 2], ["batch", 4, 3], true, true),
  product(["batch", 2, 3], [3, 4], false, false),
  product(["batch", 2, 3], [4, 3], false, true),
  product(["batch", 3, 2], [3, 4], true, false),
  product(["batch", 3, 2], [4, 3], true, true),
  product([2, 3], ["batch", 3, 2], false, false),
  product([3, 2], ["batch", 2, 3], true, true),
  product(["batch", 2, 2, 3], [1, 3, 2], false, false),
  product(["batch", 1, 2, 3], ["batch", 2, 3, 1], false, false),
  product([2, 1, 2, 3], [3, 3, 2], false, false),
  product([1, 2, 3], ["batch", 4, 3], false, true),
  product(["batch*2", 2, 3], ["batch*2", 3, 1], false, false),
  product(["batch", 2, 3], [3, 4], false, false, 1),
  ...[0.125, -3].flatMap((scale) => [
    scaled([2, 3], [3, 2], scale),
    scaled(["batch", 2, 3], [3, 2], scale),
    scaled(["batch", 2, 3], ["batch", 3, 2], scale),
  ]),
];

export const productsCases = {
  matmul: [
    product([2, 3], [3, 2], false, false),
    product([3, 2], [3, 2], true, false),
    product([2, 3], [2, 3], false, true),
    product([3, 2], [2, 3], true, true),
    product(["batch", 2], [2, 3], false, false),
    product(["batch", 2], [3, 2], false, true),
    product(["batch", 2], ["batch", 2], true, false),
    product(["batch", 2], [2, 1], false, false, 1),
    product([1, 1], [1, 1], false, false),
    product([1, 4], [4, 1], false, false),
    product([3, 1], [1, 2], false, false),
    ...batched,
    { name: "with itself", operands: [real([2, 2])], build: (x) => ops.matmul(x, x) },
    { name: "with itself, transposed", operands: [real([3, 2])], build: (x) => ops.matmul(x, x, { transposeB: true }) },
  ],
} satisfies Cases<keyof ProductOps>;

function scaled(a: Shape, b: Shape, scale: number): Case {
  const { name, operands } = product(a, b, false, false);
  return {
    name: `${name}, times ${scale}`,
    operands,
    build: (x, y) => ops.matmul(x as Tensor, y as Tensor, { scale }),
  };
}
