/**
 * Whether students learn as much from teachers in 8 bits, and from teachers that see half of each batch: `npm run bench:teacher-quality`,
 * about ten minutes.
 *
 * Two students teach one another from a quarter of their steps on, with new snapshots every 25 steps, once in each way and for each
 * seed, on numbers that lie far apart beside names, and on the bytes of this repository's sources. A seed has the same params and
 * batches in every way, so ways are compared seed by seed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { input } from "../src/graph/ops.js";
import { binary } from "../src/nn/losses.js";
import { mlp } from "../src/nn/mlp.js";
import { carry, inputTensors, paramTensors, stateTensors } from "../src/nn/model.js";
import { transformerLanguageModel } from "../src/nn/transformer-language-model.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { adam } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import { table } from "../src/report/format.js";
import { filled, float32, int32, type NamedArrays } from "../src/runtime/array.js";
import { mapValues, named, withPrefix } from "../src/runtime/named.js";
import { fold, type Key, normal, rootKey, uniform } from "../src/runtime/random.js";
import { type Distillation, type Learner, stateNames } from "../src/train/graphs.js";
import { engineStudent } from "../src/train/student.js";
import { languageModel, languageTask } from "../test/fixtures/sequence-models.js";
import { measuredBy, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { mean } from "./statistics.js";

const STEPS = 300;
const EXCHANGE = 25;
const VALIDATION = 20;

interface Task {
  readonly learner: Learner;
  readonly batchSize: number;
  readonly numSeeds: number;
  /** Batch `step` of a student; those of validation are another student's. */
  readonly batch: (student: string, step: number) => NamedArrays;
}

const NUMBERS = 20;
const NAMES = 10;
const ROWS = 512;
const range = (length: number) => [...Array(length).keys()];

/** Log-normal numbers and names, and labels by a logistic function of both and of one product. */
function tableTask(seed: number): Task {
  const key = rootKey(seed);
  const slopes = normal(fold(rootKey(0), "slopes"), NUMBERS);
  const effects = range(NAMES).map((i) => normal(fold(rootKey(0), `effects ${i}`), 100));
  const model = mlp({
    numeric: Object.fromEntries(range(NUMBERS).map((i) => [`n${i}`, { mean: Math.exp(0.5), std: 2.16 }])),
    categorical: Object.fromEntries(range(NAMES).map((i) => [`c${i}`, { numIds: 100, width: 16 }])),
    hidden: [256, 128],
  });
  const batch = (student: string, step: number): NamedArrays => {
    const drawn = fold(fold(key, student), step);
    const z = range(NUMBERS).map((i) => normal(fold(drawn, `n${i}`), ROWS));
    const ids = range(NAMES).map((i) =>
      Int32Array.from(uniform(fold(drawn, `c${i}`), ROWS), (u) => Math.floor(100 * u)),
    );
    const labels = uniform(fold(drawn, "label"), ROWS).map((u, row) => {
      const at = (i: number) => z[i]?.[row] ?? 0;
      const ofNumbers = range(NUMBERS).reduce((sum, i) => sum + 0.4 * (slopes[i] ?? 0) * at(i), 0.5 * at(0) * at(1));
      const ofNames = range(NAMES).reduce((sum, i) => sum + 0.5 * (effects[i]?.[ids[i]?.[row] ?? 0] ?? 0), 0);
      return Number(u < 1 / (1 + Math.exp(-ofNumbers - ofNames)));
    });
    const numbers = Object.fromEntries(z.map((values, i) => [`n${i}`, float32(values.map(Math.exp))]));
    const names = Object.fromEntries(ids.map((values, i) => [`c${i}`, int32(values)]));
    return { ...withPrefix("features", { ...numbers, ...names }), labels: float32(labels) };
  };
  return {
    learner: { model, objective: binary, optimizer: adam(constantSchedule(1e-3)) },
    batchSize: ROWS,
    numSeeds: 5,
    batch,
  };
}

/** The sources of this repository. */
function sources(): Buffer {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return Buffer.concat(files.sort().map((name) => readFileSync(join("src", name))));
}

const BYTES = 256;

/** Of texts of so many bytes: the last tenth is for validation, and the rest is cut into as many lanes as both students have texts. */
function textTask(learner: Learner, batchSize: number, length: number, isLanes: boolean): Task {
  const text = sources();
  const begin = Math.floor(0.9 * text.length);
  const labels = named(learner.objective as { labels: { shape: readonly number[] } }, "labels").shape;
  const batch = (student: string, step: number): NamedArrays => {
    const isValidation = student === "validation";
    const lane = Math.floor((isValidation ? text.length - begin : begin / 2) / batchSize);
    const first = isValidation ? begin : student === "0" ? 0 : begin / 2;
    const [ids, next] = [0, 1].map((ahead) => {
      const tokens = new Int32Array(batchSize * length);
      for (const [place] of tokens.entries()) {
        const [of, time] = isLanes
          ? [place % batchSize, Math.floor(place / batchSize)]
          : [Math.floor(place / length), place % length];
        tokens[place] =
          text[Math.floor(first + of * lane + ((step * length) % (lane - length - 1)) + time + ahead)] ?? 0;
      }
      return tokens;
    }) as [Int32Array, Int32Array];
    return { ids: int32(ids, isLanes ? [length, batchSize] : [batchSize, length]), labels: int32(next, [...labels]) };
  };
  return { learner, batchSize, numSeeds: 3, batch };
}

const optimizer = adam(constantSchedule(2e-3));

const tasks: Readonly<Record<string, (seed: number) => Task>> = {
  table: tableTask,
  lstm: () => {
    const sizes = { sequenceLength: 32, batchSize: 16, vocabulary: BYTES, width: 64, hidden: 128 };
    return textTask({ ...languageModel(sizes), optimizer }, 16, 32, true);
  },
  transformer: () => {
    const sizes = { sequenceLength: 64, batchSize: 8, vocabulary: BYTES, width: 128, numHeads: 4, numLayers: 2 };
    return textTask({ ...languageTask(transformerLanguageModel(sizes), BYTES), optimizer }, 8, 64, false);
  },
};

const ways = (of: number): Readonly<Record<string, Distillation | null>> => ({
  float32: {},
  int8: { teacherPrecision: "int8" },
  "float32, on half": { taught: { first: of / 2, of } },
  "int8, on half": { teacherPrecision: "int8", taught: { first: of / 2, of } },
  "no teacher": null,
});

/** The mean of both students' losses on validation batches. */
async function trained({ learner, batch }: Task, distillation: Distillation | null, key: Key): Promise<number> {
  const of: Learner = { ...learner, distillation: distillation ?? {} };
  const { model, objective } = of;
  const pair = await Promise.all(
    ["0", "1"].map(async (name) => {
      const engine = onnxRuntimeEngine({ threads: 1 });
      const student = engineStudent({ engine, learner: of, key: fold(key, name) });
      await student.init(fold(key, name));
      const { shape, dtype } = objective.labels ?? { shape: ["batch"] as const, dtype: "float32" as const };
      const weights = { ...paramTensors(model, stateNames.params), ...stateTensors(model, "fresh") };
      const { logits } = carry(model, weights, inputTensors(model));
      const loss = objective.labelLoss(logits, input("labels", shape, dtype));
      return { name, engine, student, validate: await engine.compile({ outputs: { loss }, updates: {} }) };
    }),
  );
  let snapshots: { group: number; step: number; digest: string; params: NamedArrays }[] = [];
  for (let step = 0; step < STEPS; step++) {
    if (distillation && step >= STEPS / 4 && step % EXCHANGE === 0) {
      snapshots = await Promise.all(
        pair.map(async ({ student }, group) => ({
          group,
          step,
          digest: `${group} ${step}`,
          params: await student.params(),
        })),
      );
    }
    for (const [i, { name, student }] of pair.entries())
      await student.learn([batch(name, step)], snapshots.slice(1 - i, 2 - i), 1);
  }
  const fresh = withPrefix(
    "fresh",
    mapValues(model.state ?? {}, ({ shape, fill }) => filled(shape, fill)),
  );
  const losses: number[] = [];
  for (const { engine, student, validate } of pair) {
    for (let step = 0; step < VALIDATION; step++) {
      const { loss } = await validate.run({ ...batch("validation", step), ...fresh });
      losses.push(Number(loss?.data[0]));
    }
    await student.close();
    await engine.close();
  }
  return mean(losses);
}

const std = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));

interface Figures {
  readonly task: string;
  readonly way: string;
  /** Of each seed. */
  readonly losses: readonly number[];
}

async function measure(task: string): Promise<{ readonly all: readonly Figures[] }> {
  const of = named(tasks, task);
  const { batchSize, numSeeds } = of(1);
  const all: Figures[] = [];
  for (const [way, distillation] of Object.entries(ways(batchSize))) {
    const losses: number[] = [];
    for (let seed = 1; seed <= numSeeds; seed++) losses.push(await trained(of(seed), distillation, rootKey(seed)));
    all.push({ task, way, losses });
    process.stderr.write(`${task}, ${way}\n`);
  }
  return { all };
}

const [task] = process.argv.slice(2);
if (process.send && task) process.send(await measure(task));
else await report();

async function report(): Promise<void> {
  const machine = thisMachine();
  const script = fileURLToPath(import.meta.url);
  const measured = await Promise.all(
    Object.keys(tasks).map((name) => measuredBy<{ all: readonly Figures[] }>(script, [name])),
  );
  const results = measured.flatMap(({ all }) => all);
  const lines = results.map(({ task, way, losses }) => {
    const base = results.find((one) => one.task === task)?.losses ?? [];
    const differences = losses.map((loss, i) => loss - (base[i] ?? Number.NaN));
    const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(4)}`;
    return [
      ...[task, way, mean(losses).toFixed(4), std(losses).toFixed(4)],
      ...[signed(mean(differences)), std(differences).toFixed(4)],
    ];
  });
  const head = ["task", "teachers", "validation loss", "std over seeds", "over that of float32", "std of that"];
  process.stdout.write(`${table([head, ...lines]).join("\n")}\n`);
  await writeFigures("teacher-quality", machine, results);
}
