import * as ops from "../../src/graph/ops.js";
import { type Case, real } from "../op-case.js";
import { product } from "./shared.js";

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
    { name: "with itself", operands: [real([2, 2])], build: (x) => ops.matmul(x, x) },
    { name: "with itself, transposed", operands: [real([3, 2])], build: (x) => ops.matmul(x, x, { transposeB: true }) },
  ],
} satisfies { readonly [O in "matmul"]: readonly Case[] };
