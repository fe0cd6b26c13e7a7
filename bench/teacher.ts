/**
 * What teachers cost a step of the networks of `specs.ts`, in float32 and in 8 bits, on all of a batch and on half of it, and how long
 * the first step takes: `npm run bench:teacher`, about eight minutes.
 *
 * Students take steps without a teacher and with teachers in turn, so that all meet the same machine; what is compared is the CPU
 * time of steps that followed one another, which other processes change less than the clock. Each case in a process of its own.
 */
import { fileURLToPath } from "node:url";
import { initWeights } from "../src/nn/model.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { table } from "../src/report/format.js";
import { rootKey } from "../src/runtime/random.js";
import type { Distillation } from "../src/train/graphs.js";
import { engineStudent } from "../src/train/student.js";
import { byThreads, type Cost, costOf, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import type { WorkloadName } from "./specs.js";
import { median } from "./statistics.js";
import { workloads } from "./workloads.js";

const NUM_WARM_UP = 2;
/** Rounds of each network, in which every student takes a step. */
const ROUNDS = { click: 25, flights: 300, lstm: 9, transformer: 21, llama: 11 } as const satisfies Partial<
  Record<WorkloadName, number>
>;
/** Examples of a batch of each. */
const EXAMPLES = { click: 256, flights: 2048, lstm: 32, transformer: 16, llama: 8 } as const;

type Network = keyof typeof ROUNDS;

/** How teachers teach, by what the columns are called. */
const ways = (of: number): Readonly<Record<string, { distillation: Distillation; numTeachers: number }>> => {
  const taught = { first: of / 2, of };
  const teacherPrecision = "int8";
  return {
    "1 in float32": { distillation: {}, numTeachers: 1 },
    "1 in int8": { distillation: { teacherPrecision }, numTeachers: 1 },
    "1 in float32, on half": { distillation: { taught }, numTeachers: 1 },
    "1 in int8, on half": { distillation: { taught, teacherPrecision }, numTeachers: 1 },
    "3 in float32": { distillation: {}, numTeachers: 3 },
    "3 in int8": { distillation: { teacherPrecision }, numTeachers: 3 },
    "3 in int8, on half": { distillation: { taught, teacherPrecision }, numTeachers: 3 },
  };
};

interface Figures {
  readonly network: string;
  readonly threads: number;
  /** Drawing the first params, and the first step, with its graph and the compilation of that; the same with a teacher. */
  readonly drawnMs: number;
  readonly firstMs: number;
  readonly firstTaughtMs: number;
  /** Of a step without a teacher, the medians. */
  readonly alone: Cost;
  /** Of each way to teach the medians, and the medians of its steps over those without a teacher just before. */
  readonly taught: Readonly<Record<string, Cost & { readonly cpuRatio: number; readonly wallRatio: number }>>;
}

async function measure(network: Network, threads: number): Promise<Figures> {
  const { learner, batch } = workloads[network]();
  const teachers = [0, 1, 2].map((i) => ({
    group: i + 1,
    step: 0,
    digest: String(i),
    params: initWeights(learner.model, rootKey(2 + i)),
  }));
  const begun = performance.now();
  const engines = [onnxRuntimeEngine({ threads })];
  const alone = engineStudent({ engine: engines[0] as (typeof engines)[number], learner });
  await alone.init(rootKey(1));
  const drawnMs = performance.now() - begun;
  const stepCost = (student: typeof alone, numTeachers: number): Promise<Cost> =>
    costOf(() => student.learn([batch], teachers.slice(0, numTeachers), 1));
  const { wallMs: firstMs } = await stepCost(alone, 0);
  const { wallMs: firstTaughtMs } = await stepCost(alone, 1);
  const arms = await Promise.all(
    Object.entries(ways(EXAMPLES[network])).map(async ([way, { distillation, numTeachers }]) => {
      const engine = onnxRuntimeEngine({ threads });
      engines.push(engine);
      const student = engineStudent({ engine, learner: { ...learner, distillation } });
      await student.init(rootKey(1));
      return { way, take: () => stepCost(student, numTeachers), pairs: [] as [alone: Cost, taught: Cost][] };
    }),
  );
  for (let round = -NUM_WARM_UP; round < ROUNDS[network]; round++) {
    for (const { take, pairs } of arms) {
      // Each way has a step without a teacher just before, as a machine gets faster and slower.
      const pair: [Cost, Cost] = [await stepCost(alone, 0), await take()];
      if (round >= 0) pairs.push(pair);
    }
  }
  for (const engine of engines) await engine.close();
  const medianOf = (costs: readonly Cost[]): Cost => ({
    cpuMs: median(costs.map(({ cpuMs }) => cpuMs)),
    wallMs: median(costs.map(({ wallMs }) => wallMs)),
  });
  const taught = arms.map(({ way, pairs }) => {
    const ratio = (of: keyof Cost) => median(pairs.map(([without, withOne]) => withOne[of] / without[of]));
    return [way, { ...medianOf(pairs.map(([, one]) => one)), cpuRatio: ratio("cpuMs"), wallRatio: ratio("wallMs") }];
  });
  return {
    ...{ network, threads, drawnMs, firstMs, firstTaughtMs },
    alone: medianOf(arms.flatMap(({ pairs }) => pairs.map(([one]) => one))),
    taught: Object.fromEntries(taught),
  };
}

const [network, threads] = process.argv.slice(2);
if (process.send && network && threads) {
  process.send(await measure(network as Network, Number(threads)));
} else {
  const machine = thisMachine();
  const results = await byThreads<Figures>(fileURLToPath(import.meta.url), Object.keys(ROUNDS));
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
  const first = results.map((one) => [
    ...[one.network, String(one.threads), seconds(one.drawnMs), seconds(one.firstMs), seconds(one.firstTaughtMs)],
    `${one.alone.cpuMs.toFixed(1)} ms`,
    `${one.alone.wallMs.toFixed(1)} ms`,
  ]);
  const head = ["network", "threads", "first params", "the first step", "with a teacher", "CPU time of a step", "time"];
  process.stdout.write(`${table([head, ...first]).join("\n")}\n\n`);
  const costs = Object.keys(results[0]?.taught ?? {}).flatMap((way) =>
    results.map(({ network: of, threads: count, taught: { [way]: cost } }) => [
      ...[of, String(count), way, `${cost?.cpuMs.toFixed(1)} ms`, cost?.cpuRatio.toFixed(2) ?? ""],
      ...[`${cost?.wallMs.toFixed(1)} ms`, cost?.wallRatio.toFixed(2) ?? ""],
    ]),
  );
  const heads = [
    "network",
    "threads",
    "teachers",
    "CPU time of a step",
    "over one without",
    "time",
    "over one without",
  ];
  process.stdout.write(`${table([heads, ...costs]).join("\n")}\n`);
  await writeFigures("teacher", machine, results);
}
