/**
 * Passes over random graphs of small whole numbers: every pass must leave every bit as it is.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { gradients } from "../../src/graph/grad.js";
import type { Graph } from "../../src/graph/graph.js";
import { toOnnx } from "../../src/graph/onnx.js";
import * as ops from "../../src/graph/ops.js";
import { noPasses, passNames, simplify } from "../../src/graph/simplify.js";
import { type Tensor, topologicalOrder } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { float32, type NamedArrays, scalar } from "../../src/runtime/array.js";
import { assertAgree, numOperations } from "../suites/pass-agreement.js";

const engine = onnxRuntimeEngine({ threads: 1, passes: noPasses });
after(() => engine.close());

const NUM_RUNS = 100;

/** One more tensor, made of those that are there: an operation and what it picks its operands and sizes by. */
type Step = readonly [op: number, first: number, second: number, choice: number];

const steps: fc.Arbitrary<readonly Step[]> = fc.array(fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99)), {
  minLength: 4,
  maxLength: 16,
});

const inputs = [ops.input("x", [2, 4]), ops.input("y", [4, 2]), ops.input("z", ["batch", 4]), ops.input("s", [])];
const feeds: NamedArrays = {
  x: float32([1, -2, 3, 0, -1, 2, 0, 1], [2, 4]),
  y: float32([2, 0, -1, 1, 3, -3, 1, 2], [4, 2]),
  z: float32([0, 1, -1, 2, 3, -2, 1, 0, 2, 2, -3, 1], [3, 4]),
  s: scalar(2),
};

const known = ({ shape }: Tensor, axis: number): number | undefined => {
  const size = shape[axis];
  return typeof size === "number" ? size : undefined;
};
const small = (x: Tensor) => ops.clamp(x, -4, 4);
const isMatrix = ({ shape }: Tensor) => shape.length === 2;

/** Elementwise, where shapes broadcast; another operand otherwise. */
const together = (f: (x: Tensor, y: Tensor | number) => Tensor) => (x: Tensor, y: Tensor, choice: number) => {
  const areAlike = ops.sameShape(x.shape, y.shape) || y.shape.length === 0;
  return f(x, areAlike ? y : (([0, 1, -1, -0, 2] as const)[choice % 5] ?? 0));
};

/** What a step may do. What does not fit is left out. */
const makers: readonly ((x: Tensor, y: Tensor, choice: number) => Tensor | readonly Tensor[] | undefined)[] = [
  together(ops.add),
  together(ops.sub),
  together((x, y) => small(ops.mul(x, y))),
  (x) => ops.neg(x),
  (x) => ops.relu(x),
  (x) => ops.stopGradient(x),
  (x) => ops.abs(x),
  (x, _, choice) => ops.mul(x, [1, -1, 2, 0][choice % 4] ?? 1),
  (x, _, choice) => ops.add(x, [0, -0, 1, -1][choice % 4] ?? 0),
  (x, _, choice) => ops.div(x, [1, -1, 2][choice % 3] ?? 1),
  (x, y, choice) => ops.expand([0, 1, ops.input("s", [])][choice % 2] ?? 0, choice % 3 ? x : y),
  (x) => (isMatrix(x) && known(x, 0) ? ops.transpose(x) : undefined),
  (x, y, choice) => {
    if (!isMatrix(x) || !isMatrix(y) || !known(x, 0) || !known(y, 0)) return undefined;
    const options = { transposeA: choice % 2 > 0, transposeB: choice % 4 > 1, scale: [1, 2, -1][choice % 3] ?? 1 };
    const inner = options.transposeA ? x.shape[0] : x.shape[1];
    return inner === y.shape[options.transposeB ? 1 : 0] ? small(ops.matmul(x, y, options)) : undefined;
  },
  (x, _, choice) => {
    const axis = x.shape.length - 1;
    const size = known(x, axis) ?? 0;
    return size > 1 ? ops.slice(x, axis, choice % 2, size - ((choice >> 1) % 2 && size > 2 ? 1 : 0)) : undefined;
  },
  (x, _, choice) =>
    x.shape.length > 0 && known(x, x.shape.length - 1)
      ? ops.pad(x, x.shape.length - 1, choice % 2, (choice >> 1) % 2)
      : undefined,
  (x, y, choice) => {
    const axis = x.shape.length - 1;
    const fits = axis >= 0 && known(x, axis) && ops.sameShape(x.shape.slice(0, -1), y.shape.slice(0, -1));
    const parts = fits && known(y, axis) ? [x, y] : [x];
    return axis >= 0 && known(x, axis) ? ops.concat(choice % 5 === 0 ? [...parts, x] : parts, axis) : undefined;
  },
  (x) => {
    const axis = x.shape.length - 1;
    const size = known(x, axis) ?? 0;
    return size > 1 ? ops.split(x, axis, [1, size - 1]) : undefined;
  },
  (x, _, choice) => (x.shape.length > 0 ? ops.flip(x, choice % x.shape.length) : undefined),
  (x) => ops.reshape(x, [x.shape[0] ?? 1, 1, ...x.shape.slice(1)]),
  (x) =>
    isMatrix(x)
      ? undefined
      : x.shape.length === 3 && x.shape[1] === 1
        ? ops.reshape(x, x.shape.toSpliced(1, 1))
        : undefined,
  (x, y) => (ops.sameShape(x.shape, y.shape) ? ops.where(ops.not(ops.greater(x, 0)), y, x) : undefined),
  (x) => ops.cast(ops.greater(x, 0), "float32"),
  (x, _, choice) => ops.reduceSum(x, choice % 2 ? [...x.shape.keys()].slice(1) : []),
  (x, _, choice) =>
    isMatrix(x) && known(x, 0) ? small(ops.mul(ops.matmul(ops.transpose(x), x), 1 + (choice % 2))) : undefined,
  (x, _, choice) => {
    const axis = x.shape.length - 1;
    const size = known(x, axis) ?? 0;
    if (size < 2) return undefined;
    // Back in their places, and now and then twice.
    const [first, second] = [ops.slice(x, axis, 0, 1), ops.slice(x, axis, 1, size)];
    const terms = [
      ops.pad(first, axis, 0, size - 1),
      ops.pad(ops.neg(second), axis, 1, 0),
      x,
      ops.pad(second, axis, 1, 0),
    ];
    return terms.slice(choice % 2, 2 + (choice % 3)).reduce(ops.add);
  },
  loop,
];

/** A loop over rows, some of whose states and outputs nothing may read. */
function loop(x: Tensor, y: Tensor, choice: number): readonly Tensor[] | undefined {
  if (!isMatrix(x) || !isMatrix(y) || !known(x, 0) || !known(y, 0) || x.shape[1] !== y.shape[1]) return undefined;
  const start = ops.reduceSum(x, [0], true);
  const square = ops.matmul(y, y, { transposeA: true });
  const row = (tensor: Tensor) => ops.reshape(tensor, [1, ...tensor.shape]);
  const { states, outputs } = ops.scan({
    states: [start, ops.mul(start, 2)],
    sequences: [x, ops.neg(x)],
    reverse: choice % 2 > 0,
    body: ([a, b], [first, second]) => {
      const next = small(ops.add(ops.matmul(a as Tensor, ops.transpose(small(square))), row(first as Tensor)));
      const other = small(ops.sub(b as Tensor, row(second as Tensor)));
      return { states: [next, other], outputs: [ops.add(next, 0), ops.mul(next, other), first as Tensor] };
    },
  });
  return [...states, ...outputs.map((output) => ops.reshape(output, [x.shape[0] ?? 1, x.shape[1] ?? 1]))].slice(
    choice % 3,
  );
}

/** What the steps make, the gradient of the last of it, and an update of `x` under a condition. */
function graphOf(recipe: readonly Step[], isGuarded: boolean): Graph {
  const made: Tensor[] = [...inputs];
  for (const [op, first, second, choice] of recipe) {
    const pick = (at: number) => made[made.length - 1 - (at % made.length)] as Tensor;
    const result = makers[op % makers.length]?.(pick(first), pick(second), choice);
    if (result) made.push(...[result].flat());
  }
  const last = made.slice(-3);
  const loss = last.map((x) => ops.reduceSum(ops.mul(small(x), x))).reduce(ops.add);
  const read = new Set(topologicalOrder([loss]));
  // Where something ends the gradient, there may be none to take.
  const flowing = inputs.filter((x) => read.has(x) && hasGradient(loss, x));
  const grads = flowing.length > 0 ? gradients(loss, flowing) : [];
  const outputs = Object.fromEntries([...last, loss, ...grads].map((tensor, i) => [`out${i}`, tensor]));
  const x = inputs[0] as Tensor;
  const step = ops.sub(x, grads.find(({ shape }) => ops.sameShape(shape, x.shape)) ?? 1);
  return { outputs, updates: { x: step }, ...(isGuarded && { when: ops.greater(loss, -1) }) };
}

function hasGradient(loss: Tensor, x: Tensor): boolean {
  try {
    return gradients(loss, [x]).length > 0;
  } catch {
    return false;
  }
}

test("whatever the graph is, its numbers stay", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), fc.constantFrom(...passNames), async (recipe, isGuarded, pass) => {
      const graph = graphOf(recipe, isGuarded);
      const run = async (some: Graph) => {
        await engine.write({ x: feeds.x as NamedArrays[string] });
        const outputs = await (await engine.compile(some)).run(withoutX);
        return { ...outputs, ...(await engine.read(["x"])) };
      };
      const expected = await run(graph);
      for (const passes of [{}, { ...noPasses, [pass]: true }]) {
        const simple = simplify(graph, passes);
        if (simple === graph) continue;
        assert.ok(numOperations(simple) <= numOperations(graph));
        assert.equal(simplify(simple, passes), simple);
        assert.deepEqual(toOnnx(simplify(graphOf(recipe, isGuarded), passes)), toOnnx(simple));
        assertAgree(await run(simple), expected, JSON.stringify(passes));
      }
    }),
    { numRuns: NUM_RUNS, examples: [[alike, false, "common"]] },
  );
});

const { x: _, ...withoutX } = feeds;

/** x is negated twice and updated in place; the second of the two must not come after the update. */
const alike: readonly Step[] = [
  [29, 35, 0, 0],
  [0, 0, 0, 0],
  [11, 32, 0, 0],
  [3, 83, 0, 0],
  [45, 0, 0, 0],
];

test("such graphs have operations of every kind, and something to do for every pass", () => {
  const graphs = fc.sample(steps, { numRuns: 400, seed: 1 }).map((recipe) => graphOf(recipe, false));
  const found = new Set(graphs.flatMap(({ outputs }) => topologicalOrder(Object.values(outputs)).map(({ op }) => op)));
  for (const op of ["scan", "matmul", "transpose", "pad", "concat", "split", "flip", "where", "expand"] as const)
    assert.ok(found.has(op), op);
  for (const pass of passNames)
    assert.ok(
      graphs.some((graph) => simplify(graph, { ...noPasses, [pass]: true }) !== graph),
      pass,
    );
});
