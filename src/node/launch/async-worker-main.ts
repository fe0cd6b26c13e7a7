/** The thread of one worker of asynchronous SGD. */
import { workerData } from "node:worker_threads";
import { type AsyncWorkerData, runAsyncWorker } from "./async-workers.js";

await runAsyncWorker(workerData as AsyncWorkerData);
