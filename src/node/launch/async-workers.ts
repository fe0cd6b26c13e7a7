/** The workers and parameter servers of asynchronous SGD on this machine: threads of the group's process, whose own thread leads. */
import { Worker } from "node:worker_threads";
import { sendEnd } from "../../async-sgd/student.js";
import { workByMail } from "../../async-sgd/worker.js";
import type { Engine } from "../../engine/engine.js";
import { messageOf } from "../../errors.js";
import type { Servers } from "../../run/algorithms/kind.js";
import type { RunConfig } from "../../run/schema.js";
import { stepsKey, streamKey } from "../../run/start.js";
import { leaderMail, workerMail } from "../comm/thread-mail.js";
import { onnxRuntimeEngine } from "../ort/onnxruntime.js";
import { threadedEngine } from "../ort/threaded-engine.js";
import { readRunFile } from "../runs/run-file.js";
import { runFolder } from "../runs/run-folder.js";
import { openGroupSpec } from "./prepare.js";

/** What the thread of a worker is given. */
export interface AsyncWorkerData {
  readonly rank: number;
  /** How many workers there are, with the leader. */
  readonly size: number;
  /** The run folder. */
  readonly path: string;
  readonly groupIndex: number;
  readonly threads: number;
}

export interface AsyncWorkersOptions extends Omit<AsyncWorkerData, "rank" | "size"> {
  readonly workers: number;
  /** An engine whose answers are signs of life of the group: of servers, which take its updates. */
  readonly living: (engine: Engine) => Engine;
}

/** Workers and servers that are started when they are asked for, and ended by `close`. */
export function asyncWorkers({ workers, living, ...place }: AsyncWorkersOptions) {
  let started: Servers | undefined;
  return {
    start(numServers: number): Servers {
      const entry = new URL("./async-worker-main.js", import.meta.url);
      const threads = Array.from({ length: workers }, (_, i) => {
        return new Worker(entry, {
          workerData: { ...place, rank: i + 1, size: workers + 1 } satisfies AsyncWorkerData,
        });
      });
      const engines = Array.from({ length: numServers }, () => living(threadedEngine({ threads: 1 })));
      started = { mail: leaderMail(threads), engines };
      return started;
    },
    async close(): Promise<void> {
      if (!started) return;
      const { mail, engines } = started;
      try {
        sendEnd(mail);
      } catch (error) {
        // The mail is broken: the workers that are left end by this.
        mail.abort(messageOf(error));
      }
      await mail.close();
      await Promise.all(engines.map((engine: Engine) => engine.close()));
    },
  };
}

/** Be a worker of a group, until its leader says that this is the end. */
export async function runAsyncWorker({ rank, size, path, groupIndex, threads }: AsyncWorkerData): Promise<void> {
  const mail = workerMail(rank, size);
  const engine = onnxRuntimeEngine({ threads });
  try {
    const folder = runFolder(path);
    const config = readRunFile(folder.config) as RunConfig;
    const { learner, stream } = await openGroupSpec(config, folder, groupIndex);
    const own = stream(streamKey(config, groupIndex));
    const { accumulate } = config;
    await workByMail(mail, { engine, learner, stream: own, key: stepsKey(config, groupIndex), accumulate });
  } catch (error) {
    mail.abort(`worker ${rank} of ${size - 1} failed: ${messageOf(error)}`);
    throw error;
  } finally {
    await engine.close();
    await mail.close();
  }
}
