/** The workers and parameter servers of asynchronous SGD: servers beside the thread that leads, workers wherever its mail reaches them. */
import { Worker } from "node:worker_threads";
import { sendEnd } from "../../async-sgd/student.js";
import { type GradientOptions, workByMail } from "../../async-sgd/worker.js";
import type { Mail } from "../../comm/mail.js";
import type { Engine } from "../../engine/engine.js";
import { messageOf, WorkerError } from "../../errors.js";
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

export interface AsyncServersOptions {
  /** Start the workers, whose leader has this mail. */
  readonly openMail: () => Promise<Mail>;
  /** An engine whose answers are signs of life of the group: of servers, which take its updates. */
  readonly living: (engine: Engine) => Engine;
}

/** Workers and servers that are started when they are asked for, and ended by `close`. */
export function asyncServers({ openMail, living }: AsyncServersOptions) {
  let started: Servers | undefined;
  return {
    async start(numServers: number): Promise<Servers> {
      const mail = await openMail();
      const engines = Array.from({ length: numServers }, () => living(threadedEngine({ threads: 1 })));
      started = { mail, engines };
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

/** Start workers on threads of this process; gives the mail of their leader. */
export async function startWorkerThreads(
  workers: number,
  place: Omit<AsyncWorkerData, "rank" | "size">,
): Promise<Mail> {
  const entry = new URL("./async-worker-main.js", import.meta.url);
  const threads = Array.from({ length: workers }, (_, i) => {
    return new Worker(entry, { workerData: { ...place, rank: i + 1, size: workers + 1 } satisfies AsyncWorkerData });
  });
  return leaderMail(threads);
}

/** Be the worker on this thread, which {@link startWorkerThreads} has started. */
export async function runAsyncWorker({ rank, size, path, groupIndex, threads }: AsyncWorkerData): Promise<void> {
  const engine = onnxRuntimeEngine({ threads });
  await workWith(`worker ${rank} of ${size - 1} failed`, workerMail(rank, size), engine, async () => {
    const folder = runFolder(path);
    const config = readRunFile(folder.config) as RunConfig;
    const { learner, stream } = await openGroupSpec(config, folder, groupIndex);
    const { accumulate } = config;
    return { learner, stream: stream(streamKey(config, groupIndex)), key: stepsKey(config, groupIndex), accumulate };
  });
}

/**
 * Be a worker of a group, until its leader says that this is the end; closes mail and engine.
 *
 * Throws {@link WorkerError} for a failure of any kind, after telling it to the leader: `who` it is, and what it failed of.
 */
export async function workWith(
  who: string,
  mail: Mail,
  engine: Engine,
  open: () => Promise<Omit<GradientOptions, "engine">>,
): Promise<void> {
  try {
    await workByMail(mail, { engine, ...(await open()) });
  } catch (error) {
    const reason = `${who}: ${messageOf(error)}`;
    mail.abort(reason);
    throw new WorkerError(reason, { cause: error });
  } finally {
    await engine.close();
    await mail.close();
  }
}
