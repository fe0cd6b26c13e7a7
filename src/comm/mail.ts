/** Letters between the leader of a group and its workers, none of whom waits for another one. */
import { WorkerError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import type { Closable } from "../runtime/closable.js";

/** What is sent: a word that says what it is, numbers and arrays by name. */
export interface Letter {
  readonly kind: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly arrays: NamedArrays;
}

export interface Received {
  readonly from: number;
  readonly letter: Letter;
}

/**
 * One worker's side of the mail of a group: letters go between the leader, which has rank 0, and each worker. Those from one sender
 * arrive in the order in which they were sent.
 */
export interface Mail extends Closable {
  readonly rank: number;
  /** How many there are, with the leader. */
  readonly size: number;
  /**
   * Send a letter, without waiting for it to arrive. Arrays may be read where they lie: the sender leaves them as they are until
   * the receiver has answered.
   *
   * @throws WorkerError when the mail is broken
   */
  send(to: number, letter: Letter): void;
  /**
   * The next letter, when it has come. Rejects with the reason of the signal that is aborted first; the letter then stays.
   *
   * @throws WorkerError when a worker has failed or is lost
   */
  next(signal?: AbortSignal): Promise<Received>;
  /** Break the mail for the leader and all workers, for a reason that the leader is told. */
  abort(reason: string): void;
}

/** Mail between processes, whose end can be waited for. */
export interface ProcessMail extends Mail {
  /** Resolves when the mail is closed on all sides, and rejects when it broke. */
  readonly ended: Promise<void>;
}

/** The letters that have come and were not read yet. */
export interface Inbox {
  deliver(received: Received): void;
  /** Break it: whoever waits, now or later, gets an error with this reason. */
  fail(reason: string): void;
  /** Throws the error of a broken inbox. */
  checkSound(): void;
  next: Mail["next"];
}

/** An inbox that one reader reads. */
export function inbox(): Inbox {
  const letters: Received[] = [];
  let failure: WorkerError | null = null;
  let wake: () => void = () => {};
  function checkSound(): void {
    if (failure) throw failure;
  }
  return {
    deliver(received) {
      letters.push(received);
      wake();
    },
    fail(reason) {
      failure ??= new WorkerError(reason);
      wake();
    },
    checkSound,
    async next(signal) {
      for (;;) {
        signal?.throwIfAborted();
        checkSound();
        const first = letters.shift();
        if (first) return first;
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal?.addEventListener("abort", wake, { once: true });
        });
        signal?.removeEventListener("abort", wake);
      }
    },
  };
}
