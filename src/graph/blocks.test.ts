import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertAllClose } from "../../test/fixtures/close.js";
import { descent, memoryOf, scalarsAt, toFloat32 } from "../../test/fixtures/descent.js";
import { interpret } from "../../test/numerics/interpreter.js";
import { type PlannedUpdate, planOf } from "../engine/plan.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { adafactor, adagrad, adam, adamW, lamb, lion, rmsprop, sgd } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import type { GradientTransformation, Shapes } from "../optim/transformations.js";
import { float32, type NamedArrays, type NdArray, sizeOf } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import { normal, rootKey } from "../runtime/random.js";
import { inBlocks, MOST_ELEMENTS } from "./blocks.js";
import type { Graph } from "./graph.js";
import { add, div, greater, input, mul, reduceSum, relu, sqrt, square, sub } from "./ops.js";
import { isOp, type Tensor } from "./tensor.js";

const rate = constantSchedule(1e-2);
const cut: Readonly<Record<string, GradientTransformation>> = {
  "sgd with momentum": sgd(rate, { momentum: 0.9 }),
  "sgd with Nesterov's": sgd(rate, { momentum: 0.9, isNesterov: true }),
  "adagrad clipped": adagrad(rate, { clip: { norm: 1 } }),
  "rmsprop centred": rmsprop(rate, { isCentered: true, momentum: 0.9 }),
  adam: adam(rate),
  "adamW clipped": adamW(rate, { decay: { rate: 0.1 }, clip: { value: 0.5, norm: 1 } }),
  lion: lion(rate),
};
/** Of these a step of a param needs norms or means of what its elements make. */
const whole: Readonly<Record<string, GradientTransformation>> = { lamb: lamb(rate), adafactor: adafactor(rate) };

/** A table that is cut into four, and a bias that is not. */
const shapes: Shapes = { table: { shape: [1024, 1024] }, bias: { shape: [1024] } };
const random = (seed: number, { shape }: { readonly shape: readonly number[] }) =>
  float32(normal(rootKey(seed), sizeOf(shape)), shape);

/** Steps towards a random point, which are not taken when the norm of the gradient is not above a limit. */
function graphOf(optimizer: GradientTransformation): Graph {
  const targetOf = (param: Tensor, name: string) => input(`target.${name}`, param.shape);
  let grads: Readonly<Record<string, Tensor>> = {};
  const { updates } = descent(optimizer, shapes, (params) => {
    grads = mapValues(params, (param, name) => sub(param, targetOf(param, name)));
    return grads;
  });
  const norm = Object.values(grads)
    .map((grad) => reduceSum(square(grad)))
    .reduce((sum, part) => add(sum, part));
  return { outputs: { norm }, updates, when: greater(norm, input("limit", [])) };
}

async function stepsOf(
  optimizer: GradientTransformation,
  binding: "native" | "official",
  blocks: boolean,
): Promise<NamedArrays> {
  const engine = onnxRuntimeEngine({ threads: 2, binding, blocks });
  try {
    const start = { ...mapValues(shapes, (spec) => random(1, spec)), ...memoryOf(optimizer, shapes) };
    await engine.write(start, { memory: "lent" });
    const targets = Object.fromEntries(
      Object.entries(shapes).map(([name, spec]) => [`target.${name}`, random(2, spec)]),
    );
    const program = await engine.compile(graphOf(optimizer));
    for (let step = 0; step < 4; step++) {
      // The third is not taken.
      const limit = float32([step === 2 ? 1e30 : 0], []);
      await program.run({ ...targets, limit, ...mapValues(scalarsAt(optimizer.scalars, step), toFloat32) });
    }
    return await engine.read(Object.keys(start));
  } finally {
    await engine.close();
  }
}

describe("in blocks, and skipped in between, steps end where they end without, to the bit", () => {
  for (const [name, optimizer] of Object.entries({ ...cut, ...whole })) {
    test(name, async () => {
      const expected = await stepsOf(optimizer, "native", false);
      for (const binding of ["native", "official"] as const)
        assert.deepEqual(await stepsOf(optimizer, binding, true), expected, binding);
    });
  }
});

describe("a plan cuts what is large, and changes it in place", () => {
  const large = ({ name }: PlannedUpdate) => name === "table" || name.endsWith(".table");
  for (const [name, optimizer] of Object.entries(cut)) {
    test(name, () => {
      const { updates } = planOf(graphOf(optimizer));
      const expected = (update: PlannedUpdate) => ({
        name: update.name,
        inPlace: true,
        ...(large(update) && { shape: [4, MOST_ELEMENTS] }),
      });
      assert.ok(updates.some(large));
      assert.deepEqual(updates, updates.map(expected));
      assert.ok(planOf(graphOf(optimizer), { blocks: false }).updates.every(({ shape }) => !shape));
      assert.ok(planOf(graphOf(optimizer), { device: "webgpu" }).updates.every(({ shape }) => !shape));
    });
  }
  test("not what is needed whole", () => {
    const { updates } = planOf(graphOf(whole.lamb as GradientTransformation));
    assert.equal(updates.find(({ name }) => name === "table")?.shape, undefined);
  });
});

describe("chains", () => {
  const [x, y, s] = [input("x", [6, 4]), input("y", [6, 4]), input("s", [])];
  const isCut = (tensor: Tensor | undefined) =>
    tensor !== undefined && (isOp(tensor, "scan") || isOp(tensor.inputs[0] as Tensor, "scan"));
  const chain = (tensor: Tensor) => add(mul(relu(tensor), s), sqrt(y));
  const cutOf = (updates: Graph["updates"], most = 8, rest: Partial<Graph> = {}) =>
    mapValues(inBlocks({ outputs: {}, updates, ...rest }, most).updates, isCut);

  test("are cut from twice the size of a block", () => {
    assert.deepEqual(cutOf({ x: chain(x) }, 12), { x: true });
    assert.deepEqual(cutOf({ x: chain(x) }, 13), { x: false });
  });
  test("are not cut where only small blocks divide them, nor when short", () => {
    const z = input("z", [67]);
    assert.deepEqual(cutOf({ z: add(mul(relu(z), s), s) }, 16), { z: false });
    assert.deepEqual(cutOf({ x: add(x, mul(y, s)) }), { x: false });
  });
  test("end at what is no chain, is broadcast, or is computed anyway", () => {
    const row = input("row", [4]);
    const product = mul(x, row);
    const anyway = square(product);
    const { updates } = inBlocks({ outputs: { sum: reduceSum(anyway) }, updates: { x: chain(add(x, anyway)) } }, 8);
    const [scan] = Object.values(updates);
    assert.ok(scan && isOp(scan, "scan"));
    assert.deepEqual(
      scan.inputs.slice(0, 3).map(({ op, inputs: [whole] }) => [op, whole]),
      [x, anyway, y].map((operand) => ["reshape", operand]),
    );
  });
  test("that share operations are one loop, and give what they gave", () => {
    const shared = relu(mul(x, s));
    const graph = { outputs: {}, updates: { x: add(x, shared), y: div(add(shared, y), s), s } };
    const cutGraph = inBlocks(graph, 8);
    assert.equal(cutGraph.updates.y?.inputs[0], cutGraph.updates.x);
    const spec = { shape: [6, 4] };
    const feeds: Record<string, NdArray> = { x: random(1, spec), y: random(2, spec), s: float32([3], []) };
    const flat = mapValues(interpret(cutGraph, feeds).updates, ({ data, shape }) => ({
      data,
      shape: shape.length === 0 ? [] : spec.shape,
    }));
    assertAllClose(flat as never, interpret(graph, feeds).updates as never, 1e-12, "updates");
  });
  test("whose new value another reads beside the old one are not in place", () => {
    const size = [2048, 512];
    const [a, b] = [input("a", size), input("b", size)];
    const moved = add(a, mul(relu(b), s));
    const crossed = { outputs: {}, updates: { a: moved, b: add(mul(moved, a), b) } };
    assert.deepEqual(
      planOf(crossed).updates.map(({ inPlace, shape }) => [inPlace, shape?.[0]]),
      [
        [false, 4],
        [true, 4],
      ],
    );
  });
});
