import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { MessageChannel, Worker } from "node:worker_threads";
import { mailSuite } from "../../../test/suites/mail.suite.js";
import { type MailJob, runMailJob } from "../../../test/suites/mail-jobs.js";
import { WorkerError } from "../../errors.js";
import { leaderMail } from "./thread-mail.js";

function start(job: MailJob, workers: number) {
  const entry = new URL("../../../test/fixtures/mail-thread.js", import.meta.url);
  return Array.from({ length: workers }, (_, i) => {
    const { port1, port2 } = new MessageChannel();
    const workerData = { rank: i + 1, size: workers + 1, job, result: port2 };
    const result = once(port1, "message").then(([value]) => {
      port1.close();
      return value as unknown;
    });
    return { worker: new Worker(entry, { workerData, transferList: [port2] }), result };
  });
}

mailSuite("mail between threads", async (job, workers) => {
  const threads = start(job, workers);
  const mail = leaderMail(threads.map(({ worker }) => worker));
  const own = await runMailJob(job, mail);
  const others = await Promise.all(threads.map(({ result }) => result));
  await mail.close();
  return [own, ...others];
});

test("a thread that ends is told by its number and the code of its end", async () => {
  const threads = start("place", 2);
  const mail = leaderMail(threads.map(({ worker }) => worker));
  await assert.rejects(mail.next(), (error) => {
    return error instanceof WorkerError && /worker [12] of 2 has ended with code 0/.test(error.message);
  });
  await mail.close();
});
