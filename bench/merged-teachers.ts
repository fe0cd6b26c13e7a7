/**
 * Whether several teachers of one architecture predict for less when they are computed together: `npm run bench:merged-teachers`, two
 * minutes. Three networks on one batch, as in a step: each with graphs of its own, and merged, with the first layer as one wide product where
 * all read the same numbers and all other products in batches of three matrices. The merged weights lie in the engine as they are
 * multiplied, so that this is the most that merging can bring.
 *
 * Both are computed in turn; CPU time, by which other processes on the machine change less than the clock.
 */
import { fileURLToPath } from "node:url";
import {
  add,
  concat,
  gather,
  input,
  matmul,
  mul,
  relu,
  reshape,
  sigmoid,
  slice,
  tanh,
  transpose,
} from "../src/graph/ops.js";
import type { Tensor, Tensors } from "../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { table } from "../src/report/format.js";
import { float32, int32, type NamedArrays } from "../src/runtime/array.js";
import { fold, normal, rootKey, uniform } from "../src/runtime/random.js";
import { byThreads, costOf, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";
import { flightsFeatures } from "./workloads.js";

const TEACHERS = 3;
const WARM_UP = 3;

/** A way to compute three networks: the weights that the engine keeps, and the predictions of each. */
interface Way {
  readonly weights: NamedArrays;
  readonly predictions: readonly Tensor[];
}

interface Case {
  readonly rounds: number;
  readonly feeds: NamedArrays;
  readonly separate: Way;
  readonly merged: Way;
}

const teachers = Array.from({ length: TEACHERS }, (_, i) => i);
const drawn = (name: string, shape: readonly number[], scale = 1) =>
  float32(
    normal(
      fold(rootKey(1), name),
      shape.reduce((product, size) => product * size, 1),
    ).map((value) => value * scale),
    shape,
  );
const inputsOf = (weights: NamedArrays): Tensors =>
  Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, input(name, shape)]));
const at = <T>(values: readonly T[], i: number): T => values[i] as T;

/** Arrays [...] one after the other along a new first axis. */
function stacked(arrays: readonly NamedArrays[string][]): NamedArrays[string] {
  const { shape, data } = at(arrays, 0);
  const all = new Float32Array(arrays.length * data.length);
  for (const [i, array] of arrays.entries()) all.set(array.data as Float32Array, i * data.length);
  return float32(all, [arrays.length, ...shape]);
}

/** Matrices [rows, columns] side by side: [rows, matrices x columns]. */
function sideBySide(arrays: readonly NamedArrays[string][]): NamedArrays[string] {
  const [rows = 1, columns = 1] = at(arrays, 0).shape;
  const all = new Float32Array(arrays.length * rows * columns);
  for (const [i, { data }] of arrays.entries()) {
    for (let row = 0; row < rows; row++)
      all.set((data as Float32Array).subarray(row * columns, (row + 1) * columns), (row * arrays.length + i) * columns);
  }
  return float32(all, [rows, arrays.length * columns]);
}

const widthsOf = (first: number, hidden: readonly number[]) => [first, ...hidden, 1];
const layerName = (teacher: number, layer: number, part: string) => `t${teacher}.${layer}.${part}`;

function layerWeights(widths: readonly number[]): NamedArrays {
  const entries = teachers.flatMap((t) =>
    widths.slice(1).flatMap((outputs, i) => {
      const inputs = at(widths, i);
      return [
        [
          layerName(t, i, "weight"),
          drawn(layerName(t, i, "weight"), [inputs, outputs], Math.sqrt(2 / inputs)),
        ] as const,
        [layerName(t, i, "bias"), drawn(layerName(t, i, "bias"), [outputs], 0.1)] as const,
      ];
    }),
  );
  return Object.fromEntries(entries);
}

/** The layers of each network, from its own first rows. */
function separateLayers(weights: Tensors, rows: readonly Tensor[], numLayers: number): Tensor[] {
  return teachers.map((t) => {
    let x = at(rows, t);
    for (let i = 0; i < numLayers; i++) {
      const weight = weights[layerName(t, i, "weight")] as Tensor;
      x = add(matmul(i === 0 ? x : relu(x), weight), weights[layerName(t, i, "bias")] as Tensor);
    }
    return x;
  });
}

/** The layers from `first` on as products of three matrices, from rows [teachers, batch, width]; and their weights. */
function mergedLayers(own: NamedArrays, widths: readonly number[], first: number) {
  const weights: Record<string, NamedArrays[string]> = {};
  for (let i = first; i < widths.length - 1; i++) {
    const of = (part: string) => teachers.map((t) => own[layerName(t, i, part)] as NamedArrays[string]);
    weights[`all.${i}.weight`] = stacked(of("weight"));
    weights[`all.${i}.bias`] = float32(stacked(of("bias")).data as Float32Array, [TEACHERS, 1, at(widths, i + 1)]);
  }
  const tensors = inputsOf(weights);
  const through = (rows: Tensor): Tensor[] => {
    let x = rows;
    for (let i = first; i < widths.length - 1; i++) {
      x = add(matmul(i === 0 ? x : relu(x), tensors[`all.${i}.weight`] as Tensor), tensors[`all.${i}.bias`] as Tensor);
    }
    return apart(x);
  };
  return { weights, through };
}

/** [teachers, ...] as one tensor for each. */
function apart(x: Tensor): Tensor[] {
  const rest = x.shape.slice(1) as number[];
  return teachers.map((t) => reshape(slice(x, 0, t, t + 1), rest));
}

/** [batch, teachers, width] as [teachers, batch, width]. */
const byTeacher = (x: Tensor) => transpose(x, [1, 0, 2]);

/** Multilayer perceptrons over the same numbers: the first layer is one product over all weights. */
function ofNumbers(rounds: number, batch: number, numbers: number, hidden: readonly number[]): Case {
  const widths = widthsOf(numbers, hidden);
  const x = input("x", [batch, numbers]);
  const own = layerWeights(widths);
  const { weights, through } = mergedLayers(own, widths, 1);
  const wide = at(hidden, 0);
  const of = (part: string) => teachers.map((t) => own[layerName(t, 0, part)] as NamedArrays[string]);
  const first = {
    "wide.weight": sideBySide(of("weight")),
    "wide.bias": float32(stacked(of("bias")).data as Float32Array, [TEACHERS * wide]),
  };
  const { "wide.weight": weight, "wide.bias": bias } = inputsOf(first) as Record<keyof typeof first, Tensor>;
  const rows = reshape(add(matmul(x, weight), bias), [batch, TEACHERS, wide]);
  return {
    rounds,
    feeds: { x: drawn("x", [batch, numbers]) },
    separate: {
      weights: own,
      predictions: separateLayers(
        inputsOf(own),
        teachers.map(() => x),
        widths.length - 1,
      ),
    },
    merged: { weights: { ...weights, ...first }, predictions: through(byTeacher(rows)) },
  };
}

/** Multilayer perceptrons over names: each has embeddings of its own, of which the merged one takes those of all in one row. */
function ofNames(rounds: number, batch: number, hidden: readonly number[]): Case {
  const features = Object.entries(flightsFeatures.categorical);
  const width = features.reduce((sum, [, one]) => sum + one.width, 0) + 1;
  const widths = widthsOf(width, hidden);
  const number = input("number", [batch, 1]);
  const ids = features.map(([name]) => input(name, [batch], "int32"));
  const own = layerWeights(widths);
  const tables = Object.fromEntries(
    teachers.flatMap((t) =>
      features.map(([name, one]) => [`t${t}.${name}`, drawn(`t${t}.${name}`, [one.numIds, one.width], 0.1)]),
    ),
  );
  const tensors = inputsOf({ ...own, ...tables });
  const rows = teachers.map((t) =>
    concat([...features.map(([name], i) => gather(tensors[`t${t}.${name}`] as Tensor, at(ids, i))), number], 1),
  );
  const wide = Object.fromEntries(
    features.map(([name]) => [
      `all.${name}`,
      sideBySide(teachers.map((t) => tables[`t${t}.${name}`] as NamedArrays[string])),
    ]),
  );
  const wideTensors = inputsOf(wide);
  const { weights, through } = mergedLayers(own, widths, 0);
  const all = concat(
    [
      ...features.map(([name, one], i) =>
        reshape(gather(wideTensors[`all.${name}`] as Tensor, at(ids, i)), [batch, TEACHERS, one.width]),
      ),
      concat(
        teachers.map(() => reshape(number, [batch, 1, 1])),
        1,
      ),
    ],
    2,
  );
  return {
    rounds,
    feeds: {
      number: drawn("number", [batch, 1]),
      ...Object.fromEntries(
        features.map(([name, { numIds }]) => [
          name,
          int32(Int32Array.from(uniform(fold(rootKey(1), name), batch), (u) => Math.floor(u * numIds))),
        ]),
      ),
    },
    separate: { weights: { ...own, ...tables }, predictions: separateLayers(tensors, rows, widths.length - 1) },
    merged: { weights: { ...weights, ...wide }, predictions: through(byTeacher(all)) },
  };
}

/** Gated cells, h' = sigmoid(a) tanh(b) with [a, b] = x + h U, over some steps: the products of an LSTM, which wait for one another. */
function ofCells(rounds: number, batch: number, hidden: number, steps: number): Case {
  const names = teachers.map((t) => `t${t}.recurrent`);
  const own = Object.fromEntries(names.map((name) => [name, drawn(name, [hidden, 4 * hidden], 1 / Math.sqrt(hidden))]));
  const x = input("x", [batch, 4 * hidden]);
  const cell = (gates: Tensor, axis: number) => {
    const part = (i: number) => slice(gates, axis, i * hidden, (i + 1) * hidden);
    return mul(mul(sigmoid(part(0)), tanh(part(1))), mul(sigmoid(part(2)), tanh(part(3))));
  };
  const tensors = inputsOf(own);
  const separate = names.map((name) => {
    let h = cell(x, 1);
    for (let step = 1; step < steps; step++) h = cell(add(x, matmul(h, tensors[name] as Tensor)), 1);
    return h;
  });
  const all = { "all.recurrent": stacked(names.map((name) => own[name] as NamedArrays[string])) };
  const recurrent = inputsOf(all)["all.recurrent"] as Tensor;
  const each = reshape(x, [1, batch, 4 * hidden]);
  const begin = cell(each, 2);
  let h = concat(
    teachers.map(() => begin),
    0,
  );
  for (let step = 1; step < steps; step++) h = cell(add(each, matmul(h, recurrent)), 2);
  return {
    rounds,
    feeds: { x: drawn("x", [batch, 4 * hidden]) },
    separate: { weights: own, predictions: separate },
    merged: { weights: all, predictions: apart(h) },
  };
}

/** The two products of a transformer's block between its norms, over the rows of a batch, which each network has of its own. */
function ofBlocks(rounds: number, rows: number, width: number): Case {
  const widths = [width, 4 * width, width];
  const own = layerWeights(widths);
  const { weights, through } = mergedLayers(own, widths, 0);
  const x = input("x", [TEACHERS, rows, width]);
  return {
    rounds,
    feeds: { x: drawn("x", [TEACHERS, rows, width]) },
    separate: { weights: own, predictions: separateLayers(inputsOf(own), apart(x), widths.length - 1) },
    merged: { weights, predictions: through(x) },
  };
}

const cases: Readonly<Record<string, () => Case>> = {
  "table, 20 numbers, 256 rows": () => ofNumbers(400, 256, 20, [128, 64]),
  "table, 20 numbers, 2,048 rows": () => ofNumbers(200, 2048, 20, [128, 64]),
  "click, 256 rows": () => ofNumbers(20, 256, 1000, [2560, 1024, 256]),
  "flights, 256 rows": () => ofNames(400, 256, [128, 64]),
  "flights, 2,048 rows": () => ofNames(200, 2048, [128, 64]),
  // Of TabM with 8 members, whose products are of 8 rows for each row of the table.
  "flights, 8 members, 256 rows": () => ofNumbers(150, 2048, 61, [128, 128]),
  "LSTM cells, 32 texts, 512 hidden": () => ofCells(15, 32, 512, 32),
  "LSTM cells, 8 texts, 64 hidden": () => ofCells(150, 8, 64, 32),
  "transformer block, 1,024 tokens": () => ofBlocks(30, 1024, 256),
  "transformer block, 128 tokens": () => ofBlocks(300, 128, 64),
};

interface Figures {
  readonly name: string;
  readonly threads: number;
  /** CPU time of all three networks, in milliseconds, and of the merged ones over the separate ones just before. */
  readonly separateMs: number;
  readonly mergedMs: number;
  readonly cpuRatio: number;
  readonly wallRatio: number;
  /** The largest difference of a prediction, over the largest prediction. */
  readonly difference: number;
}

async function measure(name: string, threads: number): Promise<Figures> {
  const { rounds, feeds, separate, merged } = (cases[name] as () => Case)();
  const engine = onnxRuntimeEngine({ threads });
  const [first, second] = await Promise.all(
    [separate, merged].map(async ({ weights, predictions }) => {
      await engine.write(weights);
      const program = await engine.compile({
        outputs: Object.fromEntries(predictions.map((one, i) => [`prediction.${i}`, one])),
        updates: {},
      });
      return () => costOf(() => program.run(feeds));
    }),
  );
  if (!first || !second) throw new Error("internal: there are two ways");
  const pairs: (readonly [Awaited<ReturnType<typeof first>>, Awaited<ReturnType<typeof first>>])[] = [];
  for (let round = -WARM_UP; round < rounds; round++) {
    const pair = [await first(), await second()] as const;
    if (round >= 0) pairs.push(pair);
  }
  const [[one, other]] = pairs as [(typeof pairs)[number]];
  let [most, difference] = [0, 0];
  for (const i of teachers) {
    const [a, b] = [one, other].map(({ result }) => result[`prediction.${i}`]?.data as Float32Array) as [
      Float32Array,
      Float32Array,
    ];
    for (const [k, value] of a.entries()) {
      most = Math.max(most, Math.abs(value));
      difference = Math.max(difference, Math.abs(value - (b[k] ?? Number.NaN)));
    }
  }
  await engine.close();
  return {
    ...{ name, threads },
    separateMs: median(pairs.map(([a]) => a.cpuMs)),
    mergedMs: median(pairs.map(([, b]) => b.cpuMs)),
    cpuRatio: median(pairs.map(([a, b]) => b.cpuMs / a.cpuMs)),
    wallRatio: median(pairs.map(([a, b]) => b.wallMs / a.wallMs)),
    difference: difference / most,
  };
}

const [name, threads] = process.argv.slice(2);
if (process.send && name && threads) {
  process.send(await measure(name, Number(threads)));
} else {
  const machine = thisMachine();
  const results = await byThreads<Figures>(fileURLToPath(import.meta.url), Object.keys(cases));
  const rows = results.map((one) => [
    ...[one.name, String(one.threads), `${one.separateMs.toFixed(2)} ms`, `${one.mergedMs.toFixed(2)} ms`],
    ...[one.cpuRatio.toFixed(2), one.wallRatio.toFixed(2), one.difference.toExponential(1)],
  ]);
  const head = ["three networks", "threads", "separate", "merged", "CPU time over", "time over", "difference"];
  process.stdout.write(`${table([head, ...rows]).join("\n")}\n`);
  await writeFigures("merged-teachers", machine, results);
}
