/** Mail between processes that a launcher of MPI started: the side of their main threads. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { closedCommunicator } from "../../../comm/communicator.js";
import { inbox, type ProcessMail } from "../../../comm/mail.js";
import { messageOf } from "../../../errors.js";
import { closable } from "../../../runtime/closable.js";
import { watchSilence } from "../silence.js";
import type { MailNews, MailOrder } from "./mail-thread.js";

export interface MpiMailOptions {
  readonly rank: number;
  readonly size: number;
  /** The port by which the thread of MPI is told what to do, and tells what comes. */
  readonly port: MessagePort;
  /** The control words of that thread. */
  readonly control: Int32Array;
  /** Resolves when the mail is closed on all sides, and rejects when it broke. */
  readonly ended: Promise<void>;
  /** What people call a process. */
  readonly nameOf: (rank: number) => string;
  /** Seconds after which a process that is not heard of is given up. */
  readonly timeoutSeconds: number;
}

/** Signs of life in the time for which silence is borne. */
const SIGNS = 4;

/**
 * The mail of this process. Each process lets the others know that it is there; one that is not heard of in time breaks the mail, and so
 * does a leader's wait for a letter that nobody sends. Closed, it waits until the others have closed theirs, as workers do at
 * once when their leader has failed.
 */
export function mpiMail({ rank, size, port, control, ended, nameOf, timeoutSeconds }: MpiMailOptions): ProcessMail {
  const box = inbox();
  let isClosing = false;

  function order(one: MailOrder): void {
    port.postMessage(one);
    Atomics.add(control, 1, 1);
    Atomics.notify(control, 1);
  }

  const others = rank === 0 ? Array.from({ length: size - 1 }, (_, i) => i + 1) : [0];
  const watches = new Map(
    others.map((other) => [
      other,
      watchSilence(timeoutSeconds, () => {
        box.fail(
          `workers of a group let one another know that they are there, and ${nameOf(other)} was not heard of for ${timeoutSeconds} s: ` +
            "its process has stopped, or a machine or the network between them is gone",
        );
        Atomics.store(control, 0, 1);
        Atomics.notify(control, 1);
      }),
    ]),
  );
  const pulse = setInterval(() => order({ order: "showLife" }), (1000 * timeoutSeconds) / SIGNS);

  function take(one: MailNews): void {
    const { from, news } = one;
    if (news === "left") {
      watches.get(from)?.end();
      if (rank === 0 && !isClosing) box.fail(`${nameOf(from)} has ended`);
    } else watches.get(from)?.heard();
    if (news === "letter") box.deliver({ from, letter: one.letter });
    if (news === "failure") box.fail(one.reason);
  }

  port.on("message", take);
  const over = ended
    .catch((error: unknown) => box.fail(messageOf(error)))
    .finally(() => {
      clearInterval(pulse);
      for (const watch of watches.values()) watch.end();
      // The end is told on another way, and may overtake the last news.
      for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) take(got.message as MailNews);
      port.close();
    });

  const mail: Omit<ProcessMail, "close" | typeof Symbol.asyncDispose> = {
    rank,
    size,
    ended,
    send(to, letter) {
      if (isClosing) throw closedCommunicator();
      box.checkSound();
      order({ order: "send", to, letter });
    },
    async next(signal) {
      if (isClosing) throw closedCommunicator();
      if (rank > 0) return box.next(signal);
      const watch = watchSilence(timeoutSeconds, () =>
        box.fail(
          `a leader waits for its workers, and none of ${size - 1} has brought anything within ${timeoutSeconds} s`,
        ),
      );
      return box.next(signal).finally(watch.end);
    },
    abort(reason) {
      box.fail(reason);
      order({ order: "fail", reason });
    },
  };
  return closable(mail, async () => {
    isClosing = true;
    order({ order: "close" });
    await over;
  });
}
