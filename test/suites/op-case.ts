/** One case of an operation: what goes in, and the operation on it. The values are drawn from the name of the case. */
import { isDifferentiable } from "../../src/graph/grad.js";
import { input } from "../../src/graph/ops.js";
import type { Op, Shape, Tensor } from "../../src/graph/tensor.js";
import { type DType, float32, int32, type NdArray, sizeOf } from "../../src/runtime/array.js";
import { fold, type Key, permutation, rootKey, uniform } from "../../src/runtime/random.js";
import { sizeFor } from "../numerics/interpreter/values.js";

/** What is fed to a case: its symbolic shape, and values for a size of the batch. */
export interface Operand {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: (key: Key, numExamples: number) => NdArray;
}

export interface Case {
  /** Unique among the cases of one operation. */
  readonly name: string;
  readonly operands: readonly Operand[];
  readonly build: (...inputs: Tensor[]) => Tensor;
  /** Size of the symbolic leading axis, 3 by default. */
  readonly numExamples?: number;
  /** Operands that take no gradient although they are float32. */
  readonly held?: readonly number[];
}

/** Cases of each of some operations. */
export type Cases<O extends Op> = { readonly [P in O]: readonly Case[] };

/** A case made concrete. */
export interface BuiltCase {
  readonly output: Tensor;
  readonly inputs: readonly Tensor<"input">[];
  readonly feeds: Readonly<Record<string, NdArray>>;
  /** The inputs that a gradient can be taken by. */
  readonly wrt: readonly Tensor<"input">[];
}

/** Inputs named x0, x1, ..., the operation on them, and values for them. */
export function buildCase(op: Op, { name, operands, build, numExamples = 3, held = [] }: Case): BuiltCase {
  const inputs = operands.map(({ shape, dtype }, i) => input(`x${i}`, shape, dtype));
  const output = build(...inputs);
  if (output.op !== op) throw new Error(`the case "${name}" of ${op} builds ${output.op}`);
  const root = fold(fold(rootKey(1), op), name);
  const feeds = operands.map(({ values }, i) => [`x${i}`, values(fold(root, i), numExamples)] as const);
  const isVaried = (x: Tensor, i: number) => isDifferentiable(op) && x.dtype === "float32" && !held.includes(i);
  const flows = output.dtype === "float32";
  return { output, inputs, feeds: Object.fromEntries(feeds), wrt: flows ? inputs.filter(isVaried) : [] };
}

/** float32 values between `from` and `to`, odd multiples of 1/128: exact in every format, and never 0. */
export function real(shape: Shape, from = -2, to = 2): Operand {
  return {
    shape,
    dtype: "float32",
    values: (key, numExamples) => {
      const concrete = concreteShape(shape, numExamples);
      const draws = uniform(key, sizeOf(concrete));
      return float32(
        draws.map((draw) => (Math.floor((from + (to - from) * draw) * 64) * 2 + 1) / 128),
        concrete,
      );
    },
  };
}

/** float32 values that are all different, 1/4 apart at least, in any order. */
export function distinct(shape: Shape): Operand {
  return {
    shape,
    dtype: "float32",
    values: (key, numExamples) => {
      const concrete = concreteShape(shape, numExamples);
      const size = sizeOf(concrete);
      return float32(
        Float32Array.from(permutation(key, size), (place) => (place - size / 2) / 4 + 1 / 8),
        concrete,
      );
    },
  };
}

/** These float32 values. */
export function exactly(shape: Shape, data: readonly number[]): Operand {
  return { shape, dtype: "float32", values: (_, numExamples) => float32(data, concreteShape(shape, numExamples)) };
}

/** These int32 values. */
export function ids(shape: Shape, data: readonly number[]): Operand {
  return { shape, dtype: "int32", values: (_, numExamples) => int32(data, concreteShape(shape, numExamples)) };
}

/** int32 values from 0 to `end` (exclusive). */
export function anyIds(shape: Shape, end: number): Operand {
  return {
    shape,
    dtype: "int32",
    values: (key, numExamples) => {
      const concrete = concreteShape(shape, numExamples);
      return int32(
        Int32Array.from(uniform(key, sizeOf(concrete)), (draw) => Math.floor(draw * end)),
        concrete,
      );
    },
  };
}

/** int8 values from -64 to 64, as `quantisedMatmul` multiplies by. */
export function smallInts(shape: readonly number[]): Operand {
  return {
    shape,
    dtype: "int8",
    values: (key) => ({
      dtype: "int8",
      shape,
      data: Int8Array.from(uniform(key, sizeOf(shape)), (draw) => Math.floor(129 * draw) - 64),
    }),
  };
}

/** uint8 values from 0 to 255, as those of pixels. */
export function pixels(shape: Shape): Operand {
  return {
    shape,
    dtype: "uint8",
    values: (key, numExamples) => {
      const concrete = concreteShape(shape, numExamples);
      const data = Uint8Array.from(uniform(key, sizeOf(concrete)), (draw) => Math.floor(256 * draw));
      return { dtype: "uint8", shape: concrete, data };
    },
  };
}

/** Booleans, one in two of them true. */
export function flags(shape: Shape): Operand {
  return {
    shape,
    dtype: "bool",
    values: (key, numExamples) => {
      const concrete = concreteShape(shape, numExamples);
      return {
        dtype: "bool",
        shape: concrete,
        data: Uint8Array.from(uniform(key, sizeOf(concrete)), (u) => Number(u < 0.5)),
      };
    },
  };
}

function concreteShape(shape: Shape, numExamples: number): number[] {
  return shape.map((axis) => sizeFor(axis, numExamples));
}
