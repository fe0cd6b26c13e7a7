/** What `npm run bench:workers` says of its figures: `bench/results/workers.md`. */
import type { Machine } from "./machine.js";
import { median } from "./statistics.js";

/** Who takes the steps: workers of ours, as many runs that exchange nothing, or processes of PyTorch's DistributedDataParallel. */
export interface Case {
  readonly by: "ours" | "apart" | "ddp";
  readonly workers: number;
  /** Of all workers together. */
  readonly threads: number;
}

/** What one run of a case came to. */
export interface Figures {
  readonly ms: readonly number[];
  /** Of each worker of ours, the median of its milliseconds for gradients and for sums. */
  readonly workers: readonly { readonly computeMs: number; readonly reduceMs: number }[];
  readonly peakRssBytes: number;
  /** User and system milliseconds of a step. */
  readonly cpuMs: number;
}

/** What all runs of a case came to. */
export interface CaseResult extends Case {
  readonly workload: string;
  readonly ms: number;
  /** Over one worker of one thread in the same round: the median, and that of each round. */
  readonly speedup: number;
  readonly speedups: readonly number[];
  readonly cpuMs: number;
  readonly peakMb: number;
  /** Milliseconds of a step that went into sums even at the worker that came last; null without sums of ours. */
  readonly sumsMs: number | null;
  readonly rounds: readonly Figures[];
}

/** What is asked of two workers over one, and of the memory of four workers over that of one. */
const ASKED = { speedup: 1.85, memory: 1.5 };

/** A case from its runs; `one` has the milliseconds of one worker of one thread in each round. */
export function resultOf(workload: string, own: Case, figures: readonly Figures[], one: readonly number[]): CaseResult {
  const medians = figures.map(({ ms }) => median(ms));
  const speedups = medians.map((ms, round) => (one[round] as number) / ms);
  const sums = figures.map(({ workers }) => Math.min(...workers.map(({ reduceMs }) => reduceMs)));
  return {
    ...{ workload, ...own, ms: median(medians), speedup: median(speedups), speedups },
    cpuMs: median(figures.map(({ cpuMs }) => cpuMs)),
    peakMb: median(figures.map(({ peakRssBytes }) => peakRssBytes / 1e6)),
    sumsMs: own.by === "ours" && own.workers > 1 ? median(sums) : null,
    rounds: figures,
  };
}

function oneOf({ workload }: CaseResult, all: readonly CaseResult[]): CaseResult {
  return all.find((other) => other.workload === workload && other.by === "ours" && other.threads === 1) as CaseResult;
}

/** A case as a row of the table. */
export function rowOf(result: CaseResult, all: readonly CaseResult[]): string[] {
  const { workload, by, workers, threads, ms, speedup, cpuMs, sumsMs, peakMb } = result;
  const share = sumsMs === null ? "" : `${sumsMs.toFixed(1)} ms, ${((100 * sumsMs) / ms).toFixed(1)} %`;
  const of = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const who = {
    ours: `${of(workers, "worker")}, ${of(threads, "thread")}`,
    apart: `${workers} processes that exchange nothing`,
    ddp: `PyTorch's DDP: ${workers} processes`,
  }[by];
  return [
    ...[workload, who, ms.toFixed(1), speedup.toFixed(2), cpuMs.toFixed(1), share],
    `${peakMb.toFixed(0)} MB, ${(peakMb / oneOf(result, all).peakMb).toFixed(2)} x`,
  ];
}

/** The table, and which of what is the aim is missed. */
export function workersReport(
  results: readonly CaseResult[],
  about: {
    readonly machine: Machine;
    readonly rounds: number;
    readonly steps: number;
    readonly notes: readonly string[];
  },
): string {
  const { machine, rounds, steps, notes } = about;
  const head = ["network", "who", "step, ms", "of one worker", "CPU ms", "in sums", "peak memory"];
  const rows = [head, head.map(() => "---"), ...results.map((result) => rowOf(result, results))];
  const misses = missesOf(results, machine.cores);
  return [
    "# Steps of one and of several workers",
    "",
    `\`npm run bench:workers\`: ${machine.cpu}, ${machine.cores} cores, load by others when it began ${machine.load.toFixed(2)}; medians of ${rounds} rounds of ${steps} steps.`,
    'All cases have the same batch, cut into equal parts. "In sums" is what even the last worker to come spends on adding up, which nothing hides. The memory of',
    "processes is the sum of theirs, and counts what they share for each. Processes that exchange nothing take one part each, update all weights each, and are what",
    "the machine allows: where they are short of twice as fast, smaller products and the memory that cores share are why.",
    "",
    ...notes.map((note) => `- ${note}`),
    "",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    "",
    misses.length > 0 ? "What is aimed at and missed:" : "Nothing that is the aim is missed.",
    ...(misses.length > 0 ? ["", ...misses.map((miss) => `- ${miss}`)] : []),
    "",
  ].join("\n");
}

function missesOf(results: readonly CaseResult[], cores: number): string[] {
  return results.flatMap((result) => {
    const { workload, by, workers, ms, speedup, peakMb } = result;
    if (by !== "ours" || workers === 1) return [];
    const memory = peakMb / oneOf(result, results).peakMb;
    const like = (by: Case["by"]) =>
      results.find((other) => other.workload === workload && other.by === by && other.workers === workers);
    const [ddp, apart] = [like("ddp"), like("apart")];
    const bound = apart ? `; processes that exchange nothing ${apart.speedup.toFixed(2)} x` : "";
    const isSlow = workers <= cores && speedup < ASKED.speedup;
    return [
      ...(workers >= 4 && memory > ASKED.memory
        ? [
            `${workload}: ${workers} workers have ${memory.toFixed(2)} x the memory of one; the aim is at most ${ASKED.memory}`,
          ]
        : []),
      ...(isSlow
        ? [
            `${workload}: ${workers} workers are ${speedup.toFixed(2)} x as fast as one; the aim is ${ASKED.speedup}${bound}`,
          ]
        : []),
      ...(ddp && ddp.ms < ms
        ? [`${workload}: PyTorch's DDP takes ${ddp.ms.toFixed(1)} ms, and ours ${ms.toFixed(1)} ms`]
        : []),
    ];
  });
}
