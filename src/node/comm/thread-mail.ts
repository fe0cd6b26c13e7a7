/** Mail between threads of one process: letters are posted, and arrays in shared memory are read where they lie. */
import { parentPort, type Worker } from "node:worker_threads";
import { closedCommunicator } from "../../comm/communicator.js";
import { inbox, type Letter, type Mail } from "../../comm/mail.js";
import { messageOf } from "../../errors.js";
import { closable } from "../../runtime/closable.js";

/** What is posted: a letter, or why the sender has failed. */
type Posted = { readonly letter: Letter } | { readonly failure: string };

/**
 * The mail of the leader, which started these threads; each calls {@link workerMail}. A thread that fails or ends breaks it, with
 * what it died of. Closed, it waits until all threads have ended.
 */
export function leaderMail(workers: readonly Worker[]): Mail {
  const box = inbox();
  const size = workers.length + 1;
  let isClosing = false;
  for (const [i, worker] of workers.entries()) {
    const rank = i + 1;
    worker.on("message", (posted: Posted) => {
      if ("failure" in posted) box.fail(posted.failure);
      else box.deliver({ from: rank, letter: posted.letter });
    });
    worker.on("error", (error) => box.fail(`worker ${rank} of ${workers.length} failed: ${messageOf(error)}`));
    worker.on("exit", (code) => {
      if (!isClosing) box.fail(`worker ${rank} of ${workers.length} has ended with code ${code}`);
    });
  }
  const mail: Omit<Mail, "close" | typeof Symbol.asyncDispose> = {
    rank: 0,
    size,
    send(to, letter) {
      if (isClosing) throw closedCommunicator();
      box.checkSound();
      workers[to - 1]?.postMessage({ letter } satisfies Posted);
    },
    async next(signal) {
      if (isClosing) throw closedCommunicator();
      return box.next(signal);
    },
    abort(reason) {
      box.fail(reason);
      for (const worker of workers) worker.postMessage({ failure: reason } satisfies Posted);
    },
  };
  return closable(mail, async () => {
    isClosing = true;
    await Promise.all(
      workers.map((worker) => worker.threadId < 0 || new Promise((resolve) => worker.once("exit", resolve))),
    );
  });
}

/** The mail of a worker on this thread, which a leader had started. Closed, the thread may end. */
export function workerMail(rank: number, size: number): Mail {
  const port = parentPort;
  if (!port) throw new Error("internal: a worker has its leader's mail on a thread of its own");
  const box = inbox();
  let isClosed = false;
  port.on("message", (posted: Posted) => {
    if ("failure" in posted) box.fail(posted.failure);
    else box.deliver({ from: 0, letter: posted.letter });
  });
  const mail: Omit<Mail, "close" | typeof Symbol.asyncDispose> = {
    rank,
    size,
    send(_, letter) {
      if (isClosed) throw closedCommunicator();
      box.checkSound();
      port.postMessage({ letter } satisfies Posted);
    },
    async next(signal) {
      if (isClosed) throw closedCommunicator();
      return box.next(signal);
    },
    abort(reason) {
      box.fail(reason);
      port.postMessage({ failure: reason } satisfies Posted);
    },
  };
  return closable(mail, async () => {
    isClosed = true;
    port.close();
  });
}
