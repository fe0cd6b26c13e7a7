import * as ops from "../../../src/graph/ops.js";
import type { ConvolutionOps, Shape, Tensor } from "../../../src/graph/tensor.js";
import { anyIds, type Case, type Cases, distinct, exactly, real } from "../op-case.js";

type Options = NonNullable<Parameters<typeof ops.convTranspose>[2]>;

/** Every kind of window that a convolution may have: the name, x, weight, options, and the shape of the result. */
const GEOMETRIES: readonly (readonly [name: string, x: Shape, weight: number[], options: Options, sizes: number[]])[] =
  [
    ["3x3, padded", ["batch", 2, 3, 4], [3, 2, 3, 3], { pads: 1 }, [3, 4]],
    ["1x1", ["batch", 3, 2, 2], [2, 3, 1, 1], {}, [2, 2]],
    ["stride 2, nothing left over", ["batch", 1, 3, 5], [2, 1, 3, 3], { strides: 2, pads: 1 }, [2, 3]],
    ["stride 2, some left over", ["batch", 1, 4, 4], [2, 1, 3, 3], { strides: 2, pads: 1, outputPadding: 1 }, [2, 2]],
    ["1x1, stride 2", ["batch", 2, 4, 3], [2, 2, 1, 1], { strides: 2, outputPadding: [1, 0] }, [2, 2]],
    ["dilated", ["batch", 1, 5, 4], [2, 1, 2, 2], { dilations: [2, 1], pads: 1 }, [5, 5]],
    [
      "other numbers for each axis",
      [2, 1, 5, 4],
      [1, 1, 2, 3],
      {
        strides: [2, 1],
        pads: [
          [0, 1],
          [2, 1],
        ],
        dilations: [1, 2],
      },
      [3, 3],
    ],
    ["two groups", ["batch", 4, 2, 3], [2, 2, 2, 2], { groups: 2 }, [1, 2]],
    ["depthwise", ["batch", 3, 3, 3], [3, 1, 3, 3], { groups: 3, pads: 1 }, [3, 3]],
    ["depthwise, twice as many", ["batch", 2, 3, 3], [4, 1, 2, 2], { groups: 2, strides: 2, outputPadding: 1 }, [1, 1]],
    ["pads beyond the kernel", ["batch", 1, 2, 2], [1, 1, 1, 2], { pads: 2 }, [6, 5]],
    ["one axis", ["batch", 2, 5], [2, 2, 3], { strides: 2, pads: 1 }, [3]],
    ["a window as large as the input", [2, 2, 2, 3], [1, 2, 2, 3], {}, [1, 1]],
  ];

const results = (x: Shape, weight: readonly number[], sizes: readonly number[]): Shape => [
  x[0] as number,
  weight[0] ?? 0,
  ...sizes,
];

const windowsOf = ({ outputPadding: _, ...options }: Options) => options;

const positions: Shape = ["batch", 2, 2, 2];

export const convolutionCases = {
  conv: [
    ...GEOMETRIES.map(([name, x, weight, options]) => ({
      name,
      operands: [real(x), real(weight)],
      build: (a: Tensor, w: Tensor) => ops.conv(a, w, windowsOf(options)),
      numExamples: 2,
    })),
    {
      name: "of a batch of 1",
      operands: [real(["batch", 1, 2, 2]), real([1, 1, 2, 2])],
      build: (x, w) => ops.conv(x as Tensor, w as Tensor),
      numExamples: 1,
    },
    { name: "with itself", operands: [real([2, 2, 1, 1])], build: (x) => ops.conv(x as Tensor, x as Tensor) },
  ],
  convTranspose: GEOMETRIES.map(([name, x, weight, options, sizes]) => ({
    name,
    operands: [real(results(x, weight, sizes)), real(weight)],
    build: (y: Tensor, w: Tensor) => ops.convTranspose(y, w, options),
    numExamples: 2,
  })),
  convWeightGrad: GEOMETRIES.map(([name, x, weight, options, sizes]) => ({
    name,
    operands: [real(x), real(results(x, weight, sizes))],
    build: (a: Tensor, g: Tensor) => ops.convWeightGrad(a, g, { ...windowsOf(options), kernel: weight.slice(2) }),
    numExamples: 2,
  })),
  maxPool: [
    { name: "2x2", operands: [distinct(["batch", 2, 4, 4])], build: pool({ kernel: 2, strides: 2 }) },
    { name: "overlapping", operands: [distinct(["batch", 1, 5, 4])], build: pool({ kernel: 3, strides: 2, pads: 1 }) },
    { name: "dilated", operands: [distinct([2, 1, 5, 3])], build: pool({ kernel: 2, dilations: [2, 1] }) },
    {
      name: "uneven",
      operands: [distinct([1, 2, 3, 5])],
      build: pool({
        kernel: [1, 3],
        pads: [
          [0, 0],
          [1, 0],
        ],
      }),
    },
    { name: "one axis", operands: [distinct(["batch", 2, 5])], build: pool({ kernel: 3, strides: 2 }) },
    // Not at equal values: there the function has a kink.
    { name: "all below 0", operands: [exactly([1, 1, 2, 2], [-4, -3, -2, -1])], build: pool({ kernel: 2, pads: 1 }) },
  ],
  averagePool: [
    { name: "2x2", operands: [real(["batch", 2, 4, 4])], build: average({ kernel: 2, strides: 2 }) },
    { name: "overlapping", operands: [real(["batch", 2, 4, 5])], build: average({ kernel: 3, strides: 2, pads: 1 }) },
    {
      name: "overlapping, zeros outside counted",
      operands: [real(["batch", 2, 4, 5])],
      build: average({ kernel: 3, strides: 2, pads: 1, countIncludePad: true }),
    },
    {
      name: "uneven, some left over",
      operands: [real([2, 1, 6, 3])],
      build: average({
        kernel: [2, 1],
        strides: [3, 1],
        pads: [
          [1, 0],
          [0, 0],
        ],
      }),
    },
    { name: "one axis", operands: [real(["batch", 2, 5])], build: average({ kernel: 2 }) },
  ],
  scatterWithin: [
    {
      name: "repeated positions",
      operands: [real(positions), anyIds(positions, 6)],
      build: (x, at) => ops.scatterWithin(x as Tensor, at as Tensor, [2, 3]),
    },
    {
      name: "one axis",
      operands: [real([2, 1, 4]), anyIds([2, 1, 4], 2)],
      build: (x, at) => ops.scatterWithin(x as Tensor, at as Tensor, [2]),
    },
  ],
  gatherWithin: [
    {
      name: "repeated positions",
      operands: [real(["batch", 2, 2, 3]), anyIds(positions, 6)],
      build: ops.gatherWithin,
    },
    { name: "one axis", operands: [real([2, 1, 2]), anyIds([2, 1, 4], 2)], build: ops.gatherWithin },
  ],
} satisfies Cases<keyof ConvolutionOps>;

function pool(options: ops.PoolOptions): Case["build"] {
  return (x) => ops.maxPool(x as Tensor, options);
}

function average(options: Parameters<typeof ops.averagePool>[1]): Case["build"] {
  return (x) => ops.averagePool(x as Tensor, options);
}
