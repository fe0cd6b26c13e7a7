/** Operations at random shapes: the engine against the interpreter, gradients against central differences. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import * as ops from "../src/graph/ops.js";
import type { Graph, Op, Shape, Tensor } from "../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../src/node/onnxruntime.js";
import { assertAllClose } from "./close.js";
import { COTANGENT, checkGradients, cotangentFor, gradientGraph, tolerances, weighted } from "./gradcheck.js";
import { interpret } from "./interpreter.js";
import { buildCase, type Case, real } from "./op-case.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const NUM_RUNS = 60;
const SCALE = 0.01;

/** Everything that must hold of one case: forward and backward, in the engine and in the interpreter. */
async function check(op: Op, opCase: Case): Promise<void> {
  const { output, feeds, wrt } = buildCase(op, opCase);
  const forward: Graph = { outputs: { output }, updates: {} };
  const expected = interpret(forward, feeds).outputs;
  assertAllClose(await (await engine.compile(forward)).run(feeds), expected, tolerances.float32, op, SCALE);

  const all = { ...feeds, [COTANGENT]: cotangentFor(expected.output?.shape ?? []) };
  checkGradients(weighted(output), wrt, all);
  const backward = gradientGraph(weighted(output), wrt);
  const grads = interpret(backward, all).outputs;
  assertAllClose(await (await engine.compile(backward)).run(all), grads, tolerances.float32, `${op} backward`, SCALE);
}

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

test("reductions over any axes", async () => {
  const shapeAndAxes = anyShape.chain((shape) => fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()])));
  const reductions = { reduceSum: ops.reduceSum, reduceMean: ops.reduceMean };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("reduceSum" as const, "reduceMean" as const),
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
