/**
 * What a float32 teacher costs a step of the language models of `specs.ts`, and how long the first step takes: `npm run bench:teacher`,
 * about three minutes.
 *
 * One student takes steps without a teacher and with one in turn, so that both meet the same machine. Each case in a process of its own.
 */
import { fileURLToPath } from "node:url";
import { initWeights } from "../src/nn/model.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { table } from "../src/report/format.js";
import { rootKey } from "../src/runtime/random.js";
import { engineStudent } from "../src/train/student.js";
import { measuredBy, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";
import { type LanguageWorkloadName, languageTasks } from "./workloads.js";

const NUM_WARM_UP = 1;
const STEPS = 15;

interface Figures {
  readonly workload: string;
  readonly threads: number;
  /** Drawing the first params. */
  readonly drawnMs: number;
  /** The first step, with its graph and the compilation of that. */
  readonly firstMs: number;
  /** The same with a teacher. */
  readonly firstTaughtMs: number;
  /** Of a step, the median. */
  readonly aloneMs: number;
  readonly taughtMs: number;
  /** The median of taught over alone, of steps that followed one another. */
  readonly ratio: number;
}

async function measure(workload: LanguageWorkloadName, threads: number): Promise<Figures> {
  const begun = performance.now();
  const engine = onnxRuntimeEngine({ threads });
  const { batch, ...learner } = languageTasks[workload]();
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(1));
  const drawnMs = performance.now() - begun;
  const teacher = { group: 1, step: 0, digest: "1", params: initWeights(learner.model, rootKey(2)) };
  const timed = async (teachers: readonly (typeof teacher)[], weight: number) => {
    const started = performance.now();
    await student.learn([batch], teachers, weight);
    return performance.now() - started;
  };
  const firstMs = await timed([], 0);
  const firstTaughtMs = await timed([teacher], 1);
  const pairs: [alone: number, taught: number][] = [];
  for (let step = -NUM_WARM_UP; step < STEPS; step++) {
    const pair: [number, number] = [await timed([], 0), await timed([teacher], 1)];
    if (step >= 0) pairs.push(pair);
  }
  await engine.close();
  const of = (figure: (pair: [number, number]) => number) => median(pairs.map(figure));
  return {
    workload,
    threads,
    drawnMs,
    firstMs,
    firstTaughtMs,
    aloneMs: of(([alone]) => alone),
    taughtMs: of(([, taught]) => taught),
    ratio: of(([alone, taught]) => taught / alone),
  };
}

const [workload, threads] = process.argv.slice(2);
if (process.send && workload && threads) {
  process.send(await measure(workload as LanguageWorkloadName, Number(threads)));
} else {
  const machine = thisMachine();
  const results: Figures[] = [];
  for (const name of Object.keys(languageTasks)) {
    for (const count of ["1", "2"]) {
      results.push(await measuredBy<Figures>(fileURLToPath(import.meta.url), [name, count]));
      process.stderr.write(`${name}, ${count} ${count === "1" ? "thread" : "threads"}\n`);
    }
  }
  const lines = results.map((one) => [
    one.workload,
    String(one.threads),
    `${(one.drawnMs / 1000).toFixed(2)} s`,
    `${(one.firstMs / 1000).toFixed(2)} s`,
    `${(one.firstTaughtMs / 1000).toFixed(2)} s`,
    `${one.aloneMs.toFixed(0)} ms`,
    `${one.taughtMs.toFixed(0)} ms`,
    one.ratio.toFixed(2),
  ]);
  const head = [
    "network",
    "threads",
    "first params",
    "the first step",
    "the first with a teacher",
    "a step",
    "with a teacher",
    "ratio",
  ];
  process.stdout.write(`${table([head, ...lines]).join("\n")}\n`);
  await writeFigures("teacher", machine, results);
}
