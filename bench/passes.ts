/**
 * What the passes over a graph gain a training step: `npm run bench:passes`, about half an hour on a quiet machine.
 *
 * Each workload of `workloads.ts`, with all passes against without some. Where both become the same ONNX bytes there is nothing to
 * measure. Else the two programs take steps in turn on one thread of one process, and the figure is the median of the ratios of
 * their CPU times (user and system), which a busy machine disturbs less than the clock. Peak memory is the median of three processes.
 *
 *     npm run bench:passes -- --pairs 30 --steps 20 --workloads click,lstm
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { EngineOptions, Program } from "../src/engine/engine.js";
import { type PlanOptions, planOf } from "../src/engine/plan.js";
import { rootsOf } from "../src/graph/graph.js";
import { noPasses, type Passes, passNames, simplify } from "../src/graph/simplify.js";
import { topologicalOrder } from "../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { table } from "../src/report/format.js";
import { measuredBy, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import type { WorkloadName } from "./specs.js";
import { median } from "./statistics.js";
import { type Workload, workloads } from "./workloads.js";

const without = (names: readonly string[]): Passes => Object.fromEntries(names.map((name) => [name, false]));

/** What is left out of the passes that are made by default. */
const variants: Readonly<Record<string, PlanOptions>> = {
  ...Object.fromEntries(passNames.map((name) => [name, { passes: without([name]) }])),
  "all passes": { passes: noPasses },
};

/** Processes whose peak memory is measured: it depends on when garbage is collected. */
const NUM_PEAKS = 3;

interface Figures {
  readonly workload: string;
  readonly without: string;
  /** Operations of the step, with all passes and without these. */
  readonly operations: readonly [all: number, without: number];
  /** CPU milliseconds of making the program's plan, medians. */
  readonly planMs: readonly [all: number, without: number];
  /** CPU milliseconds of a step, medians; null where both are the same program. */
  readonly stepMs: readonly [all: number, without: number] | null;
  /** The median of the CPU time without over that with all, of batches that followed one another; 1 where both are the same program. */
  readonly ratio: number;
  readonly numPairs: number;
  /** Peak memory of a process that takes steps, in MB; null where both are the same program. */
  readonly peakMb: readonly [all: number, without: number] | null;
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function cpuMsOf(work: () => unknown): Promise<number> {
  const before = cpuMs();
  await work();
  return cpuMs() - before;
}

async function started(
  workload: Workload,
  options: Partial<EngineOptions>,
): Promise<{ program: Program; close(): Promise<void> }> {
  const engine = onnxRuntimeEngine({ threads: 1, ...options });
  await engine.write(workload.state);
  return { program: await engine.compile(workload.graph), close: () => engine.close() };
}

async function measure(name: WorkloadName, variant: string, numPairs: number, numSteps: number): Promise<Figures> {
  const workload = workloads[name]();
  const { graph } = workload;
  const options = variants[variant] ?? {};
  const plans: number[][] = [[], []];
  for (let i = 0; i < 5; i++)
    for (const [side, some] of [{}, options].entries()) plans[side]?.push(await cpuMsOf(() => planOf(graph, some)));
  const numOperations = (some: PlanOptions) => topologicalOrder(rootsOf(simplify(graph, some.passes))).length;
  const isSame = Buffer.compare(planOf(graph).onnx, planOf(graph, options).onnx) === 0;
  const both = isSame ? [] : [await started(workload, {}), await started(workload, options)];
  const times: number[][] = [[], []];
  // The first pair warms up. Who is first changes from pair to pair.
  for (let pair = -1; !isSame && pair < numPairs; pair++) {
    for (const side of pair % 2 === 0 ? [0, 1] : [1, 0]) {
      const ms = await cpuMsOf(async () => {
        for (let step = 0; step < numSteps; step++) await both[side]?.program.run(workload.feeds(step));
      });
      if (pair >= 0) times[side]?.push(ms / numSteps);
    }
  }
  for (const { close } of both) await close();
  const [all = [], some = []] = times;
  return {
    workload: name,
    without: variant,
    operations: [numOperations({}), numOperations(options)],
    planMs: [median(plans[0] ?? []), median(plans[1] ?? [])],
    stepMs: isSame ? null : [median(all), median(some)],
    ratio: isSame ? 1 : median(some.map((ms, i) => ms / (all[i] ?? Number.NaN))),
    numPairs: isSame ? 0 : numPairs,
    peakMb: null,
  };
}

/** Peak memory of this process after some steps, in MB. */
async function peakOf(name: WorkloadName, variant: string): Promise<{ readonly peakMb: number }> {
  const workload = workloads[name]();
  const { program, close } = await started(workload, variants[variant] ?? {});
  for (let step = 0; step < 5; step++) await program.run(workload.feeds(step));
  await close();
  return { peakMb: process.resourceUsage().maxRSS / 1024 };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: "string", default: "30" },
    steps: { type: "string", default: "20" },
    workloads: { type: "string", default: Object.keys(workloads).join(",") },
    without: { type: "string", default: Object.keys(variants).join(",") },
  },
});
const self = fileURLToPath(import.meta.url);
const [what, name, variant = ""] = positionals;
if (process.send && what === "peak") process.send(await peakOf(name as WorkloadName, variant));
else if (process.send && what === "steps")
  process.send(await measure(name as WorkloadName, variant, Number(values.pairs), Number(values.steps)));
else {
  const machine = thisMachine();
  const results: Figures[] = [];
  for (const workload of values.workloads.split(",")) {
    for (const one of values.without.split(",")) {
      const size = ["--pairs", values.pairs, "--steps", values.steps];
      const figures = await measuredBy<Figures>(self, ["steps", workload, one, ...size]);
      const peak = async (of: string) => {
        const peaks: number[] = [];
        for (let i = 0; i < NUM_PEAKS; i++)
          peaks.push((await measuredBy<{ peakMb: number }>(self, ["peak", workload, of])).peakMb);
        return median(peaks);
      };
      const isSame = figures.stepMs === null;
      results.push(isSame ? figures : { ...figures, peakMb: [await peak("nothing"), await peak(one)] });
      process.stderr.write(`${JSON.stringify(results.at(-1))}\n`);
    }
  }
  const shown = (pair: readonly [number, number] | null, digits: number) =>
    pair ? pair.map((value) => value.toFixed(digits)).join(", ") : "the same";
  const lines = results.map((one) => [
    one.workload,
    one.without,
    shown(one.operations, 0),
    shown(one.planMs, 0),
    shown(one.stepMs, 1),
    one.ratio.toFixed(3),
    shown(one.peakMb, 0),
  ]);
  const head = ["network", "without", "operations", "plan, ms", "step, CPU ms", "ratio", "peak, MB"];
  process.stdout.write(`${table([head, ...lines]).join("\n")}\n`);
  await writeFigures("passes", machine, results);
}
