/** LAMB, LARS, Lion, Muon and Adafactor against the algorithms of their papers, written down once more in plain float64. */
import { after, describe, test } from "node:test";
import { assertClose } from "../../test/fixtures/close.js";
import { interpreted, type Problem, run } from "../../test/fixtures/descent.js";
import { isFull } from "../../test/fixtures/full.js";
import { NUM_STEPS, prescribed, SAMPLE_EVERY } from "../../test/golden/optim.js";
import type { Values } from "../../test/numerics/interpreter.js";
import { input } from "../graph/ops.js";
import type { Tensors } from "../graph/tensor.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32 } from "../runtime/array.js";
import { mapValues, named, withPrefix } from "../runtime/named.js";
import { adafactor, lamb, lars, lion, muon } from "./optimizers.js";
import { constantSchedule, inverseSquareRootSchedule, linearSchedule, type Schedule } from "./schedules.js";
import type { GradientTransformation } from "./transformations.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const problem: Problem = {
  shapes: mapValues(prescribed.shapes, (shape) => ({ shape })),
  start: mapValues(prescribed.shapes, (shape, name) => float32(prescribed.start(name), shape)),
  gradsOf: (params: Tensors) => mapValues(params, ({ shape }, name) => input(`grads.${name}`, shape)),
  feeds: (step) =>
    withPrefix(
      "grads",
      mapValues(prescribed.shapes, (shape, name) => float32(prescribed.grads(step, name), shape)),
    ),
};

/** One step of a paper's algorithm on one param: x becomes new; t counts from 1; state is the step's own to keep. */
type Rule = (
  x: number[],
  g: number[],
  t: number,
  state: Record<string, number[]>,
  shape: readonly number[],
) => number[];

const norm = (x: readonly number[]) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
const rms = (x: readonly number[]) => norm(x) / Math.sqrt(x.length);
const at = (x: readonly number[] | undefined, i: number) => x?.[i] ?? 0;

/** You et al. 2020, Algorithm 2 with phi the identity. */
const lambRule =
  (rate: Schedule, lambda: number): Rule =>
  (x, g, t, state) => {
    const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-6];
    state.m = g.map((value, i) => beta1 * at(state.m, i) + (1 - beta1) * value);
    state.v = g.map((value, i) => beta2 * at(state.v, i) + (1 - beta2) * value ** 2);
    const r = state.m.map((m, i) => m / (1 - beta1 ** t) / (Math.sqrt(at(state.v, i) / (1 - beta2 ** t)) + epsilon));
    const direction = r.map((value, i) => value + lambda * at(x, i));
    const ratio = norm(x) / norm(direction);
    return x.map((value, i) => value - rate(t - 1) * ratio * at(direction, i));
  };

/** You, Gitman and Ginsburg 2017, Algorithm 1; an excepted param has the local rate 1 and no decay. */
const larsRule =
  (rate: Schedule, isExcepted = false): Rule =>
  (x, g, t, state) => {
    const [momentum, beta, eta] = [0.9, isExcepted ? 0 : 0.0005, 0.001];
    const local = isExcepted ? 1 : (eta * norm(x)) / (norm(g) + beta * norm(x));
    state.v = g.map((value, i) => momentum * at(state.v, i) + rate(t - 1) * local * (value + beta * at(x, i)));
    return x.map((value, i) => value - at(state.v, i));
  };

/** Chen et al. 2023, Algorithm 2. */
const lionRule =
  (rate: Schedule, lambda: number): Rule =>
  (x, g, t, state) => {
    const [beta1, beta2] = [0.9, 0.99];
    const c = g.map((value, i) => beta1 * at(state.m, i) + (1 - beta1) * value);
    state.m = g.map((value, i) => beta2 * at(state.m, i) + (1 - beta2) * value);
    return x.map((value, i) => value - rate(t - 1) * (Math.sign(at(c, i)) + lambda * value));
  };

/** [rows, inner] times [inner, columns], flat. */
function product(a: readonly number[], b: readonly number[], inner: number): number[] {
  const [rows, columns] = [a.length / inner, b.length / inner];
  return Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return Array.from({ length: inner }, (_, k) => at(a, row * inner + k) * at(b, k * columns + column)).reduce(
      (sum, value) => sum + value,
      0,
    );
  });
}

function transposed(x: readonly number[], columns: number): number[] {
  return x.map((_, i) => at(x, (i % (x.length / columns)) * columns + Math.floor(i / (x.length / columns))));
}

/** Jordan et al. 2024, with the factor of Liu et al. 2025; Loshchilov and Hutter 2019, Algorithm 2, for what is no matrix. The constants are those of float32. */
const muonRule =
  (rate: Schedule, lambda: number): Rule =>
  (x, g, t, state, shape) => {
    const [rows = 1, columns = 1] = shape;
    if (shape.length !== 2 || shape.includes(1)) {
      const [beta1, beta2] = [0.9, 0.999];
      state.m = g.map((value, i) => beta1 * at(state.m, i) + (1 - beta1) * value);
      state.v = g.map((value, i) => beta2 * at(state.v, i) + (1 - beta2) * value ** 2);
      const u = state.m.map((m, i) => m / (1 - beta1 ** t) / (Math.sqrt(at(state.v, i) / (1 - beta2 ** t)) + 1e-8));
      return x.map((value, i) => value - rate(t - 1) * (at(u, i) + lambda * value));
    }
    state.m = g.map((value, i) => 0.95 * at(state.m, i) + value);
    const ahead = g.map((value, i) => value + 0.95 * at(state.m, i));
    let o = ahead.map((value) => value / (norm(ahead) + Math.fround(1e-7)));
    for (let i = 0; i < 5; i++) {
      const gram = product(o, transposed(o, columns), columns);
      const twice = product(gram, gram, rows);
      const polynomial = gram.map((value, k) => Math.fround(-4.775) * value + Math.fround(2.0315) * at(twice, k));
      const moved = product(polynomial, o, rows);
      o = o.map((value, k) => Math.fround(3.4445) * value + at(moved, k));
    }
    const factor = Math.fround(0.2 * Math.sqrt(Math.max(rows, columns)));
    return x.map((value, i) => value - rate(t - 1) * (factor * at(o, i) + lambda * value));
  };

/** Shazeer and Stern 2018, Algorithm 4 for matrices and 5 for vectors, with the hyperparameters of Algorithm 6. */
const adafactorRule =
  (rho: Schedule, isRelative = true): Rule =>
  (x, g, t, state, shape) => {
    const [epsilon1, epsilon2, d] = [1e-30, 1e-3, 1];
    const beta = 1 - t ** -0.8;
    const alpha = (isRelative ? Math.max(epsilon2, rms(x)) : 1) * rho(t - 1);
    const squares = g.map((value) => value ** 2 + epsilon1);
    const averaged = (old: number[] | undefined, sums: number[]) =>
      sums.map((sum, i) => beta * at(old, i) + (1 - beta) * sum);
    const [numRows = 1, numColumns = 1] = shape;
    let v: number[];
    if (shape.length === 2) {
      const sums = (size: number, indexOf: (i: number) => number) => {
        const totals = Array<number>(size).fill(0);
        squares.forEach((value, i) => {
          totals[indexOf(i)] = at(totals, indexOf(i)) + value;
        });
        return totals;
      };
      const [row, column] = [(i: number) => Math.floor(i / numColumns), (i: number) => i % numColumns];
      state.r = averaged(state.r, sums(numRows, row));
      state.c = averaged(state.c, sums(numColumns, column));
      const total = state.r.reduce((sum, value) => sum + value, 0);
      v = squares.map((_, i) => (at(state.r, row(i)) * at(state.c, column(i))) / total);
    } else {
      state.v = averaged(state.v, squares);
      v = state.v;
    }
    const u = g.map((value, i) => value / Math.sqrt(at(v, i)));
    const clip = Math.max(1, rms(u) / d);
    return x.map((value, i) => value - (alpha * at(u, i)) / clip);
  };

const falling = linearSchedule(0.05, 0, NUM_STEPS);
const constant = constantSchedule(2e-3);
const rho = inverseSquareRootSchedule(0.01, 100);
const isBias = (name: string) => name.endsWith(".bias");

const cases: Readonly<Record<string, readonly [ours: GradientTransformation, rule: (name: string) => Rule]>> = {
  "LAMB, falling rate": [lamb(falling), () => lambRule(falling, 0.01)],
  "LAMB, constant rate, decay of weights only": [
    lamb(constant, { decay: { rate: 0.1, except: ["*.bias"] } }),
    (name) => lambRule(constant, isBias(name) ? 0 : 0.1),
  ],
  "LARS, falling rate": [lars(falling), () => larsRule(falling)],
  "LARS, constant rate, without biases": [
    lars(constant, { except: ["*.bias"] }),
    (name) => larsRule(constant, isBias(name)),
  ],
  "Lion, falling rate": [lion(falling), () => lionRule(falling, 0)],
  "Lion, constant rate, with decay": [lion(constant, { decay: { rate: 0.3 } }), () => lionRule(constant, 0.3)],
  "Muon, falling rate": [muon(falling), () => muonRule(falling, 0.01)],
  "Muon, constant rate, with decay": [muon(constant, { decay: { rate: 0.3 } }), () => muonRule(constant, 0.3)],
  "Adafactor, relative step": [adafactor(rho), () => adafactorRule(rho)],
  "Adafactor, absolute step": [adafactor(falling, { isRelative: false }), () => adafactorRule(falling, false)],
};

/** The params after each step by the paper's algorithm. */
function* byRule(ruleOf: (name: string) => Rule): Generator<Record<string, Values>> {
  const memories = mapValues(prescribed.shapes, (): Record<string, number[]> => ({}));
  let params = mapValues(prescribed.shapes, (_, name) => prescribed.start(name));
  for (let t = 1; t <= NUM_STEPS; t++) {
    params = mapValues(params, (x, name) =>
      ruleOf(name)(x, prescribed.grads(t - 1, name), t, named(memories, name), named(prescribed.shapes, name)),
    );
    yield mapValues(params, (data, name) => ({ shape: named(prescribed.shapes, name), data }));
  }
}

describe("the algorithms of the papers take the same path over 1,000 steps", () => {
  for (const [name, [optimizer, ruleOf]] of Object.entries(cases)) {
    const assertSame = (
      actual: Readonly<Record<string, Values>>,
      expected: Record<string, Values>,
      tolerance: number,
    ) => {
      for (const [path, values] of Object.entries(expected))
        assertClose(named(actual, path), values, tolerance, path, 1);
    };

    // What a formula has wrong shows from its first steps on at this tolerance; the engine goes all the way.
    test(`${name}, in the interpreter, every step`, () => {
      const expected = byRule(ruleOf);
      for (const params of interpreted(optimizer, problem, isFull ? NUM_STEPS : 200))
        assertSame(params, expected.next().value as Record<string, Values>, 1e-9);
    });

    test(`${name}, in the engine`, async () => {
      const expected = [...byRule(ruleOf)];
      let step = 0;
      for await (const params of run(engine, optimizer, problem, NUM_STEPS, SAMPLE_EVERY)) {
        step += SAMPLE_EVERY;
        assertSame(params, expected[step - 1] ?? {}, 1e-4);
      }
    });
  }
});
