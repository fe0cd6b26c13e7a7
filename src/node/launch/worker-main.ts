/** The thread of one worker of a group, beside the one that leads. */
import { workerData } from "node:worker_threads";
import { runWorker, type WorkerData } from "./worker.js";

await runWorker(workerData as WorkerData);
