/**
 * Some steps of one workload in a process of their own: `step-child.js <ours|products> <workload> <threads> <steps>
 * <warm-up steps> [<step> ...]`. Prints one JSON line, a {@link StepTimes}; the memory is noted after each listed step.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { planEngine } from "../src/node/ort/bindings.js";
import { chooseBinding, onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import type { NamedArrays } from "../src/runtime/array.js";
import { productsPlan } from "./products.js";
import { isWorkload, specs, type WorkloadName } from "./specs.js";
import { median } from "./statistics.js";
import { workloads } from "./workloads.js";

/** What a process of measured steps prints, ours in TypeScript or PyTorch's in Python. */
export interface StepTimes {
  readonly medianMs: number;
  readonly ms: readonly number[];
  /** The most memory that the process held at once. */
  readonly peakRssBytes: number;
  /** What it held after certain steps, the warm-up counted. */
  readonly rssBytes: readonly { readonly step: number; readonly bytes: number }[];
  /** The loss before the first step and before the last one; null where there is none. */
  readonly losses: readonly [first: number, last: number] | null;
  readonly versions: Readonly<Record<string, string | null>>;
}

type Step = (step: number) => Promise<number | null>;

async function oursOf(name: WorkloadName, threads: number): Promise<Step> {
  const { graph, state, feeds } = workloads[name]();
  const engine = onnxRuntimeEngine({ threads });
  const program = await engine.compile(graph);
  await engine.write(state, { memory: "given" });
  const [loss = ""] = Object.keys(graph.outputs);
  return async (step) => Number((await program.run(feeds(step)))[loss]?.data[0]);
}

async function productsOf(name: WorkloadName, threads: number): Promise<Step> {
  const { plan, feeds } = productsPlan(specs[name].products);
  const engine = await planEngine({ threads }, await chooseBinding({ threads }));
  const program = await engine.compile(plan);
  const run = (fed: NamedArrays) => program.run(fed);
  return async () => {
    await run(feeds);
    return null;
  };
}

/** A line of /proc/self/status in bytes. The usage that the system gives to parents counts what they held themselves. */
function memory(line: "VmHWM" | "VmRSS"): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return 1024 * Number(status.match(new RegExp(`^${line}:\\s+(\\d+) kB`, "m"))?.[1]);
}

const [kind, name = "", ...numbers] = process.argv.slice(2);
const [threads = 1, numSteps = 1, numWarmUp = 0, ...noted] = numbers.map(Number);
if (!isWorkload(name)) throw new Error(`the workload must be one of ${Object.keys(specs).join(", ")}, got ${name}`);
const step = await (kind === "ours" ? oursOf : productsOf)(name, threads);
const ms: number[] = [];
const losses: number[] = [];
const rssBytes: { step: number; bytes: number }[] = [];
for (let i = 0; i < numWarmUp + numSteps; i++) {
  const started = performance.now();
  const loss = await step(i);
  if (i >= numWarmUp) ms.push(performance.now() - started);
  if (loss !== null) losses.push(loss);
  if (noted.includes(i + 1)) rssBytes.push({ step: i + 1, bytes: memory("VmRSS") });
}
const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
const times: StepTimes = {
  medianMs: median(ms),
  ms,
  peakRssBytes: memory("VmHWM"),
  rssBytes,
  losses: losses.length > 0 ? [losses[0] ?? Number.NaN, losses.at(-1) ?? Number.NaN] : null,
  versions: { node: process.version, "onnxruntime-node": version },
};
process.stdout.write(`${JSON.stringify(times)}\n`);
