/**
 * What the parts of the networks of tables cost a step, on the names and the number of the flights: `npm run bench:tables`,
 * about a minute.
 *
 * All networks take a step in turn, so that each meets the same machine as the multilayer perceptron that it is held against.
 */
import { membersObjective } from "../src/nn/members.js";
import { type MlpOptions, mlp } from "../src/nn/mlp.js";
import { NUM_QUANTILES } from "../src/nn/numeric-embedding.js";
import { tabm } from "../src/nn/tabm.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { muon } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import { count, table } from "../src/report/format.js";
import { sizeOf } from "../src/runtime/array.js";
import { mapValues, named } from "../src/runtime/named.js";
import { normal, rootKey, uniform } from "../src/runtime/random.js";
import type { Learner } from "../src/train/graphs.js";
import { engineStudent } from "../src/train/student.js";
import { writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";
import { flightsFeatures, workloads } from "./workloads.js";

const THREADS = 2;
const WARM_UP = 3;
const STEPS = 40;

const { learner: base, batch: rows } = workloads.flights();
/** With what fixed teachers predict, which learners without them leave alone. */
const batch = {
  ...rows,
  targets: { ...named(rows, "labels"), data: uniform(rootKey(4), sizeOf(named(rows, "labels").shape)) },
};
const quantiles = [...normal(rootKey(3), NUM_QUANTILES)].sort((a, b) => a - b);
const spread = { ...flightsFeatures, numeric: mapValues(flightsFeatures.numeric, (one) => ({ ...one, quantiles })) };
const members = 8;
const plain = { ...flightsFeatures, hidden: [128, 64] };
const withNumbers = (numericEmbedding: MlpOptions["numericEmbedding"]) =>
  ({ ...base, model: mlp({ ...spread, hidden: plain.hidden, numericEmbedding }) }) satisfies Learner;
const several = (membersPerRow?: number) =>
  ({
    ...base,
    model: tabm({ ...plain, members, membersPerRow }),
    objective: membersObjective(base.objective),
  }) satisfies Learner;

/** The first is what the others are held against. */
const cases: Readonly<Record<string, Learner>> = {
  "multilayer perceptron": base,
  "the same once more": base,
  "numbers by piecewise bins": withNumbers({ kind: "piecewise", bins: 16 }),
  "numbers by periodic functions": withNumbers({ kind: "periodic", frequencies: 16, sigma: 0.1, width: 8 }),
  "dropout of a tenth": { ...base, model: mlp({ ...plain, dropout: 0.1 }) },
  "tabm, 1 member": { ...several(), model: tabm({ ...plain, members: 1 }) },
  "tabm, 8 members, 1 a row": several(1),
  "tabm, 8 members, 2 a row": several(2),
  "tabm, 8 members": several(),
  "taught by fixed teachers": { ...base, fixedTeachers: { weight: 0.5 } },
  "Muon in place of Adam": { ...base, optimizer: muon(constantSchedule(0.01)) },
};

interface Figures {
  readonly network: string;
  /** Of a step, the median. */
  readonly milliseconds: number;
  /** The median of its step over that of the first network just before it. */
  readonly ratio: number;
}

const machine = thisMachine();
const students = await Promise.all(
  Object.entries(cases).map(async ([network, learner]) => {
    const engine = onnxRuntimeEngine({ threads: THREADS });
    const student = engineStudent({ engine, learner });
    await student.init(rootKey(1));
    return { network, engine, student, times: [] as number[] };
  }),
);
for (let step = -WARM_UP; step < STEPS; step++) {
  for (const { student, times } of students) {
    const started = performance.now();
    await student.learn([batch], [], 0);
    if (step >= 0) times.push(performance.now() - started);
  }
}
const first = students[0]?.times ?? [];
const results = students.map(
  ({ network, times }): Figures => ({
    network,
    milliseconds: median(times),
    ratio: median(times.map((time, step) => time / (first[step] ?? Number.NaN))),
  }),
);
for (const { engine } of students) await engine.close();
const numRows = batch.targets.shape[0] ?? 0;
const lines = results.map(({ network, milliseconds, ratio }) => [
  network,
  `${milliseconds.toFixed(2)} ms`,
  ratio.toFixed(2),
]);
process.stdout.write(`a step on ${count(numRows)} rows of the flights, ${THREADS} threads\n`);
process.stdout.write(`${table([["network", "a step", "ratio"], ...lines]).join("\n")}\n`);
await writeFigures("table-networks", machine, results);
