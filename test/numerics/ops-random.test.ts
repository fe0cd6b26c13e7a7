/** Operations at random shapes: the engine against the interpreter, gradients against central differences. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { ShapeError } from "../../src/errors.js";
import * as ops from "../../src/graph/ops.js";
import { noPasses } from "../../src/graph/simplify.js";
import type { Op, Shape, Tensor } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { scalar } from "../../src/runtime/array.js";
import { checkCase } from "../suites/check-case.js";
import { anyIds, type Case, distinct, real } from "../suites/op-case.js";

/** As they are: a case may be something that a pass takes away. */
const engine = onnxRuntimeEngine({ threads: 1, passes: noPasses });
after(() => engine.close());

const NUM_RUNS = 60;

const check = (op: Op, opCase: Case) => checkCase(engine, op, opCase);

const size = fc.integer({ min: 1, max: 4 });

/** A shape of up to 3 axes, with or without "batch". */
const anyShape: fc.Arbitrary<Shape> = fc
  .tuple(fc.boolean(), fc.array(size, { maxLength: 3 }))
  .map(([hasBatch, [first, ...rest]]) => (first === undefined ? [] : [hasBatch ? "batch" : first, ...rest]));

/** Two shapes that broadcast: axes of the one are dropped from the front or set to 1, in one or the other. */
const pairOfShapes: fc.Arbitrary<[Shape, Shape]> = anyShape.chain((shape) =>
  fc
    .tuple(fc.nat({ max: shape.length }), fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }))
    .chain(([numDropped, ones]) => {
      const small = shape.map((axis, i) => (ones[i] ? 1 : axis)).slice(numDropped);
      const large = shape.map((axis, i) => (i >= numDropped && !ones[i] && i % 2 === 1 && axis !== "batch" ? 1 : axis));
      return fc.constantFrom<[Shape, Shape]>([shape, small], [small, shape], [large, small], [small, large]);
    }),
);

const name = (...parts: unknown[]) => JSON.stringify(parts);

const unaries: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  neg: ops.neg,
  exp: ops.exp,
  log: ops.log,
  sqrt: ops.sqrt,
  relu: ops.relu,
  sigmoid: ops.sigmoid,
  softplus: ops.softplus,
  abs: ops.abs,
  tanh: ops.tanh,
  erf: ops.erf,
  sin: ops.sin,
  cos: ops.cos,
  gelu: ops.gelu,
  quickGelu: (x) => ops.quickGelu(x),
  clamp: (x) => ops.clamp(x, -0.5, 1),
};

test("elementwise operations on one tensor", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(unaries)), anyShape, size, async (op, shape, numExamples) => {
      const build = unaries[op] as (x: Tensor) => Tensor;
      const isPositive = op === "log" || op === "sqrt";
      const operands = [isPositive ? real(shape, 0.5, 3) : real(shape)];
      await check(op as Op, { name: name(shape, numExamples), operands, build, numExamples });
    }),
    { numRuns: NUM_RUNS },
  );
});

const binaries: Readonly<Record<string, (x: Tensor, y: Tensor) => Tensor>> = {
  add: ops.add,
  sub: ops.sub,
  mul: ops.mul,
  div: ops.div,
  maximum: ops.maximum,
  minimum: ops.minimum,
};

test("elementwise operations on two tensors that broadcast", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(binaries)), pairOfShapes, size, async (op, [a, b], numExamples) => {
      const build = binaries[op] as (x: Tensor, y: Tensor) => Tensor;
      await check(op as Op, {
        name: name(a, b, numExamples),
        operands: [real(a), real(b, 0.5, 2)],
        build,
        numExamples,
      });
    }),
    { numRuns: NUM_RUNS },
  );
});

/** The same but for a small ramp along axes of up to 4 elements: no two are equal, whatever they were drawn to be. */
function apart(x: Tensor, axes: number[] = ops.allAxes(x)): Tensor {
  const ramps = axes.map((axis, i) => {
    const ones = ops.expand(ops.constant(scalar(2 ** -9 / 5 ** i)), x);
    return ops.cumulativeSum(ones, axis);
  });
  return ramps.reduce(ops.add, x);
}

test("reductions over any axes", async () => {
  const shapeAndAxes = anyShape.chain((shape) => fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()])));
  const reductions = {
    reduceSum: ops.reduceSum,
    reduceMean: ops.reduceMean,
    reduceMax: (x: Tensor, axes: number[], keepDims: boolean) => ops.reduceMax(apart(x), axes, keepDims),
    reduceMin: (x: Tensor, axes: number[], keepDims: boolean) => ops.reduceMin(apart(x), axes, keepDims),
  };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...(Object.keys(reductions) as (keyof typeof reductions)[])),
      shapeAndAxes,
      fc.boolean(),
      size,
      async (op, [shape, axes], keepDims, numExamples) => {
        const build = (x: Tensor) => reductions[op](x, axes, keepDims);
        await check(op, {
          name: name(shape, axes, keepDims, numExamples),
          operands: [real(shape)],
          build,
          numExamples,
        });
      },
    ),
    { numRuns: NUM_RUNS },
  );
});

test("matrix products", async () => {
  await fc.assert(
    fc.asyncProperty(size, size, size, fc.boolean(), fc.boolean(), fc.boolean(), async (m, k, n, tA, tB, isBatch) => {
      // The leading axis of the left operand is the batch: rows as it stands, inner size when it is transposed.
      const lead = (axis: number) => (isBatch ? "batch" : axis);
      const a: Shape = tA ? [lead(k), m] : [lead(m), k];
      const b: Shape = tB ? [n, k] : [isBatch && tA ? "batch" : k, n];
      fc.pre(!(isBatch && tA && tB));
      const build = (x: Tensor, y: Tensor) => ops.matmul(x, y, { transposeA: tA, transposeB: tB });
      await check("matmul", { name: name(a, b, tA, tB), operands: [real(a), real(b)], build, numExamples: tA ? k : m });
    }),
    { numRuns: NUM_RUNS },
  );
});

test("matrix products of batches that broadcast", async () => {
  const options = fc.record({
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    scale: fc.constantFrom(1, 0.125, -2),
  });
  await fc.assert(
    fc.asyncProperty(pairOfShapes, size, size, size, size, options, async ([x, y], m, k, n, numExamples, how) => {
      const a: Shape = [...x, ...(how.transposeA ? [k, m] : [m, k])];
      const b: Shape = [...y, ...(how.transposeB ? [n, k] : [k, n])];
      const build = (x: Tensor, y: Tensor) => ops.matmul(x, y, how);
      await check("matmul", { name: name(a, b, how, numExamples), operands: [real(a), real(b)], build, numExamples });
    }),
    { numRuns: NUM_RUNS },
  );
});

test("along the last axis: softmax, layer normalisation, the largest", async () => {
  await fc.assert(
    fc.asyncProperty(anyShape, fc.integer({ min: 2, max: 5 }), size, fc.nat(), async (leading, width, n, seed) => {
      const shape: Shape = [...leading, width];
      const label = { name: name(shape, n, seed), numExamples: n };
      const operands = [real(shape)];
      await check("softmax", { ...label, operands, build: ops.softmax });
      await check("logSoftmax", { ...label, operands, build: ops.logSoftmax });
      await check("topK", {
        ...label,
        operands,
        build: (x) => ops.topK(apart(x, [leading.length]), 1 + (seed % width)).values,
      });
      const classes = anyIds(leading, width);
      const at = (x: Tensor, ids: Tensor) => ops.logSoftmaxAt(x, ids).at;
      await check("logSoftmaxAt", { ...label, operands: [real(shape), classes], build: at });
      // A wide epsilon, so that two values that happen to be close make no steep slope.
      const normalised = (...[x, gain, bias]: Tensor[]) =>
        ops.layerNorm(x as Tensor, gain as Tensor, bias as Tensor, 0.1).normalised;
      await check("layerNorm", { ...label, operands: [real(shape), real([width]), real([width])], build: normalised });
    }),
    { numRuns: NUM_RUNS / 3 },
  );
});

test("along any axis: taken, added, summed up, turned round", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      size,
      fc.boolean(),
      fc.boolean(),
      async (shape, choice, length, exclusive, reverse) => {
        const axis = choice % shape.length;
        const label = name(shape, choice, length, exclusive, reverse);
        const indices = anyIds(shape.with(axis, length), shape[axis] ?? 1);
        await check("takeAlong", {
          name: label,
          operands: [real(shape), indices],
          build: (x, ids) => ops.takeAlong(x, ids, axis),
        });
        await check("addAlong", {
          name: label,
          operands: [real(shape), indices, real(shape.with(axis, length))],
          build: (x, ids, updates) => ops.addAlong(x, ids, updates, axis),
        });
        await check("cumulativeSum", {
          name: label,
          operands: [real(shape)],
          build: (x) => ops.cumulativeSum(x, axis, { exclusive, reverse }),
        });
        await check("flip", { name: label, operands: [real(shape)], build: (x) => ops.flip(x, axis) });
        await check("argMax", { name: label, operands: [real(shape)], build: (x) => ops.argMax(x, axis) });
      },
    ),
    { numRuns: NUM_RUNS / 3 },
  );
});

test("transposed, joined, cut and padded", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      fc.nat(),
      async (shape, choice, width) => {
        const axis = choice % shape.length;
        const length = shape[axis] ?? 1;
        const start = width % length;
        const order = [...shape.keys()].sort((i, j) => ((i + choice) % 3) - ((j + choice) % 3));
        const label = name(shape, choice, width);
        const operands = [real(shape)];
        await check("transpose", { name: label, operands, build: (x) => ops.transpose(x, order) });
        await check("concat", {
          name: label,
          operands: [real(shape), real(shape)],
          build: (...x) => ops.concat(x, axis),
        });
        await check("slice", { name: label, operands, build: (x) => ops.slice(x, axis, start, length) });
        await check("pad", { name: label, operands, build: (x) => ops.pad(x, axis, width % 3, choice % 2) });
      },
    ),
    { numRuns: NUM_RUNS / 3 },
  );
});

/** Windows over one or two axes that fit into the input, as plain numbers. */
const windows = fc
  .array(
    fc.record({
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 2 }),
      before: fc.integer({ min: 0, max: 3 }),
      after: fc.integer({ min: 0, max: 3 }),
      more: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((axes) => ({
    kernel: axes.map(({ kernel }) => kernel),
    sizes: axes.map(({ kernel, dilation, before, after, more }) =>
      Math.max(1, dilation * (kernel - 1) + 1 - before - after + more),
    ),
    options: {
      strides: axes.map(({ stride }) => stride),
      dilations: axes.map(({ dilation }) => dilation),
      pads: axes.map(({ before, after }) => [before, after] as const),
    },
  }));

test("convolutions, their transposes and their weight gradients", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      windows,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 2 }),
      fc.boolean(),
      async ({ kernel, sizes, options }, groups, inputs, outputs, isBatch) => {
        const numExamples = 2;
        const x: Shape = [isBatch ? "batch" : numExamples, groups * inputs, ...sizes];
        const weight: Shape = [groups * outputs, inputs, ...kernel];
        const label = name(x, weight, options);
        const all = { ...options, groups };
        const { shape: y } = ops.conv(ops.input("x", x), ops.input("w", weight), all);
        const build = (a: Tensor, w: Tensor) => ops.conv(a, w, all);
        await check("conv", { name: label, operands: [real(x), real(weight)], build, numExamples });

        const outputPadding = options.strides.map(
          (stride, i) =>
            ((sizes[i] ?? 0) +
              (options.pads[i]?.[0] ?? 0) +
              (options.pads[i]?.[1] ?? 0) -
              (options.dilations[i] ?? 1) * ((kernel[i] ?? 1) - 1) -
              1) %
            stride,
        );
        const transposed = (a: Tensor, w: Tensor) => ops.convTranspose(a, w, { ...all, outputPadding });
        assert.deepEqual(transposed(ops.input("y", y), ops.input("w", weight)).shape, x);
        await check("convTranspose", {
          name: label,
          operands: [real(y), real(weight)],
          build: transposed,
          numExamples,
        });

        const weightGrad = (a: Tensor, g: Tensor) => ops.convWeightGrad(a, g, { ...all, kernel });
        await check("convWeightGrad", { name: label, operands: [real(x), real(y)], build: weightGrad, numExamples });
        for (const stride of options.strides) seen.add(`${stride === 1 ? "dense" : "strided"}, ${groups} groups`);
        if (outputPadding.some((padding) => padding > 0)) seen.add("left over");
      },
    ),
    { numRuns: NUM_RUNS },
  );
  const kinds = [1, 2, 3].flatMap((groups) => [`dense, ${groups} groups`, `strided, ${groups} groups`]);
  assert.deepEqual([...seen].sort(), [...kinds, "left over"].sort());
});

test("pools", async () => {
  let numPools = 0;
  await fc.assert(
    fc.asyncProperty(windows, size, fc.boolean(), async ({ kernel, sizes, options }, channels, countIncludePad) => {
      const x: Shape = ["batch", channels, ...sizes];
      const label = name(x, kernel, options, countIncludePad);
      const pads = options.pads.map(
        ([before, after], i) => [before % (kernel[i] ?? 1), after % (kernel[i] ?? 1)] as const,
      );
      const dense = { strides: options.strides, pads };
      const max = (a: Tensor) => ops.maxPool(a, { ...options, pads, kernel });
      const average = (a: Tensor) => ops.averagePool(a, { ...dense, kernel, countIncludePad });
      // Some windows would not fit, or lie outside altogether, which is refused.
      for (const [op, build] of [["maxPool", max] as const, ["averagePool", average] as const]) {
        if (isRefused(() => build(ops.input("x", x)))) continue;
        numPools++;
        const operands = [op === "maxPool" ? distinct(x) : real(x)];
        await check(op, { name: label, operands, build, numExamples: 2 });
      }
    }),
    { numRuns: NUM_RUNS },
  );
  assert.ok(numPools > NUM_RUNS / 2, `${numPools} pools`);
});

test("batch normalisation", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 2, max: 4 }),
      async (rest, n) => {
        const x: Shape = ["batch", ...rest];
        const vector = [rest[0] ?? 1];
        const label = name(x, n);
        const build = (a: Tensor, gain: Tensor, bias: Tensor) => ops.batchNorm(a, { gain, bias }, 0.125);
        await check("batchNorm", {
          name: label,
          operands: [real(x), real(vector), real(vector)],
          build,
          numExamples: n,
        });
        await check("channelDots", {
          name: label,
          operands: [real(x), real(x)],
          build: ops.channelDots,
          numExamples: n,
        });
      },
    ),
    { numRuns: NUM_RUNS / 2 },
  );
});

function isRefused(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    assert.ok(error instanceof ShapeError, String(error));
    return true;
  }
}

test("the pairs of shapes that are drawn do broadcast, in both directions", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(pairOfShapes, ([a, b]) => {
      const shape = ops.broadcastShapes("add", a, b);
      seen.add(`${ops.sameShape(shape, a)} ${ops.sameShape(shape, b)}`);
    }),
    { numRuns: 500 },
  );
  assert.deepEqual([...seen].sort(), ["false false", "false true", "true false", "true true"]);
});
