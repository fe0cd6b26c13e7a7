/**
 * Work in the background that never delays training: one task at a time, and of the values offered meanwhile only the
 * newest.
 */
import { StoreError } from "../errors.js";
import { troubleTeller } from "./trouble.js";

export interface LatestOnly<T> {
  /** Work on a value, unless a newer one is offered before the work on it begins. */
  offer(value: T): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** A task that fails, or does not end in time, is given up, and its trouble reported, once for each kind of trouble. */
export function latestOnly<T>(
  timeoutSeconds: number,
  task: (value: T, signal: AbortSignal) => Promise<void>,
  onTrouble: (message: string) => void,
): LatestOnly<T> {
  const trouble = troubleTeller(onTrouble);
  let waiting: { value: T } | undefined;
  let running: Promise<void> | undefined;
  async function drain(): Promise<void> {
    try {
      for (let next = waiting; next; next = waiting) {
        const { value } = next;
        waiting = undefined;
        await inTime(timeoutSeconds, (signal) => task(value, signal)).then(trouble.wentWell, trouble.wentWrong);
      }
    } finally {
      running = undefined;
    }
  }
  return {
    offer(value) {
      waiting = { value };
      running ??= drain();
    },
    idle: async () => running,
  };
}

/** Some work, or its failure when it takes too long: a store may never answer, and may not heed the signal. */
async function inTime(seconds: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const timeout = new AbortController();
  const late = new Promise<never>((_, reject) => {
    timeout.signal.addEventListener("abort", () => reject(timeout.signal.reason));
  });
  const timer = setTimeout(
    () =>
      timeout.abort(new StoreError(`the store has not answered for ${seconds} s; tried again at the next interval`)),
    seconds * 1000,
  );
  try {
    await Promise.race([work(timeout.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
