import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { assertAllClose, assertClose } from "../../test/fixtures/close.js";
import { descent, memoryOf, scalarsAt } from "../../test/fixtures/descent.js";
import { readGolden, resultOf } from "../../test/golden/golden.js";
import { clips, prescribed, type Samples } from "../../test/golden/optim.js";
import { interpret, type Numbers, type Values } from "../../test/numerics/interpreter.js";
import { rootsOf } from "../graph/graph.js";
import { input, mul } from "../graph/ops.js";
import { type Tensor, type Tensors, topologicalOrder } from "../graph/tensor.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32, scalar } from "../runtime/array.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import { scale } from "./arithmetic.js";
import { clipByGlobalNorm, clipByRms, clipByValue } from "./clip.js";
import { addDecay, scaleByLarsRatio, scaleByParamRms, scaleByTrustRatio } from "./decay.js";
import { addMomentum, scaleByAdam, scaleByRms } from "./moments.js";
import { constantSchedule, linearSchedule } from "./schedules.js";
import {
  chain,
  type GradientTransformation,
  scaleByLearningRate,
  scaleByPattern,
  scaleBySchedule,
} from "./transformations.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

type Vectors = Readonly<Record<string, readonly number[]>>;

/** The updates that a part without state makes of gradients, at a step. */
function updatesOf(
  part: GradientTransformation,
  grads: Vectors,
  params: Vectors = grads,
  step = 0,
): Record<string, Numbers> {
  const values = (of: Vectors) => mapValues(of, (data): Values => ({ shape: [data.length], data }));
  const inputs = (prefix: string): Tensors =>
    mapValues(grads, (data, name) => input(`${prefix}.${name}`, [data.length]));
  const scalars = mapValues(part.scalars, (_, name) => input(name, []));
  const { updates } = part.update({ updates: inputs("grads"), params: inputs("params"), optState: {}, scalars });
  return interpret(
    { outputs: updates, updates: {} },
    {
      ...withPrefix("grads", values(grads)),
      ...withPrefix("params", values(params)),
      ...scalarsAt(part.scalars, step),
    },
  ).outputs;
}

const vector = (data: readonly number[]): Values => ({ shape: [data.length], data });
const normOf = (all: Readonly<Record<string, Values>>) =>
  Math.sqrt(
    Object.values(all).reduce((sum, { data }) => sum + Array.from(data, Number).reduce((s, x) => s + x * x, 0), 0),
  );

const finite = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const gradients = fc.record({
  a: fc.array(finite, { minLength: 1, maxLength: 5 }),
  "b.bias": fc.array(finite, { minLength: 1, maxLength: 5 }),
});
const bound = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

describe("clipping", () => {
  const golden = readGolden<Samples>("optim");
  const grads = mapValues(prescribed.shapes, (_, name) => prescribed.grads(0, name));
  const cases = {
    ...Object.fromEntries(clips.norm.map((norm) => [`clip norm ${norm}`, clipByGlobalNorm(norm)])),
    ...Object.fromEntries(clips.value.map((value) => [`clip value ${value}`, clipByValue(value)])),
  };
  for (const [name, part] of Object.entries(cases)) {
    test(`${name} is that of torch.nn.utils`, () => {
      const expected = mapValues(resultOf(golden, name)[0] ?? {}, vector);
      // The 1e-6 beside the norm is a float32 constant of the graph.
      assertAllClose(updatesOf(part, grads), expected, 1e-9, name);
    });
  }

  test("never raises a norm, ends within the bound, and keeps the direction", () => {
    fc.assert(
      fc.property(gradients, bound, (grads, maxNorm) => {
        const clipped = updatesOf(clipByGlobalNorm(maxNorm), grads);
        const before = normOf(mapValues(grads, vector));
        assert.ok(normOf(clipped) <= Math.min(before, maxNorm) * (1 + 1e-12));
        const factor = Math.min(1, maxNorm / (before + 1e-6));
        assertAllClose(
          clipped,
          mapValues(grads, (g) => vector(g.map((x) => x * factor))),
          1e-7,
          "clipped",
        );
      }),
    );
  });

  test("by value bounds every element and leaves those within the bound as they are", () => {
    fc.assert(
      fc.property(gradients, bound, (grads, maxValue) => {
        const clipped = updatesOf(clipByValue(maxValue), grads);
        const bound = Math.fround(maxValue);
        assertAllClose(
          clipped,
          mapValues(grads, (g) => vector(g.map((x) => Math.max(-bound, Math.min(bound, x))))),
          1e-12,
          "clipped",
        );
      }),
    );
  });

  test("by root mean square bounds each param on its own", () => {
    const clipped = updatesOf(clipByRms(2), { a: [6, 8], b: [1, 1] });
    assertClose(clipped.a as Values, vector([6, 8].map((x) => (x * 2) / Math.sqrt(50))), 1e-12, "a");
    assertClose(clipped.b as Values, vector([1, 1]), 1e-12, "b");
  });
});

describe("parts that look at params", () => {
  test("decay adds a share of the selected params, and nothing to the others", () => {
    fc.assert(
      fc.property(gradients, bound, (params, rate) => {
        const grads = mapValues(params, (values) => values.map(() => 1));
        const part = addDecay({ rate, except: ["*.bias"] });
        const decayed = updatesOf(part, grads, params);
        assertClose(decayed.a as Values, vector(params.a.map((x) => 1 + rate * x)), 1e-12, "a");
        assert.deepEqual([...(decayed["b.bias"]?.data ?? [])], grads["b.bias"]);
      }),
    );
  });

  test("the trust ratio makes an update as long as its param, where neither is 0", () => {
    fc.assert(
      fc.property(gradients, gradients, (g, p) => {
        const params = { a: p.a, "b.bias": p["b.bias"] };
        const grads = mapValues(params, (values, name) => values.map((_, i) => g[name as "a"][i] ?? 0.5));
        const scaled = updatesOf(scaleByTrustRatio({ only: ["a"] }), grads, params);
        const [paramNorm, gradNorm] = [normOf({ a: vector(params.a) }), normOf({ a: vector(grads.a ?? []) })];
        // Squares of what is smaller underflow.
        if ([paramNorm, gradNorm].some((size) => size > 0 && size < 1e-100)) return;
        const expected = paramNorm > 0 && gradNorm > 0 ? paramNorm : gradNorm;
        assert.ok(Math.abs(normOf({ a: scaled.a as Values }) - expected) <= 1e-9 * expected);
        assert.deepEqual([...(scaled["b.bias"]?.data ?? [])], grads["b.bias"]);
      }),
    );
  });

  test("the ratio of LARS is the paper's, but 1 where a param is 0", () => {
    const part = scaleByLarsRatio({ decay: 0.5, coefficient: 0.25 });
    assertClose(updatesOf(part, { x: [3, 4] }, { x: [0, 0] }).x as Values, vector([3, 4]), 1e-12, "param 0");
    assertClose(updatesOf(part, { x: [0, 0] }, { x: [2, 4] }).x as Values, vector([0.5, 1]), 1e-12, "gradient 0");
    const plain = scaleByLarsRatio({ decay: 0 });
    assertClose(updatesOf(plain, { x: [0, 0] }, { x: [2, 4] }).x as Values, vector([0, 0]), 1e-12, "denominator 0");
    const ratio = (0.25 * 5) / (10 + 0.5 * 5);
    const expected = vector([ratio * (6 + 1.5), ratio * (8 + 2)]);
    assertClose(updatesOf(part, { x: [6, 8] }, { x: [3, 4] }).x as Values, expected, 1e-12, "neither");
  });

  test("a relative step is as large as the param's root mean square, but not smaller than the least", () => {
    const part = scaleByParamRms(0.5);
    assertClose(updatesOf(part, { x: [1, 1] }, { x: [3, -3] }).x as Values, vector([3, 3]), 1e-12, "large");
    assertClose(updatesOf(part, { x: [1, 1] }, { x: [0, 0.1] }).x as Values, vector([0.5, 0.5]), 1e-12, "small");
  });
});

describe("a chain", () => {
  const shapes = { "a.b": { shape: [2] }, c: { shape: [] } };

  test("is its parts one after the other, with the state and scalars of all", () => {
    const chained = chain(scaleByAdam(), scaleByLearningRate(constantSchedule(3)));
    const names = ["adam.beta1", "adam.beta2", "adam.epsilon", "adam.scale", "learningRate"];
    assert.deepEqual(Object.keys(chained.scalars).sort(), names);
    assert.deepEqual(chained.stateSpec(shapes), scaleByAdam().stateSpec(shapes));
    const halves = chain(scaleByLearningRate(constantSchedule(2)));
    const graph = descent(chain(halves, halves), { c: { shape: [] } }, () => ({ c: input("g", []) }));
    const { updates } = interpret(graph, { c: scalar(1), g: scalar(5), learningRate: scalar(2) });
    assert.equal(updates.c?.data[0], 1 + 4 * 5);
  });

  test("does not depend on how it is bracketed", () => {
    const makers: readonly (() => GradientTransformation)[] = [
      () => clipByGlobalNorm(1),
      () => clipByValue(0.7),
      () => addDecay({ rate: 0.3, only: ["a.*"] }),
      () => addMomentum({ momentum: 0.5, isNesterov: true }),
      () => scaleByAdam({ beta1: 0.5 }),
      () => scaleByRms({ isCentered: true }),
      () => scaleByTrustRatio(),
      () => scaleByPattern({ "*.b": 3 }),
      () => scaleBySchedule("half", linearSchedule(1, 0, 2)),
      () => scaleByLearningRate(constantSchedule(0.1)),
    ];
    const three = fc.shuffledSubarray([...makers.keys()], { minLength: 3, maxLength: 3 });
    const stepOf = (optimizer: GradientTransformation) => {
      const graph = descent(optimizer, shapes, (params) => mapValues(params, (p, name) => input(`g.${name}`, p.shape)));
      const fed = { "g.a.b": float32([2, -3]), "g.c": scalar(0.5), "a.b": float32([1, 4]), c: scalar(-2) };
      let state: Record<string, Values> = { ...fed, ...memoryOf(optimizer, shapes) };
      for (let step = 0; step < 3; step++) {
        state = { ...state, ...interpret(graph, { ...state, ...scalarsAt(optimizer.scalars, step) }).updates };
      }
      return state;
    };
    fc.assert(
      fc.property(three, (picked) => {
        const [a, b, c] = picked.map((i) => makers[i]?.()) as [
          GradientTransformation,
          GradientTransformation,
          GradientTransformation,
        ];
        const flat = stepOf(chain(a, b, c));
        assert.deepEqual(stepOf(chain(chain(a, b), c)), flat);
        assert.deepEqual(stepOf(chain(a, chain(b, c))), flat);
      }),
    );
  });

  test("refuses two schedules for one scalar, and two memories of one name", () => {
    const rate = (value: number) => scaleByLearningRate(constantSchedule(value));
    assert.throws(() => chain(rate(1), scaleByAdam(), rate(1)), /two parts give "learningRate" different ones/);
    const momentum = addMomentum();
    const twice = chain(momentum, momentum);
    assert.throws(() => twice.stateSpec(shapes), /two parts keep state under "momentum\.b\.a\.b"/);
  });

  test("gathers scalar factors: three of them cost one pass over memory", () => {
    const half = scaleBySchedule("half", constantSchedule(0.5));
    const third = scaleBySchedule("third", constantSchedule(1 / 3));
    const optimizer = chain(half, third, scaleByLearningRate(constantSchedule(6)));
    const graph = descent(optimizer, { x: { shape: [4] } }, () => ({ x: input("g", [4]) }));
    const products = topologicalOrder(rootsOf(graph)).filter(({ op, shape }) => op === "mul" && shape.length > 0);
    assert.equal(products.length, 1);
    assertClose(updatesOf(optimizer, { x: [1, 2] }).x as Values, vector([-1, -2]), 1e-12, "x");
  });

  test("takes the first pattern that matches", () => {
    const part = scaleByPattern({ "*.bias": 2, "b*": 3 });
    const scaled = updatesOf(part, { a: [1], "a.bias": [1], "b.bias": [1], b: [1] });
    assert.deepEqual(
      mapValues(scaled, ({ data }) => data[0]),
      { a: 1, "a.bias": 2, "b.bias": 2, b: 3 },
    );
  });
});

describe("arithmetic", () => {
  const x = input("x", [5]);
  const feeds = { x: float32([-2, 0, 0.5, 3, -0.25]) };
  const functions: Readonly<Record<string, readonly [Tensor, (x: number) => number]>> = {
    scale: [scale(mul(x, input("s", [])), input("t", [])), (a) => a * 6],
  };
  for (const [name, [tensor, f]] of Object.entries(functions)) {
    test(`${name}, in the interpreter and in the engine`, async () => {
      const fed = { ...feeds, s: scalar(2), t: scalar(3) };
      const expected = Array.from(feeds.x.data, (value) => f(value));
      const graph = { outputs: { result: tensor }, updates: {} };
      assertClose(named(interpret(graph, fed).outputs, "result"), vector(expected), 1e-12, name);
      assertClose(named(await (await engine.compile(graph)).run(fed), "result"), vector(expected), 1e-6, name);
    });
  }
});
