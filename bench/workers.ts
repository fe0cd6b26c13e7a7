/**
 * What more workers gain a training step: `npm run bench:workers`, about ten minutes on a quiet machine.
 *
 * A workload of `specs.ts` on one batch, cut into equal parts for the workers: one worker of one thread, one worker of as many threads as
 * the machine has cores, as many workers of one thread each, as many processes that exchange nothing, each with one part (what the machine
 * itself allows), and as many processes of PyTorch's DistributedDataParallel with Gloo; of the click network also four workers, for their
 * memory. Every case in processes of its own, several rounds, their order turned round from one
 * to the next. Medians of the steps of all rounds, and ratios of the medians of one round.
 *
 *     npm run bench:workers -- --rounds 3 --workloads click,llama
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { followOnThread, threadCrew } from "../src/node/comm/thread-crew.js";
import { type ThreadBoard, threadCommunicator } from "../src/node/comm/threads.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { threadedEngine } from "../src/node/ort/threaded-engine.js";
import { rootKey } from "../src/runtime/random.js";
import { engineStudent } from "../src/train/student.js";
import { measuredBy, writeFigures } from "./children.js";
import { trialsInWords } from "./kernels.js";
import { thisMachine } from "./machine.js";
import { isWorkload, type WorkloadName } from "./specs.js";
import { median } from "./statistics.js";
import { findPeer, type Peer } from "./steps-processes.js";
import { measuredByDdp } from "./workers-peer.js";
import { type Case, type CaseResult, type Figures, resultOf, rowOf, workersReport } from "./workers-report.js";
import { workloads } from "./workloads.js";

const batchSizes = {
  ...{ click: 256, flights: 2048, lstm: 32, transformer: 16, llama: 8, residual64: 64 },
} as const satisfies Partial<Record<WorkloadName, number>>;
type WorkerWorkload = keyof typeof batchSizes;

const WARM_UP = 3;
const START = { epoch: 0, position: 0 };

/** The part of a workload that one of so many workers has. */
const partOf = (name: WorkerWorkload, workers: number) => workloads[name](batchSizes[name] / workers);

async function measure(
  name: WorkerWorkload,
  { workers, threads }: Omit<Case, "by">,
  { numSteps, parts }: { readonly numSteps: number; readonly parts: number },
): Promise<Figures> {
  const { learner, batch } = partOf(name, parts);
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
  const rounds = Number(values.rounds);
  const machine = thisMachine();
  const peer = findPeer();
  if (peer) process.stderr.write(`${trialsInWords(peer.trials, peer.best)}\n`);
  const results: CaseResult[] = [];
  for (const name of values.workloads.split(",")) {
    if (!isWorkload(name) || !(name in batchSizes)) throw new Error(`no workload of workers: ${name}`);
    const cases: readonly Case[] = [
      { by: "ours", workers: 1, threads: 1 },
      { by: "ours", workers: 1, threads: cores },
      { by: "ours", workers: cores, threads: cores },
      { by: "apart", workers: cores, threads: cores },
      ...(peer ? [{ by: "ddp", workers: cores, threads: cores } as const] : []),
      ...(name === "click" && cores < 4 ? [{ by: "ours", workers: 4, threads: 4 } as const] : []),
    ];
    const found = cases.map((): Figures[] => []);
    for (let round = 0; round < rounds; round++) {
      const order = [...cases.keys()];
      for (const i of round % 2 === 0 ? order : order.reverse()) {
        found[i]?.push(await figuresOf(name as WorkerWorkload, cases[i] as Case, Number(values.steps), peer));
      }
    }
    const one = (found[0] as Figures[]).map(({ ms }) => median(ms));
    for (const [i, figures] of found.entries()) {
      const result = resultOf(name, cases[i] as Case, figures, one);
      results.push(result);
      process.stderr.write(`${rowOf(result, results).join(" ")}\n`);
    }
  }
  await writeFigures("workers", machine, results);
  const notes = peer ? [trialsInWords(peer.trials, peer.best)] : ["PyTorch is not here, and was not measured"];
  const report = workersReport(results, { machine, rounds, steps: Number(values.steps), notes });
  await writeFile("bench/results/workers.md", report);
  process.stdout.write(report);
}

/** The figures of one process of ours, of several at once, or of those of the peer. */
async function figuresOf(
  name: WorkerWorkload,
  { by, workers, threads }: Case,
  numSteps: number,
  peer: Peer | undefined,
): Promise<Figures> {
  const childOf = (own: { readonly workers: number; readonly threads: number }) =>
    measuredBy<Figures>(fileURLToPath(import.meta.url), [
      ...["child", name],
      ...[own.workers, own.threads, numSteps, workers].map(String),
    ]);
  switch (by) {
    case "ddp":
      return { workers: [], ...measuredByDdp(peer as Peer, name, workers, numSteps, WARM_UP) };
    case "apart":
      return ofAll(await Promise.all(Array.from({ length: workers }, () => childOf({ workers: 1, threads: 1 }))));
    case "ours":
      return childOf({ workers, threads });
  }
}

/** Processes that ran at once: the steps of the slowest, and what they took together. */
function ofAll(figures: readonly Figures[]): Figures {
  const total = (of: (one: Figures) => number) => figures.reduce((sum, one) => sum + of(one), 0);
  const [slowest] = figures.toSorted((a, b) => median(b.ms) - median(a.ms));
  return {
    ms: (slowest as Figures).ms,
    workers: [],
    peakRssBytes: total(({ peakRssBytes }) => peakRssBytes),
    cpuMs: total(({ cpuMs }) => cpuMs),
  };
}

const [mode, name, ...numbers] = process.argv.slice(2);
if (!isMainThread) await work();
else if (mode === "child") {
  const [workers = 1, threads = 1, numSteps = 1, parts = 1] = numbers.map(Number);
  process.send?.(await measure(name as WorkerWorkload, { workers, threads }, { numSteps, parts }));
} else await run();
