/** What `npm run bench` writes: the figures as JSON, and the same for readers as Markdown. */
import { bytes } from "../src/report/format.js";
import type { Machine } from "./machine.js";
import { gigaFlops } from "./products.js";
import { type Spec, specs, type WorkloadName } from "./specs.js";
import { median } from "./statistics.js";
import type { StepTimes } from "./step-child.js";
import type { Side } from "./steps-processes.js";

/** One side of one workload: milliseconds of every step, by round. */
export interface SideFigures {
  readonly medianMs: number;
  readonly rounds: readonly (readonly number[])[];
  readonly peakRssBytes: number;
  /** Before the first step and before the last of the last round. */
  readonly losses: StepTimes["losses"];
}

export interface Row {
  readonly workload: WorkloadName;
  readonly threads: number;
  readonly ours: SideFigures | null;
  readonly torch: SideFigures | null;
  readonly products: SideFigures | null;
  /** Our median over PyTorch's: below 1 we are faster. Beside it that of each round. */
  readonly ratio: number | null;
  readonly roundRatios: readonly number[];
  /** Our median over that of the bare products. */
  readonly oursOverProducts: number | null;
  /** What our process held after some steps and after many. */
  readonly growth: StepTimes["rssBytes"];
}

export interface StepsReport {
  readonly bench: "steps";
  readonly date: string;
  readonly command: string;
  /** False when it was stopped on the way. */
  readonly isComplete: boolean;
  readonly machine: Machine;
  readonly versions: StepTimes["versions"];
  readonly notes: readonly string[];
  readonly results: readonly Row[];
}

/** The figures of a side from its processes, one each round; null when there are none. */
export function sideFigures(processes: readonly StepTimes[]): SideFigures | null {
  if (processes.length === 0) return null;
  return {
    medianMs: median(processes.flatMap(({ ms }) => ms)),
    rounds: processes.map(({ ms }) => ms),
    peakRssBytes: Math.max(...processes.map(({ peakRssBytes }) => peakRssBytes)),
    losses: processes.at(-1)?.losses ?? null,
  };
}

/** A row from all processes of a workload with so many threads. */
export function rowOf(
  workload: WorkloadName,
  threads: number,
  processes: Readonly<Record<Side, readonly StepTimes[]>>,
  growth: StepTimes["rssBytes"],
): Row {
  const [ours, torch, products] = [processes.ours, processes.torch, processes.products].map(sideFigures) as [
    SideFigures | null,
    SideFigures | null,
    SideFigures | null,
  ];
  const over = (a: SideFigures | null, b: SideFigures | null) => (a && b ? a.medianMs / b.medianMs : null);
  const roundRatios = processes.ours.flatMap(({ medianMs }, round) => {
    const peer = processes.torch[round];
    return peer ? [medianMs / peer.medianMs] : [];
  });
  return {
    workload,
    threads,
    ours,
    torch,
    products,
    ratio: over(ours, torch),
    roundRatios,
    oursOverProducts: over(ours, products),
    growth,
  };
}

/** Milliseconds with three digits or more. */
const inMs = (value: number) => (value < 100 ? value.toPrecision(3) : value.toFixed(0));
const orNone = <T>(value: T | null | undefined, text: (value: T) => string) => (value == null ? "-" : text(value));

/** The report for readers. */
export function markdown(report: StepsReport): string {
  const { date, command, isComplete, machine, versions, notes, results } = report;
  const known = Object.entries(versions).map(([name, version]) => `${name} ${version ?? "none"}`);
  const measured = [...new Set(results.map(({ workload }) => workload))];
  return `${[
    "# Training steps, ours and PyTorch's",
    "",
    `${date}${isComplete ? "" : ", stopped before the end"}`,
    "",
    `    ${command}`,
    "",
    `- machine: ${machine.cpu}, ${machine.cores} cores, ${bytes(machine.memoryBytes)} memory; load by others when it began ${machine.load.toFixed(2)}`,
    `- versions: ${known.join("; ")}`,
    ...notes.map((note) => `- ${note}`),
    "",
    "Median milliseconds of a full step (forward, loss, gradients, update) over all rounds, every round in fresh processes, their",
    "order turned round from one to the next. `ratio` is ours over PyTorch's, below 1 we are faster; in brackets the",
    "smallest and the largest ratio of one round. `products` are the step's matrix products and convolutions alone in ONNX",
    "Runtime. Memory is the most that a process held; `growth` is what ours held after some steps and after many.",
    "",
    "Of language models, `tokens/s` is what ours and PyTorch's train on in a second.",
    "",
    "| workload | threads | ours ms | torch ms | ratio | tokens/s | products ms | ours/products | peak ours | peak torch | growth |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ...results.map(tableRow),
    "",
    "## Workloads",
    "",
    ...measured.map((name) => {
      const { description, products }: Spec = specs[name];
      return `- \`${name}\`: ${description}; ${gigaFlops(products).toFixed(2)} GFLOP in products.`;
    }),
    "",
    "## Milliseconds of every step",
    "",
    ...results.flatMap((row) => rawLines(row)),
  ].join("\n")}\n`;
}

function tableRow(row: Row): string {
  const { workload, threads, ours, torch, products, ratio, roundRatios, oursOverProducts, growth } = row;
  const { tokens }: Spec = specs[workload];
  const range = [Math.min(...roundRatios), Math.max(...roundRatios)].map((value) => value.toFixed(2)).join("-");
  const milliseconds = (side: SideFigures | null) => orNone(side, ({ medianMs }) => inMs(medianMs));
  const peak = (side: SideFigures | null) => orNone(side, ({ peakRssBytes }) => bytes(peakRssBytes));
  const cells = [
    workload,
    String(threads),
    milliseconds(ours),
    milliseconds(torch),
    orNone(ratio, (value) => `${value.toFixed(2)} (${range})`),
    tokens === undefined ? "-" : [ours, torch].map((side) => perSecond(tokens, side)).join(" / "),
    milliseconds(products),
    orNone(oursOverProducts, (value) => value.toFixed(2)),
    peak(ours),
    peak(torch),
    growthText(growth),
  ];
  return `| ${cells.join(" | ")} |`;
}

function perSecond(tokens: number, side: SideFigures | null): string {
  return orNone(side, ({ medianMs }) => Math.round((1000 * tokens) / medianMs).toLocaleString("en-US"));
}

function growthText(growth: Row["growth"]): string {
  const [early, late] = [growth[0], growth.at(-1)];
  if (!early || !late || early === late) return "-";
  const steps = `${early.step.toLocaleString("en-US")} to ${late.step.toLocaleString("en-US")}`;
  const difference = late.bytes - early.bytes;
  return `${difference < 0 ? "-" : "+"}${bytes(Math.abs(difference))} (steps ${steps})`;
}

function rawLines({ workload, threads, ours, torch, products }: Row): string[] {
  const sides = Object.entries({ ours, torch, products });
  return sides.flatMap(([side, figures]) => {
    if (!figures) return [];
    const loss = figures.losses ? `, loss ${figures.losses.map((value) => value.toFixed(4)).join(" to ")}` : "";
    return [
      `${workload}, ${threads} ${threads === 1 ? "thread" : "threads"}, ${side}${loss}`,
      "",
      ...figures.rounds.map((ms, round) => `    round ${round + 1}: ${ms.map(inMs).join(" ")}`),
      "",
    ];
  });
}
