/** What the study of asynchronous SGD compares: ways for workers to share the reading of the same number of batches. */
import { loadConfig } from "../src/node/runs/load-config.js";
import type { RunConfig } from "../src/run/schema.js";
import type { Arm, Trial } from "./arms.js";

/** An arm, by how many batches one of its steps reads. */
export interface AsyncArm extends Arm {
  readonly batchesPerStep: number;
}

/** One network and its data. */
export interface AsyncTask {
  readonly name: "flights" | "books";
  readonly title: string;
  /** The unit of its losses. */
  readonly loss: string;
  readonly recipe: string;
  /** Rows, or texts, of a batch. */
  readonly batch: number;
  /** Batches that every arm reads. */
  readonly batches: number;
  readonly options: readonly string[];
}

export const asyncTasks: readonly AsyncTask[] = [
  {
    name: "flights",
    title: "The flights",
    loss: "validation log loss (nats)",
    recipe: "recipes/flights.config.ts",
    batch: 512,
    batches: 4000,
    options: [],
  },
  {
    name: "books",
    title: "Books of Project Gutenberg",
    loss: "validation loss (nats per byte)",
    recipe: "recipes/gutenberg.config.ts",
    batch: 16,
    batches: 2000,
    options: [
      'model={"kind":"transformer","width":64,"layers":2,"heads":4}',
      "data.sequenceLength=32",
      // With several servers none has the norm of the whole gradient; here there is one, but all arms are alike.
      'optimizer={"kind":"adam","learningRate":3e-3,"schedule":"cosine"}',
    ],
  },
];

const async = (workers: number, options: Readonly<Record<string, unknown>> = {}): readonly string[] => [
  `workers=${workers}`,
  `algorithm=${JSON.stringify({ kind: "asyncSgd", ...options })}`,
];
const plain = 'algorithm={"kind":"plain"}';

function synchronous(workers: number): AsyncArm {
  return {
    name: `sync-${workers}`,
    what: `${workers} workers that take each step together, of ${workers} batches`,
    options: [plain, `workers=${workers}`],
    batchesPerStep: workers,
  };
}

function asynchronous(name: string, what: string, options: readonly string[]): AsyncArm {
  return { name, what, options, batchesPerStep: 1 };
}

export const asyncArms: readonly AsyncArm[] = [
  { name: "one", what: "one worker, a batch a step", options: [plain], batchesPerStep: 1 },
  synchronous(2),
  synchronous(4),
  asynchronous("async-2", "2 workers by asynchronous SGD, a batch a step", async(2)),
  asynchronous("async-4", "4 workers by asynchronous SGD, a batch a step", async(4)),
  asynchronous(
    "async-4-ramp",
    "the same 4, from one to all over the first 20 %",
    async(4, { rampUp: { from: 1, steps: "20%" } }),
  ),
  asynchronous(
    "async-4-inverse",
    "the same 4, the learning rate divided by 1 + the staleness",
    async(4, { staleLearningRate: "inverse" }),
  ),
];

/** Validations of a run. */
const VALIDATIONS = 16;

/** The configuration of a trial of a task: one group on all data, whose arms all read as many batches. */
export function asyncConfig(
  task: AsyncTask,
  { arm, seed, steps: batches }: Trial & { readonly arm: AsyncArm },
): Promise<RunConfig> {
  const steps = Math.ceil(batches / arm.batchesPerStep);
  const interval = Math.max(1, Math.round(steps / VALIDATIONS));
  return loadConfig(task.recipe, [
    "numGroups=1",
    `seed=${seed}`,
    `numSteps=${steps}`,
    `globalBatchSize=${task.batch * arm.batchesPerStep}`,
    `validationInterval=${interval}`,
    `checkpointInterval=${steps}`,
    `logInterval=${interval}`,
    ...task.options,
    // The learning rate is meant for a batch, and grows with the square root where a step has several.
    `optimizer.forBatch={"rows":${task.batch},"rule":"squareRoot"}`,
    ...arm.options,
  ]);
}
