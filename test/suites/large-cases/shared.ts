/** Patterns of large cases that several operations share. */
import type { Shape, Tensor } from "../../../src/graph/tensor.js";
import { type Case, real } from "../op-case.js";

export const ROWS = 512;
export const matrix: Shape = ["batch", 256];

export const unary = (build: (x: Tensor) => Tensor, from?: number, to?: number): Case[] => [
  { name: "131,072 elements", operands: [real(matrix, from, to)], build, numExamples: ROWS },
];

export const binary = (build: (x: Tensor, y: Tensor) => Tensor): Case[] => [
  { name: "131,072 elements each", operands: [real(matrix), real(matrix, 0.5, 2)], build, numExamples: ROWS },
  { name: "a row to each of 512", operands: [real(matrix), real([256], 0.5, 2)], build, numExamples: ROWS },
];

export const reduction = (build: (x: Tensor, axes?: number[]) => Tensor): Case[] => [
  { name: "all of 131,072", operands: [real(matrix)], build: (x) => build(x as Tensor), numExamples: ROWS },
  { name: "512 rows", operands: [real(matrix)], build: (x) => build(x as Tensor, [0]), numExamples: ROWS },
  { name: "256 columns", operands: [real(matrix)], build: (x) => build(x as Tensor, [1]), numExamples: ROWS },
  { name: "a batch of 131,072", operands: [real(["batch"])], build: (x) => build(x as Tensor), numExamples: 131_072 },
];
