/** Full training steps of ours against PyTorch's on the same workloads: `npm run bench`; `npm run bench -- --help`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { messageOf } from "../src/errors.js";
import { stopOnSignals } from "../src/node/launch/exit-codes.js";
import { duration } from "../src/report/format.js";
import { PYTHON_CURE } from "../test/golden/python.js";
import { isCrippled, ownGigaFlops, trialsInWords } from "./kernels.js";
import { sourceCommit, thisMachine } from "./machine.js";
import { isWorkload, specs, type WorkloadName, workloadNames } from "./specs.js";
import type { StepTimes } from "./step-child.js";
import { findPeer, type Measurement, type Peer, type Side, startMeasurement } from "./steps-processes.js";
import { markdown, rowOf, type StepsReport } from "./steps-report.js";

interface Options {
  readonly threads: readonly number[];
  readonly rounds: number;
  readonly steps?: number;
  readonly growth: readonly number[] | false;
  readonly torch: boolean;
  readonly quick?: boolean;
  readonly out: string;
}

const NUM_WARM_UP = 5;
/** What --quick means: enough to see that everything runs, too little to believe the figures. */
const QUICK = { rounds: 1, steps: 3, numWarmUp: 1, growth: [2, 6] } as const;

const say = (text: string) => process.stderr.write(`${text}\n`);

const program = new Command("npm run bench --")
  .description("Measure full training steps against PyTorch's, in fresh processes; needs a quiet machine.")
  .argument("[workload...]", `which of ${workloadNames.join(", ")}; all by default`, workload)
  .option("--threads <list>", "numbers of threads, as in 1,2", wholeNumbers, [...new Set([1, availableParallelism()])])
  .option("--rounds <n>", "processes of each side", wholeNumber, 5)
  .option("--steps <n>", "measured steps of each process; by default as many as take some seconds", wholeNumber)
  .option("--growth <list>", "steps after which the memory of ours is noted", wholeNumbers, [100, 1000])
  .option("--no-growth", "without the long processes that show whether memory grows")
  .option("--no-torch", "without PyTorch")
  .option("--quick", "one round of very few steps, to see that everything runs")
  .option("--out <folder>", "where the report goes", "bench/results")
  .showHelpAfterError("(npm run bench -- --help tells more)")
  .addHelpText("after", "\nExamples:\n  npm run bench -- click flights --threads 1,2\n  npm run bench -- --quick");

program.action(async (chosen: readonly WorkloadName[], options: Options) => {
  const names = chosen.length > 0 ? [...new Set(chosen)] : workloadNames;
  // The first Ctrl-C ends the process that runs and writes what is there; the second one leaves at once.
  const { signal: stop } = stopOnSignals();
  const machine = thisMachine();
  const peer = options.torch ? findPeer() : undefined;
  const isFair = peer === undefined || !isCrippled(peer.best, await ownGigaFlops());
  const notes = notesOn(options, peer, isFair);
  for (const note of notes) say(`note: ${note}`);
  const { results, versions, isComplete } = await measureAll(names, options, isFair ? peer : undefined, stop);
  if (results.length === 0) {
    say("nothing was measured, nothing is written");
    return;
  }
  const command = `npm run bench -- ${process.argv.slice(2).join(" ")}`.trim();
  const own = { ...versions, ...peer?.versions, commit: sourceCommit() };
  const about = {
    bench: "steps",
    date: new Date().toISOString(),
    command,
    isComplete,
    machine,
  } as const;
  write(options.out, { ...about, versions: own, notes, results });
});

/** What a reader must know of the figures. */
function notesOn({ torch, quick }: Options, peer: Peer | undefined, isFair: boolean): string[] {
  return [
    ...(quick ? ["measured with --quick: the figures show that everything runs, and nothing else"] : []),
    ...(torch ? [] : ["without PyTorch, as asked"]),
    ...(torch && !peer ? [`PyTorch is not here, so its columns are empty; the cure: ${PYTHON_CURE}`] : []),
    ...(peer && peer.versions.blas === null
      ? [
          "PyTorch has no OpenBLAS here and is far slower than it could be; the cure: apt-get install libopenblas0-pthread",
        ]
      : []),
    ...(peer ? [trialsInWords(peer.trials, peer.best)] : []),
    ...(isFair
      ? []
      : [
          "PyTorch's products reach less than half the rate of ONNX Runtime's here, with every kernel that is right: it is not measured, because a ratio against it would say nothing",
        ]),
  ];
}

async function measureAll(
  names: readonly WorkloadName[],
  options: Options,
  peer: Peer | undefined,
  stop: AbortSignal,
): Promise<Pick<StepsReport, "results" | "versions" | "isComplete">> {
  const { rounds } = options.quick ? QUICK : options;
  const pairs = names.flatMap((workload) => options.threads.map((threads) => ({ workload, threads })));
  const plan = Array.from({ length: rounds }, (_, round) =>
    pairs.flatMap((pair) => measurementsOf(pair.workload, pair.threads, options, peer, round)),
  ).flat();
  // Whether memory grows does not depend on the threads, and takes long to see.
  const growing = names.flatMap((name) => growthOf(name, Math.max(...options.threads), options));
  const all = [...plan, ...growing];
  const done: { readonly measurement: Measurement; readonly times: StepTimes }[] = [];
  const started = Date.now();
  for (const [i, measurement] of all.entries()) {
    const { side, workload, threads, numSteps, noted } = measurement;
    const { pid, times: coming } = startMeasurement(measurement, peer, stop);
    const what = `${workload}, ${threads === 1 ? "1 thread" : `${threads} threads`}, ${noted ? "memory of " : ""}${side}`;
    say(
      `[${i + 1}/${all.length}, ${duration((Date.now() - started) / 1000)}] ${what}, ${numSteps} steps (process ${pid})`,
    );
    const times = await coming.catch((error: unknown) => {
      // What has been measured until then is worth its time all the same.
      say(messageOf(error));
      process.exitCode = 1;
      return undefined;
    });
    if (!times) break;
    say(`    ${times.medianMs.toPrecision(4)} ms a step`);
    done.push({ measurement, times });
  }
  const results = pairs.flatMap(({ workload, threads }) => {
    const mine = done.filter(({ measurement: m }) => m.workload === workload && m.threads === threads);
    const timed = mine.filter(({ measurement }) => !measurement.noted);
    const of = (side: Side) => timed.filter(({ measurement: m }) => m.side === side).map(({ times }) => times);
    const growth = mine.find(({ measurement }) => measurement.noted)?.times.rssBytes ?? [];
    const processes = { ours: of("ours"), torch: of("torch"), products: of("products") };
    return timed.length > 0 ? [rowOf(workload, threads, processes, growth)] : [];
  });
  const versions = Object.assign({}, ...done.map(({ times }) => times.versions));
  return { results, versions, isComplete: done.length === all.length };
}

/** The processes of a round: ours first, then ours last, and so on. */
function measurementsOf(
  workload: WorkloadName,
  threads: number,
  { steps, quick }: Options,
  peer: Peer | undefined,
  round: number,
): Measurement[] {
  const numSteps = quick ? QUICK.steps : (steps ?? specs[workload].numSteps);
  const numWarmUp = quick ? QUICK.numWarmUp : NUM_WARM_UP;
  const sides: Side[] = ["ours", ...(peer ? ["torch" as const] : []), "products"];
  const ordered = round % 2 === 0 ? sides : sides.reverse();
  return ordered.map((side) => ({ side, workload, threads, numSteps, numWarmUp }));
}

/** One long process of ours, to see whether memory grows. */
function growthOf(workload: WorkloadName, threads: number, options: Options): Measurement[] {
  const noted = options.quick ? QUICK.growth : options.growth;
  if (!noted) return [];
  return [{ side: "ours", workload, threads, numSteps: Math.max(...noted), numWarmUp: 0, noted }];
}

function write(folder: string, report: StepsReport): void {
  const { machine, date } = report;
  const cpu = machine.cpu.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const file = join(folder, `steps_${cpu}-${machine.cores}-cores_${date.slice(0, 19).replaceAll(":", "-")}`);
  const rounded = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(6)) : value);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.json`, `${JSON.stringify({ ...report }, rounded)}\n`);
  writeFileSync(`${file}.md`, markdown(report));
  process.stdout.write(
    `${markdown(report)
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .join("\n")}\n`,
  );
  process.stdout.write(`report ${file}.md and .json\n`);
}

function workload(name: string, before: readonly WorkloadName[] | undefined): readonly WorkloadName[] {
  if (!isWorkload(name)) throw new InvalidArgumentError(`It must be one of ${workloadNames.join(", ")}.`);
  return [...(before ?? []), name];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError(`It must be whole, 1 or more, got "${text}".`);
  return Number(text);
}

function wholeNumbers(text: string): number[] {
  return text.split(",").map(wholeNumber);
}

try {
  await program.parseAsync();
} catch (error) {
  say(messageOf(error));
  process.exitCode = 1;
}
