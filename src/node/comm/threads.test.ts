import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { communicatorSuite } from "../../../test/suites/communicator.suite.js";
import { MEMORY_FLOATS } from "../../../test/suites/communicator-jobs.js";
import { threadBoard } from "./threads.js";

communicatorSuite("workers on threads", async (jobs, size) => {
  const board = threadBoard(size, MEMORY_FLOATS);
  const entry = new URL("../../../test/fixtures/communicator-thread.js", import.meta.url);
  const workers = Array.from({ length: size }, (_, rank) => new Worker(entry, { workerData: { board, rank, jobs } }));
  return Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));
});
