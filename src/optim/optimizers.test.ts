import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertAllClose, assertClose } from "../../test/fixtures/close.js";
import {
  descent,
  interpreted,
  memoryOf,
  type Problem,
  run,
  scalarsAt,
  toFloat32,
} from "../../test/fixtures/descent.js";
import { flightsLike } from "../../test/fixtures/flights-like.js";
import { isFull } from "../../test/fixtures/full.js";
import { readGolden, resultOf } from "../../test/golden/golden.js";
import {
  NUM_STEPS,
  prescribed,
  quadratic,
  SAMPLE_EVERY,
  type Samples,
  trajectories,
  trajectoryName,
  variants,
} from "../../test/golden/optim.js";
import { interpret, type Values } from "../../test/numerics/interpreter.js";
import { updatedInPlace } from "../engine/in-place.js";
import { gradients } from "../graph/grad.js";
import { rootsOf } from "../graph/graph.js";
import { add, greater, input, mul, reduceSum, slice, sub, where } from "../graph/ops.js";
import { type Tensor, type Tensors, topologicalOrder } from "../graph/tensor.js";
import { inputTensors } from "../nn/model.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32, type NamedArrays } from "../runtime/array.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import type { DecayOptions } from "./decay.js";
import { adafactor, adagrad, adam, adamW, lamb, lars, lion, muon, rmsprop, sgd } from "./optimizers.js";
import { constantSchedule, cosineSchedule, linearSchedule, type Schedule } from "./schedules.js";
import type { GradientTransformation, Shapes } from "./transformations.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const schedules: Readonly<Record<"constant" | "linear", Schedule>> = {
  constant: constantSchedule(2e-3),
  linear: linearSchedule(0.1, 0, NUM_STEPS),
};

/** The gradient of sum_i curvature_i (x_i - centre_i)^2 / 2. */
const quadraticGrads = ({ x }: Tensors): Tensors => {
  const distance = sub(x as Tensor, input("centre", [3]));
  const loss = mul(0.5, reduceSum(mul(input("curvature", [3]), mul(distance, distance))));
  return { x: gradients(loss, [x as Tensor])[0] as Tensor };
};

const problems: Readonly<Record<"quadratic" | "prescribed", Problem>> = {
  quadratic: {
    shapes: { x: { shape: [3] } },
    start: { x: float32([...quadratic.start]) },
    gradsOf: quadraticGrads,
    feeds: () => ({ centre: float32([...quadratic.centre]), curvature: float32([...quadratic.curvature]) }),
  },
  prescribed: {
    shapes: mapValues(prescribed.shapes, (shape) => ({ shape })),
    start: mapValues(prescribed.shapes, (shape, name) => float32(prescribed.start(name), shape)),
    gradsOf: (params: Tensors) => mapValues(params, ({ shape }, name) => input(`grads.${name}`, shape)),
    feeds: (step: number): NamedArrays =>
      withPrefix(
        "grads",
        mapValues(prescribed.shapes, (shape, name) => float32(prescribed.grads(step, name), shape)),
      ),
  },
};

describe("PyTorch takes the same path over 1,000 steps", () => {
  const golden = readGolden<Samples>("optim");
  for (const trajectory of trajectories) {
    const problem = problems[trajectory.problem];
    const optimizer = named(variants, trajectory.optimizer).ours(schedules[trajectory.schedule]);
    const samples = resultOf(golden, trajectoryName(trajectory));
    const check = (sample: number, params: Readonly<Record<string, Values>>, tolerance: number) => {
      const expected = samples[sample] ?? {};
      assert.deepEqual(Object.keys(expected), Object.keys(problem.shapes));
      for (const [name, { shape }] of Object.entries(problem.shapes)) {
        const target = { shape, data: named(expected, name) };
        assertClose(named(params, name), target, tolerance, `${name} in sample ${sample}`, 1);
      }
    };

    test(`${trajectoryName(trajectory)}, in the interpreter`, () => {
      // What a formula has wrong shows from its first steps on at this tolerance; the engine goes all the way.
      const numSteps = isFull ? NUM_STEPS : 2 * SAMPLE_EVERY;
      let step = 0;
      for (const params of interpreted(optimizer, problem, numSteps)) {
        if (++step % SAMPLE_EVERY === 0) check(step / SAMPLE_EVERY - 1, params, 1e-9);
      }
    });

    test(`${trajectoryName(trajectory)}, in the engine`, async () => {
      let sample = 0;
      for await (const params of run(engine, optimizer, problem, NUM_STEPS, SAMPLE_EVERY))
        check(sample++, params, 1e-4);
      assert.equal(sample, samples.length);
    });
  }
});

/** Every optimizer with every option that changes its graph. */
const everyOptimizer: Readonly<Record<string, (rate: Schedule) => GradientTransformation>> = {
  ...mapValues(variants, ({ ours }) => ours),
  "adam with clips, decay and multipliers": (rate) =>
    adam(rate, {
      clip: { value: 5, norm: 10 },
      decay: { rate: 1e-4, except: ["*.bias"] },
      multipliers: { "layers.*": 0.5 },
    }),
  lamb,
  "lamb but for biases": (rate) => lamb(rate, { trust: { except: ["*.bias"] } }),
  lars,
  "lars but for biases": (rate) => lars(rate, { except: ["*.bias"] }),
  lion,
  "lion with decay": (rate) => lion(rate, { decay: { rate: 0.1 } }),
  muon,
  "muon with decay": (rate) => muon(rate, { decay: { rate: 0.1 } }),
  adafactor,
  "adafactor with decay": (rate) => adafactor(rate, { isRelative: false, decay: { rate: 0.1 } }),
};

describe("params and state are changed in place", () => {
  const { model, objective } = flightsLike();
  const logits = (params: Tensors) => model.apply(params, inputTensors(model));
  const gradsOf = (params: Tensors) => {
    const loss = objective.labelLoss(logits(params), input("labels", ["batch"]));
    const grads = gradients(loss, Object.values(params));
    return Object.fromEntries(Object.keys(params).map((name, i) => [name, grads[i] as Tensor]));
  };
  for (const [name, make] of Object.entries(everyOptimizer)) {
    test(name, () => {
      const optimizer = make(constantSchedule(1e-3));
      // As in a training step, the update waits for the norm of all gradients.
      let gate: Tensor | undefined;
      const gated = (params: Tensors) => {
        const grads = gradsOf(params);
        const squaredNorm = Object.values(grads)
          .map((grad) => reduceSum(mul(grad, grad)))
          .reduce(add);
        gate = greater(1, sub(squaredNorm, squaredNorm));
        return mapValues(grads, (grad) => where(gate as Tensor, grad, 0));
      };
      const graph = descent(optimizer, model.params, gated);
      const inPlace = updatedInPlace(graph);
      assert.deepEqual(
        Object.keys(graph.updates).filter((updated) => !inPlace.has(updated)),
        [],
      );
    });
  }
});

describe("the engine and the interpreter agree, with every option", () => {
  for (const [name, make] of Object.entries(everyOptimizer)) {
    test(name, async () => {
      const optimizer = make(constantSchedule(1e-2));
      const expected = interpreted(optimizer, problems.prescribed, 20);
      for await (const params of run(engine, optimizer, problems.prescribed, 20, 1))
        assertAllClose(params, expected.next().value as Record<string, Values>, 1e-5, "params", 1);
    });
  }
});

test("an optimizer makes few passes over state: elementwise operations on arrays for each param", () => {
  const passes = (optimizer: GradientTransformation) => {
    const shapes: Shapes = { x: { shape: [64, 64] } };
    const graph = descent(optimizer, shapes, () => ({ x: input("g", [64, 64]) }));
    return topologicalOrder(rootsOf(graph)).filter(({ op, shape }) => op !== "input" && shape.length === 2).length;
  };
  const rate = constantSchedule(1);
  // The last of each is the sum with the param.
  assert.equal(passes(sgd(rate)), 2);
  assert.equal(passes(sgd(rate, { momentum: 0.9 })), 4);
  assert.equal(passes(adagrad(rate)), 7);
  assert.equal(passes(rmsprop(rate)), 8);
  assert.equal(passes(adam(rate)), 10);
  assert.equal(passes(adamW(rate)), 13);
});

describe("each optimizer finds the minimum", () => {
  const falling = (from: number, numSteps: number) => linearSchedule(from, 0, numSteps);
  const all: Readonly<Record<string, readonly [parabola: GradientTransformation, rosenbrock: GradientTransformation]>> =
    {
      sgd: [sgd(constantSchedule(2e-2)), sgd(constantSchedule(1e-2))],
      momentum: [sgd(constantSchedule(1e-2), { momentum: 0.9 }), sgd(constantSchedule(2e-3), { momentum: 0.9 })],
      nesterov: [
        sgd(constantSchedule(1e-2), { momentum: 0.9, isNesterov: true }),
        sgd(constantSchedule(2e-3), { momentum: 0.9, isNesterov: true }),
      ],
      adagrad: [adagrad(constantSchedule(1)), adagrad(constantSchedule(0.5))],
      rmsprop: [rmsprop(falling(0.05, 3000)), rmsprop(falling(0.02, 3000))],
      "rmsprop, centred": [
        rmsprop(falling(0.01, 3000), { isCentered: true, momentum: 0.5, epsilon: 0.01 }),
        rmsprop(falling(0.01, 3000), { isCentered: true, epsilon: 0.1 }),
      ],
      adam: [adam(falling(0.05, 3000)), adam(falling(0.05, 3000))],
      "adam without momentum": [adam(falling(0.05, 3000), { beta1: 0 }), adam(falling(0.05, 3000), { beta1: 0 })],
      adamW: [
        adamW(falling(0.05, 3000), { decay: { rate: 1e-5 } }),
        adamW(falling(0.05, 3000), { decay: { rate: 1e-5 } }),
      ],
      lamb: [
        lamb(falling(0.05, 3000), { decay: { rate: 1e-5 } }),
        lamb(falling(0.02, 3000), { decay: { rate: 1e-5 } }),
      ],
      lars: [
        lars(falling(1, 3000), { coefficient: 0.01, decay: 0 }),
        lars(falling(1, 3000), { coefficient: 0.01, decay: 0 }),
      ],
      lion: [lion(falling(0.01, 3000)), lion(falling(0.01, 3000))],
      adafactor: [adafactor(falling(0.05, 3000)), adafactor(cosineSchedule(0.05, 0, 3000))],
    };
  const shapes: Shapes = { x: { shape: [2] } };
  const start = { x: float32([-1, 1.5]) };
  const at = (x: Tensor, i: number) => reduceSum(slice(x, 0, i, i + 1));
  const square = (x: Tensor) => mul(x, x);
  const functions = [
    {
      what: "a parabola",
      loss: (x: Tensor) => add(square(sub(at(x, 0), 0.5)), square(add(at(x, 1), 2))),
      minimum: [0.5, -2],
    },
    {
      what: "Rosenbrock's valley",
      loss: (x: Tensor) => add(square(sub(1, at(x, 0))), mul(10, square(sub(at(x, 1), square(at(x, 0)))))),
      minimum: [1, 1],
    },
  ];
  for (const [name, optimizers] of Object.entries(all)) {
    for (const [i, { what, loss, minimum }] of functions.entries()) {
      test(`${name} on ${what}`, async () => {
        const gradsOf = ({ x }: Tensors) => ({ x: gradients(loss(x as Tensor), [x as Tensor])[0] as Tensor });
        const problem = { shapes, start, gradsOf, feeds: () => ({}) };
        for await (const { x } of run(engine, optimizers[i] as GradientTransformation, problem, 3000, 3000)) {
          assertClose(x as Values, { shape: [2], data: minimum }, 1e-2, "the end point", 1);
        }
      });
    }
  }
});

describe("ready-made chains", () => {
  const shapes: Shapes = { "a.b": { shape: [2, 3] }, c: { shape: [] } };
  const rate = constantSchedule(0.5);

  test("keep state under the names of their parts, so that none goes on with another's", () => {
    const namesOf = (optimizer: GradientTransformation) => Object.keys(optimizer.stateSpec(shapes));
    assert.deepEqual(namesOf(sgd(rate)), []);
    assert.deepEqual(namesOf(sgd(rate, { momentum: 0.9 })), ["momentum.b.a.b", "momentum.b.c"]);
    assert.deepEqual(namesOf(adam(rate)), ["adam.m.a.b", "adam.m.c", "adam.v.a.b", "adam.v.c"]);
    assert.deepEqual(namesOf(adamW(rate)), namesOf(adam(rate)));
    assert.deepEqual(namesOf(lion(rate)), ["lion.m.a.b", "lion.m.c"]);
    assert.deepEqual(Object.keys(muon(rate).stateSpec({ "a.weight": { shape: [2, 3] }, c: { shape: [] } })), [
      "adam.m.c",
      "adam.v.c",
      "muon.m.a.weight",
    ]);
    assert.deepEqual(adagrad(rate, { initialSum: 0.1 }).stateSpec(shapes), {
      "adagrad.v.a.b": { shape: [2, 3], fill: 0.1 },
      "adagrad.v.c": { shape: [], fill: 0.1 },
    });
    assert.deepEqual(adafactor(rate).stateSpec(shapes), {
      "adafactor.r.a.b": { shape: [2, 1], fill: 0 },
      "adafactor.c.a.b": { shape: [1, 3], fill: 0 },
      "adafactor.v.c": { shape: [], fill: 0 },
    });
  });

  test("the first step of adam has the length of the learning rate in every direction", () => {
    const optimizer = adam(rate);
    const graph = descent(optimizer, { c: { shape: [3] } }, () => ({ c: input("g", [3]) }));
    const { updates } = interpret(graph, {
      c: float32([1, 1, 1]),
      g: float32([1e-3, -4, 100]),
      ...memoryOf(optimizer, { c: { shape: [3] } }),
      ...scalarsAt(optimizer.scalars, 0),
    });
    assertClose(updates.c as Values, { shape: [3], data: [0.5, 1.5, 0.5] }, 2e-5, "c");
  });

  for (const [name, make] of Object.entries(everyOptimizer)) {
    if (name.includes("decay") || ["adamW", "lamb", "lars", "muon"].some((pulled) => name.startsWith(pulled))) continue;
    test(`a zero gradient leaves params where they are, also in float32: ${name}`, async () => {
      const optimizer = make(rate);
      const shapes: Shapes = { w: { shape: [2, 2] }, "a.bias": { shape: [2] } };
      const start = { w: float32([1, -1, 0.5, 3], [2, 2]), "a.bias": float32([1, -1]) };
      const zero = { "grads.w": float32([0, 0, 0, 0], [2, 2]), "grads.a.bias": float32([0, 0]) };
      const gradsOf = (params: Tensors) => mapValues(params, ({ shape }, path) => input(`grads.${path}`, shape));
      for await (const params of run(engine, optimizer, { shapes, start, gradsOf, feeds: () => zero }, 3, 3)) {
        assert.deepEqual(params, start);
      }
    });
  }

  /** The params of two names after three steps by one gradient. */
  const after = (optimizer: GradientTransformation) => {
    const params = { "a.bias": [1, 2], w: [3, 4] };
    const shapes = mapValues(params, () => ({ shape: [2] }));
    const start = mapValues(params, (values) => float32(values));
    const gradsOf = (all: Tensors) => mapValues(all, () => input("g", [2]));
    const feeds = () => ({ g: float32([0.5, -2]) });
    return [...interpreted(optimizer, { shapes, start, gradsOf, feeds }, 3)].at(-1) ?? {};
  };

  test("a rate of decay of its own is that of the first pattern that matches", () => {
    const by = (decay: DecayOptions) => after(adamW(constantSchedule(0.5), { decay }));
    const mixed = by({ rate: 0.25, rates: { "*.bias": 0.5, "a.*": 7 } });
    assert.deepEqual(mixed.w, by({ rate: 0.25 }).w);
    assert.deepEqual(mixed["a.bias"], by({ rate: 0.5 })["a.bias"]);
    assert.notDeepEqual(mixed["a.bias"], by({ rate: 0.25 })["a.bias"]);
  });

  test("a multiplier is a learning rate of its own, for decay too", () => {
    const decay = { rate: 0.25 };
    const grouped = after(adamW(constantSchedule(0.5), { decay, multipliers: { "*.bias": 0.5, "*": 2 } }));
    assertClose(
      grouped["a.bias"] as Values,
      after(adamW(constantSchedule(0.25), { decay }))["a.bias"] as Values,
      1e-12,
      "a.bias",
    );
    assertClose(grouped.w as Values, after(adamW(constantSchedule(1), { decay })).w as Values, 1e-12, "w");
  });

  test("float32 scalars are what a program is fed", () => {
    const fed = mapValues(scalarsAt(adam(rate).scalars, 0), toFloat32);
    assert.deepEqual(Object.keys(fed), ["adam.beta1", "adam.beta2", "adam.scale", "adam.epsilon", "learningRate"]);
    assert.ok(Object.values(fed).every(({ data }) => data.every((value) => value > 0 && Number.isFinite(value))));
  });
});
