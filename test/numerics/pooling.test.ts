/** The gradient of tiled maxima, which compares slices, held against the positions that the pool itself finds. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { gradients } from "../../src/graph/grad.js";
import * as ops from "../../src/graph/ops.js";
import { part, type Tensor, topologicalOrder } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { float32, type NdArray, sizeOf } from "../../src/runtime/array.js";
import { fold, normal, rootKey } from "../../src/runtime/random.js";
import { checkGradients } from "./gradcheck.js";
import { interpret } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

interface Case {
  readonly kernel: readonly number[];
  /** Of each axis, the elements that no window reaches, before they are less than a window. */
  readonly left: readonly number[];
  readonly counts: readonly number[];
  readonly batch: number;
  readonly seed: number;
}

const common = [[2, 2], [3, 3], [1, 2], [2, 1], [3, 2], [4], [1, 1]];
const caseOf = (kernel: readonly number[]) => {
  const each = (min: number, max: number) =>
    fc.array(fc.integer({ min, max }), { minLength: kernel.length, maxLength: kernel.length });
  const [left, counts] = [each(0, 3), each(1, 3)];
  const [batch, seed] = [fc.integer({ min: 1, max: 3 }), fc.nat(1000)];
  return fc.record({ kernel: fc.constant(kernel), left, counts, batch, seed });
};
const cases: fc.Arbitrary<Case> = fc.constantFrom(...common).chain(caseOf);

const sizesOf = ({ kernel, left, counts }: Case) =>
  kernel.map((size, i) => size * (counts[i] as number) + ((left[i] as number) % size));

/** The gradient of a tiled maximum over x ["batch", 2, ...sizes] by cotangent g, and what scattering to its positions gives. */
function bothOf(of: Case) {
  const sizes = sizesOf(of);
  const x = ops.input("x", ["batch", 2, ...sizes]);
  const y = ops.maxPool(x, { kernel: of.kernel, strides: of.kernel });
  const g = ops.input("g", y.shape);
  const [tiled] = gradients(ops.reduceSum(ops.mul(y, g)), [x]) as [Tensor];
  const found = ops.scatterWithin(g, part(y, 1), sizes);
  return { x, y, graph: { outputs: { tiled, found }, updates: {} } };
}

function feedsOf(of: Case) {
  const draw = (name: string, shape: readonly number[]) =>
    float32(normal(fold(rootKey(of.seed), name), sizeOf(shape)), shape);
  return { x: draw("x", [of.batch, 2, ...sizesOf(of)]), g: draw("g", [of.batch, 2, ...of.counts]) };
}

/** Of three or four values, so that most windows have several largest elements, 0 and -0 among them. */
const levels = ({ data, shape }: NdArray) =>
  float32(
    Float32Array.from(data, (value) => Math.round(Number(value) / 2)),
    shape,
  );

test("each window gives its gradient to the first of its largest elements, as the pool finds it", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (of) => {
      const { graph } = bothOf(of);
      assert.ok(!topologicalOrder([graph.outputs.tiled]).some(({ op }) => op === "scatterWithin"));
      const program = await engine.compile(graph);
      const { x, g } = feedsOf(of);
      for (const feeds of [
        { x, g },
        { x: levels(x), g },
      ]) {
        const { tiled, found } = await program.run(feeds);
        assert.deepEqual(tiled, found);
        const double = interpret(graph, feeds).outputs;
        assert.deepEqual(double.tiled, double.found);
      }
      await program.close();
    }),
    { numRuns: 60, seed: 1 },
  );
});

test("it is that of central differences, of any order", () => {
  for (const kernel of common) {
    const of = { kernel, left: kernel.map(() => 1), counts: kernel.map(() => 2), batch: 2, seed: 5 };
    const { x, y } = bothOf(of);
    const squares = (tensor: Tensor) => ops.reduceSum(ops.mul(tensor, tensor));
    const feeds = { x: feedsOf(of).x };
    checkGradients(squares(y), [x], feeds);
    checkGradients(squares(gradients(squares(y), [x])[0] as Tensor), [x], feeds);
  }
});

test("overlapping, padded, dilated and large windows are scattered to the positions of the pool", () => {
  const x = ops.input("x", ["batch", 2, 12, 12]);
  const scattered = (options: ops.PoolOptions) =>
    topologicalOrder(gradients(ops.reduceSum(ops.maxPool(x, options)), [x]) as Tensor[]).some(
      ({ op }) => op === "scatterWithin",
    );
  assert.ok(!scattered({ kernel: 2, strides: 2 }));
  assert.ok(scattered({ kernel: 3, strides: 2 }));
  assert.ok(scattered({ kernel: 2, strides: 3 }));
  assert.ok(scattered({ kernel: 2, strides: 2, pads: 1 }));
  assert.ok(scattered({ kernel: 2, strides: 2, dilations: 2 }));
  assert.ok(scattered({ kernel: 4, strides: 4 }));
});

test("NaN and infinite cotangents stay in their windows, and one element of a window with NaN has its gradient", async () => {
  const of = { kernel: [2, 2], left: [0, 0], counts: [2, 2], batch: 1, seed: 7 };
  const { graph } = bothOf(of);
  const program = await engine.compile(graph);
  const { x, g } = feedsOf(of);
  const windowAt = ({ data }: NdArray, row: number, column: number) =>
    [0, 1, 4, 5].map((at) => Number(data[8 * row + 2 * column + at]));
  const given = (at: number, value: number, { data, shape }: NdArray) =>
    float32(
      Float32Array.from(data, (old, i) => (i === at ? value : Number(old))),
      shape,
    );
  for (const at of [0, 1, 4, 5]) {
    const { tiled, found } = await program.run({ x: given(at, Number.NaN, x), g });
    const first = windowAt(tiled as NdArray, 0, 0);
    assert.deepEqual(
      first.filter((value) => value !== 0),
      [Number(g.data[0])],
    );
    for (const [row, column] of [
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const)
      assert.deepEqual(windowAt(tiled as NdArray, row, column), windowAt(found as NdArray, row, column));
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const { tiled, found } = await program.run({ x, g: given(0, value, g) });
    assert.ok(windowAt(tiled as NdArray, 0, 0).some((each) => !Number.isFinite(each)));
    assert.deepEqual(windowAt(tiled as NdArray, 1, 1), windowAt(found as NdArray, 1, 1));
  }
});
