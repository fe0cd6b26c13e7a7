/**
 * What more workers gain a training step: `npm run bench:workers`, about three minutes on a quiet machine.
 *
 * A workload of `specs.ts` on one batch, cut into equal parts for the workers: one worker of one thread, one worker of as many threads as
 * the machine has cores, and as many workers of one thread each. Every case in processes of its own, several rounds, their order turned
 * round from one to the next. Medians of the steps of all rounds, and ratios of the medians of one round.
 *
 *     npm run bench:workers -- --rounds 3 --workloads click,llama
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { followOnThread, threadCrew } from "../src/node/comm/thread-crew.js";
import { type ThreadBoard, threadCommunicator } from "../src/node/comm/threads.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { threadedEngine } from "../src/node/ort/threaded-engine.js";
import { table } from "../src/report/format.js";
import { rootKey } from "../src/runtime/random.js";
import { engineStudent } from "../src/train/student.js";
import { measuredBy, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { isWorkload, type WorkloadName } from "./specs.js";
import { median } from "./statistics.js";
import { workloads } from "./workloads.js";

/** Without those whose state goes from batch to batch, which several workers refuse. */
const batchSizes = { click: 256, flights: 2048, transformer: 16, llama: 8, residual64: 64 } as const satisfies Partial<
  Record<WorkloadName, number>
>;
type WorkerWorkload = keyof typeof batchSizes;

const WARM_UP = 3;
const START = { epoch: 0, position: 0 };

interface Case {
  readonly workers: number;
  readonly threads: number;
}

interface Figures {
  readonly ms: readonly number[];
  /** Of each worker, the median of its milliseconds for gradients and for sums. */
  readonly workers: readonly { readonly computeMs: number; readonly reduceMs: number }[];
  readonly peakRssBytes: number;
  /** User and system milliseconds of a step. */
  readonly cpuMs: number;
}

/** The part of a workload that one of so many workers has. */
const partOf = (name: WorkerWorkload, workers: number) => workloads[name](batchSizes[name] / workers);

async function measure(name: WorkerWorkload, { workers, threads }: Case, numSteps: number): Promise<Figures> {
  const { learner, batch } = partOf(name, workers);
  const each = threads / workers;
  const engine = threadedEngine({ threads: each });
  const updater = workers > 1 ? threadedEngine({ threads }) : engine;
  const start = (rank: number, board: ThreadBoard) =>
    new Worker(fileURLToPath(import.meta.url), { workerData: { name, rank, board, threads: each } });
  const crew =
    workers > 1 ? threadCrew({ engine, updater, learner, size: workers, start, cursor: () => START }) : undefined;
  const student = engineStudent({ engine, learner, crew });
  await student.init(rootKey(1));
  const ms: number[] = [];
  const seconds: (readonly { readonly compute: number; readonly reduce: number }[])[] = [];
  let cpu = process.cpuUsage();
  for (let step = -WARM_UP; step < numSteps; step++) {
    if (step === 0) cpu = process.cpuUsage();
    const began = performance.now();
    const metrics = await student.learn([batch], [], 0);
    if (step < 0) continue;
    ms.push(performance.now() - began);
    seconds.push(metrics.workers ?? []);
  }
  const { user, system } = process.cpuUsage(cpu);
  await crew?.close();
  await student.close();
  await engine.close();
  if (updater !== engine) await updater.close();
  const medianOf = (rank: number, what: "compute" | "reduce") =>
    1000 * median(seconds.map((all) => all[rank]?.[what] ?? 0));
  return {
    ms,
    workers: Array.from({ length: crew ? workers : 0 }, (_, rank) => ({
      computeMs: medianOf(rank, "compute"),
      reduceMs: medianOf(rank, "reduce"),
    })),
    peakRssBytes: 1024 * process.resourceUsage().maxRSS,
    cpuMs: (user + system) / 1000 / numSteps,
  };
}

async function work(): Promise<void> {
  const { name, rank, board, threads } = workerData as {
    readonly name: WorkerWorkload;
    readonly rank: number;
    readonly board: ThreadBoard;
    readonly threads: number;
  };
  const engine = onnxRuntimeEngine({ threads });
  const { learner, batch } = partOf(name, board.size);
  const stream = { next: () => batch, cursor: START, goTo() {} };
  const options = { engine, learner, stream, key: rootKey(0), accumulate: 1 };
  await followOnThread(threadCommunicator(board, rank), async () => options).finally(() => engine.close());
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      steps: { type: "string", default: "30" },
      workloads: { type: "string", default: Object.keys(batchSizes).join() },
    },
  });
  const cores = availableParallelism();
  const cases: readonly Case[] = [
    { workers: 1, threads: 1 },
    { workers: 1, threads: cores },
    { workers: cores, threads: cores },
  ];
  const machine = thisMachine();
  const results: object[] = [];
  const rows: string[][] = [];
  for (const name of values.workloads.split(",")) {
    if (!isWorkload(name) || !(name in batchSizes)) throw new Error(`no workload of workers: ${name}`);
    const found = cases.map((): Figures[] => []);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const i of round % 2 === 0 ? [0, 1, 2] : [2, 1, 0]) {
        const { workers, threads } = cases[i] as Case;
        const args = ["child", name, workers, threads, values.steps].map(String);
        found[i]?.push(await measuredBy<Figures>(fileURLToPath(import.meta.url), args));
      }
    }
    const one = (found[0] as Figures[]).map(({ ms }) => median(ms));
    for (const [i, figures] of found.entries()) {
      const { workers, threads } = cases[i] as Case;
      const medians = figures.map(({ ms }) => median(ms));
      const speedups = medians.map((own, round) => (one[round] as number) / own);
      const sums = figures.map((one) => Math.min(...one.workers.map(({ reduceMs }) => reduceMs)));
      const figure = {
        ...{ workload: name, workers, threads, ms: median(medians), speedup: median(speedups), speedups },
        cpuMs: median(figures.map(({ cpuMs }) => cpuMs)),
        peakMb: median(figures.map(({ peakRssBytes }) => peakRssBytes / 1e6)),
        sumsMs: workers > 1 ? median(sums) : null,
        rounds: figures,
      };
      results.push(figure);
      rows.push([
        name,
        String(workers),
        String(threads),
        figure.ms.toFixed(1),
        figure.speedup.toFixed(2),
        figure.cpuMs.toFixed(1),
        figure.sumsMs?.toFixed(1) ?? "-",
        figure.peakMb.toFixed(0),
      ]);
      process.stderr.write(`${rows.at(-1)?.join(" ")}\n`);
    }
  }
  const head = ["workload", "workers", "threads", "step, ms", "of one worker", "CPU ms", "sums, ms", "peak MB"];
  process.stdout.write(`${table([head, ...rows]).join("\n")}\n`);
  await writeFigures("workers", machine, results);
}

const [mode, name, ...numbers] = process.argv.slice(2);
if (!isMainThread) await work();
else if (mode === "child") {
  const [workers = 1, threads = 1, numSteps = 1] = numbers.map(Number);
  process.send?.(await measure(name as WorkerWorkload, { workers, threads }, numSteps));
} else await run();
