/** Steps that touch rows, held against steps over the whole table and against the same rules written in plain float64. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertAllClose, assertClose } from "../../test/fixtures/close.js";
import { descent, interpreted, memoryOf, type Problem, run, scalarsAt } from "../../test/fixtures/descent.js";
import { flightsLike } from "../../test/fixtures/flights-like.js";
import { interpret, type Values } from "../../test/numerics/interpreter.js";
import { updatedInPlace } from "../engine/in-place.js";
import { gradients } from "../graph/grad.js";
import { rootsOf } from "../graph/graph.js";
import { add, gather, input, mul, reduceMean, reduceSum, reshape, square, sub } from "../graph/ops.js";
import { type Tensor, type Tensors, topologicalOrder } from "../graph/tensor.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32, int32, type NamedArrays } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import { fold, normal, rootKey, uniform } from "../runtime/random.js";
import { type Learner, stepGraph } from "../train/graphs.js";
import { adagrad, adam, adamW, type CommonOptions, rmsprop, sgd } from "./optimizers.js";
import { constantSchedule, linearSchedule, type Schedule } from "./schedules.js";
import type { GradientTransformation } from "./transformations.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const NUM_STEPS = 200;
const NUM_ROWS = 14;
/** Rows from here on are read by no batch. */
const NUM_READ = 11;
const WIDTH = 3;
const shapes = { table: { shape: [NUM_ROWS, WIDTH] }, weight: { shape: [WIDTH] } };
const drawn = (what: string, size: number) => normal(fold(rootKey(5), what), size);
const start = {
  table: float32(drawn("table", NUM_ROWS * WIDTH), [NUM_ROWS, WIDTH]),
  weight: float32(drawn("weight", WIDTH)),
};

/** From 1 to 5 examples, each of which reads three rows: low numbers often, so that they repeat, and one step in three only row 0. */
function batchAt(
  step: number,
): NamedArrays & { readonly ids: { data: Int32Array }; readonly pairs: { data: Int32Array } } {
  const size = 1 + ((step * 7) % 5);
  const draw = (what: string, count: number) =>
    Int32Array.from(uniform(fold(fold(rootKey(6), what), step), count), (u) =>
      step % 3 === 0 ? 0 : Math.floor(u * u * NUM_READ),
    );
  return {
    ids: int32(draw("ids", size)),
    pairs: int32(draw("pairs", size * 2), [size, 2]),
    targets: float32(drawn(`targets ${step}`, size * WIDTH), [size, WIDTH]),
  };
}

const ids = input("ids", ["batch"], "int32");
const pairs = input("pairs", ["batch", 2], "int32");
const targets = input("targets", ["batch", WIDTH]);

const gradsBy = (loss: Tensor, params: Tensors): Tensors => {
  const grads = gradients(loss, Object.values(params));
  return Object.fromEntries(Object.keys(params).map((name, i) => [name, grads[i] as Tensor]));
};

/** The mean square of weight x (one row + the mean of two) - target. */
const squares: Problem = {
  shapes,
  start,
  gradsOf(params) {
    const table = named(params, "table");
    const read = add(gather(table, ids), reduceMean(gather(table, pairs), [1]));
    return gradsBy(reduceMean(square(sub(mul(read, named(params, "weight")), targets))), params);
  },
  feeds: batchAt,
};

/** A loss that is linear in the table, so that its gradient is what is fed: the target of each example, at all its rows. */
const linear: Problem = {
  ...squares,
  gradsOf(params) {
    const table = named(params, "table");
    const read = add(gather(table, ids), reduceSum(gather(table, pairs), [1]));
    const weight = reduceSum(square(named(params, "weight")));
    return gradsBy(add(reduceSum(mul(read, targets)), weight), params);
  },
};

const rate = linearSchedule(0.1, 0.02, NUM_STEPS);
const sparseParams = ["table"];

type Maker = (options: CommonOptions) => GradientTransformation;

const exact: Readonly<Record<string, Maker>> = {
  sgd: (options) => sgd(rate, options),
  "sgd, norm clipped": (options) => sgd(rate, { ...options, clip: { norm: 0.5 } }),
  "sgd, values clipped, then the norm": (options) => sgd(rate, { ...options, clip: { value: 0.1, norm: 0.2 } }),
  "sgd with multiples and decay of others": (options) =>
    sgd(rate, { ...options, multipliers: { table: 0.5 }, decay: { rate: 0.1, except: ["tab*"] } }),
  adagrad: (options) => adagrad(rate, options),
  "adagrad that begins with a sum, norm clipped": (options) =>
    adagrad(rate, { ...options, initialSum: 0.1, clip: { norm: 0.5 } }),
};

const unread = (table?: Values) => Array.from(table?.data ?? [], Number).slice(NUM_READ * WIDTH);

describe(`touched rows are those of ${NUM_STEPS} steps over the whole table`, () => {
  for (const [name, make] of Object.entries(exact)) {
    test(name, async () => {
      const [rows, whole] = [make({ sparseParams }), make({})];
      assert.deepEqual(rows.stateSpec(shapes), whole.stateSpec(shapes));
      const expected = [...interpreted(whole, squares, NUM_STEPS)];
      for (const [i, params] of [...interpreted(rows, squares, NUM_STEPS)].entries()) {
        assertAllClose(params, expected[i] as NamedArrays, 1e-12, `step ${i}`, 1);
      }
      for await (const params of run(engine, rows, squares, NUM_STEPS, NUM_STEPS)) {
        assertAllClose(params, expected.at(-1) as NamedArrays, 1e-6, "the engine's", 1);
        assert.deepEqual(unread(params.table), unread(start.table), "rows that no batch reads keep their bits");
      }
    });
  }
});

/** What one row has: its values, and moments by element. */
interface Row {
  readonly values: number[];
  readonly moments: Record<string, number[]>;
  last: number;
}

/** The step of an element from its gradient; moments have lost what they would in the steps that the row missed. */
type Rule = (g: number, moment: (name: string, decay: number) => (term: number) => number, t: number) => number;

/** Table after all steps: each row that a batch reads takes the step of a rule, and no other moves. */
function byRows(rule: Rule): number[] {
  const rows = Array.from({ length: NUM_ROWS }, (_, r): Row => {
    return { values: [...start.table.data.slice(r * WIDTH, (r + 1) * WIDTH)], moments: {}, last: 0 };
  });
  for (let t = 1; t <= NUM_STEPS; t++) {
    const { ids, pairs, targets } = batchAt(t - 1);
    const read = [...ids.data].flatMap((id, i) =>
      [id, pairs.data[2 * i], pairs.data[2 * i + 1]].map((r) => ({ r, i })),
    );
    for (const r of new Set(read.map(({ r }) => r as number))) {
      const row = rows[r] as Row;
      for (let j = 0; j < WIDTH; j++) {
        const terms = read.filter((one) => one.r === r).map(({ i }) => Number(targets?.data[i * WIDTH + j]));
        const g = terms.reduce((sum, term) => sum + term, 0);
        const moment = (name: string, decay: number) => (term: number) => {
          row.moments[name] ??= Array(WIDTH).fill(0);
          const values = row.moments[name];
          values[j] = (values[j] as number) * decay ** (t - row.last) + term;
          return values[j] as number;
        };
        (row.values[j] as number) -= rate(t - 1) * rule(g, moment, t);
      }
      row.last = t;
    }
  }
  return rows.flatMap(({ values }) => values);
}

const corrected: Readonly<Record<string, readonly [make: Maker, rule: Rule]>> = {
  momentum: [(options) => sgd(rate, { ...options, momentum: 0.9 }), (g, moment) => moment("b", 0.9)(g)],
  Nesterov: [
    (options) => sgd(rate, { ...options, momentum: 0.8, isNesterov: true }),
    (g, moment) => g + 0.8 * moment("b", 0.8)(g),
  ],
  adam: [
    (options) => adam(rate, options),
    (g, moment, t) => {
      const m = moment("m", 0.9)(0.1 * g) / (1 - 0.9 ** t);
      return m / (Math.sqrt(moment("v", 0.999)(0.001 * g * g) / (1 - 0.999 ** t)) + 1e-8);
    },
  ],
  "adam without a first moment": [
    (options) => adam(rate, { ...options, beta1: 0, beta2: 0.5 }),
    (g, moment, t) => g / (Math.sqrt(moment("v", 0.5)(0.5 * g * g) / (1 - 0.5 ** t)) + 1e-8),
  ],
  "rmsprop, centred, with momentum": [
    (options) => rmsprop(rate, { ...options, alpha: 0.9, isCentered: true, momentum: 0.7, epsilon: 0.1 }),
    (g, moment) => {
      const [v, m] = [moment("v", 0.9)(0.1 * g * g), moment("m", 0.9)(0.1 * g)];
      return moment("b", 0.7)(g / (Math.sqrt(v - m * m) + 0.1));
    },
  ],
};

describe(`rows whose moments decay meanwhile take the steps of plain float64, ${NUM_STEPS} of them`, () => {
  for (const [name, [make, rule]] of Object.entries(corrected)) {
    test(name, async () => {
      const optimizer = make({ sparseParams });
      const expected: Values = { shape: [NUM_ROWS, WIDTH], data: byRows(rule) };
      const paths = [...interpreted(optimizer, linear, NUM_STEPS)];
      assertClose(named(paths.at(-1) ?? {}, "table"), expected, 1e-10, "table");
      for await (const { table } of run(engine, optimizer, linear, NUM_STEPS, NUM_STEPS)) {
        assertClose(table as Values, expected, 1e-4, "the engine's table");
        assert.deepEqual(unread(table), unread(start.table), "rows that no batch reads keep their bits");
      }
    });

    test(`${name}: a row that was read has the moments of steps over the whole table`, () => {
      const [rows, whole] = [make({ sparseParams }), make({})].map((optimizer) => stateAfter(optimizer, 42));
      const { ids, pairs } = batchAt(41);
      const read = new Set([...ids.data, ...pairs.data]);
      assert.ok(read.size > 1);
      for (const [state, values] of Object.entries(whole as Record<string, Values>)) {
        for (const r of state.endsWith(".table") ? read : []) {
          const rowOf = ({ data }: Values) => Array.from(data, Number).slice(r * WIDTH, (r + 1) * WIDTH);
          const [actual, expected] = [rowOf(named(rows ?? {}, state)), rowOf(values)];
          assertClose(
            { shape: [WIDTH], data: actual },
            { shape: [WIDTH], data: expected },
            1e-10,
            `${state}, row ${r}`,
          );
        }
      }
    });
  }
});

/** The state after so many steps on the linear loss. */
function stateAfter(optimizer: GradientTransformation, numSteps: number): Readonly<Record<string, Values>> {
  const graph = descent(optimizer, shapes, linear.gradsOf);
  let state: Readonly<Record<string, Values>> = { ...start, ...memoryOf(optimizer, shapes) };
  for (let step = 0; step < numSteps; step++) {
    state = interpret(graph, { ...state, ...batchAt(step), ...scalarsAt(optimizer.scalars, step) }).updates;
  }
  return state;
}

const every = (schedule: Schedule): Readonly<Record<string, Maker>> => ({
  sgd: (options) => sgd(schedule, options),
  momentum: (options) => sgd(schedule, { ...options, momentum: 0.9 }),
  adagrad: (options) => adagrad(schedule, options),
  rmsprop: (options) => rmsprop(schedule, { ...options, isCentered: true, momentum: 0.5 }),
  adam: (options) => adam(schedule, options),
  adamW: (options) => adamW(schedule, { ...options, decay: { rate: 0.1, except: ["embeddings.*"] } }),
});

describe("a training step", () => {
  const learnerWith = (make: Maker): Learner =>
    flightsLike({ optimizer: make({ sparseParams: ["embeddings.*"], clip: { norm: 1 } }) });
  for (const [name, make] of Object.entries(every(constantSchedule(1e-3)))) {
    test(`of ${name} changes rows in place and has no other tensor of a table's size`, () => {
      const graph = stepGraph(learnerWith(make), 1);
      const averaging = stepGraph({ ...learnerWith(make), ema: { decay: 0.9 } }, 0);
      for (const one of [graph, averaging]) assert.deepEqual(updatedInPlace(one), new Set(Object.keys(one.updates)));
      const large = topologicalOrder(rootsOf(graph)).filter(({ shape }) => shape[0] === 20);
      assert.deepEqual([...new Set(large.map(({ op }) => op))].sort(), ["input", "setRows"]);
      assert.ok(
        topologicalOrder(rootsOf(stepGraph(flightsLike(), 1))).some(({ op, shape }) => op === "add" && shape[0] === 20),
      );
    });
  }
});

test("vectors and tables of more axes have rows too", async () => {
  const many = { vector: { shape: [5] }, cube: { shape: [5, 2, 2] } };
  const problem: Problem = {
    shapes: many,
    start: { vector: float32(drawn("vector", 5)), cube: float32(drawn("cube", 20), [5, 2, 2]) },
    gradsOf(params) {
      const read = gather(named(params, "cube"), ids);
      const scaled = mul(read, reshape(gather(named(params, "vector"), ids), ["batch", 1, 1]));
      return gradsBy(reduceMean(square(scaled)), params);
    },
    feeds: (step) => ({ ids: int32([step % 4, (step * 3) % 4, step % 4]) }),
  };
  const expected = [...interpreted(adagrad(rate), problem, 20)].at(-1);
  for await (const params of run(engine, adagrad(rate, { sparseParams: ["*"] }), problem, 20, 20)) {
    assertAllClose(params, expected ?? {}, 1e-6, "params", 1);
  }
  const lazy = [...interpreted(adam(rate, { sparseParams: ["*"] }), problem, 20)].at(-1);
  for await (const params of run(engine, adam(rate, { sparseParams: ["*"] }), problem, 20, 20)) {
    assertAllClose(params, lazy ?? {}, 1e-5, "params", 1);
  }
});
