/** The other workers of a group on this machine: a thread each, which the group's own thread starts and leads. */
import { Worker } from "node:worker_threads";
import { prefetched } from "../../data/prefetched.js";
import type { Engine } from "../../engine/engine.js";
import { algorithmOf } from "../../run/algorithms.js";
import type { RunConfig } from "../../run/schema.js";
import { type CrewLeader, stepsKey, streamKey } from "../../run/start.js";
import { followOnThread, threadCrew } from "../comm/thread-crew.js";
import { type ThreadBoard, threadCommunicator } from "../comm/threads.js";
import { onnxRuntimeEngine } from "../ort/onnxruntime.js";
import { readRunFile } from "../runs/run-file.js";
import { runFolder } from "../runs/run-folder.js";
import { openGroupSpec } from "./prepare.js";

/** What the thread of a worker is given. */
export interface WorkerData {
  readonly board: ThreadBoard;
  readonly rank: number;
  /** The run folder. */
  readonly path: string;
  readonly groupIndex: number;
  readonly threads: number;
  /** How long it waits for the other workers. */
  readonly silentSeconds: number;
}

export interface WorkersOptions extends Pick<WorkerData, "path" | "groupIndex" | "threads" | "silentSeconds"> {
  readonly size: number;
  /** The leader's engine, and the one that takes its updates. */
  readonly engine: Engine;
  readonly updater: Engine;
}

/** Start the other workers of a group, which this thread leads. */
export function startWorkers({ size, engine, updater, ...place }: WorkersOptions, leader: CrewLeader) {
  const entry = new URL("./worker-main.js", import.meta.url);
  const start = (rank: number, board: ThreadBoard) =>
    new Worker(entry, { workerData: { ...place, rank, board } satisfies WorkerData });
  return threadCrew({ engine, updater, size, start, timeoutSeconds: place.silentSeconds, ...leader });
}

/** Be a worker of a group, until its leader says that this is the end. */
export async function runWorker({ board, rank, silentSeconds, ...place }: WorkerData): Promise<void> {
  const { path, groupIndex, threads } = place;
  const comm = threadCommunicator(board, rank, { timeoutSeconds: silentSeconds });
  const engine = onnxRuntimeEngine({ threads });
  const folder = runFolder(path);
  const config = readRunFile(folder.config) as RunConfig;
  const open = async () => {
    const { learner, stream } = await openGroupSpec(config, folder, groupIndex);
    const own = stream(streamKey(config, groupIndex), undefined, { index: rank, count: board.size });
    const { accumulate } = config;
    return { engine, learner, stream: prefetched(own, accumulate), key: stepsKey(config, groupIndex), accumulate };
  };
  await followOnThread(comm, open, algorithmOf(config).follow).finally(() => engine.close());
}
