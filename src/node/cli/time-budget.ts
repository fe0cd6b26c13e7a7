/** A budget of time for a command that reads data and trains: it is refused as soon as it cannot be kept. */
import { ConfigError } from "../../errors.js";
import { trainingSeconds } from "../../infer/plan.js";
import { duration } from "../../report/format.js";

const LOOK_MILLISECONDS = 100;

/** The seconds since the process began. */
export const elapsedSeconds = () => performance.now() / 1000;

/**
 * Read data within a budget. Reading takes at least as long as it has taken so far, so a budget that this leaves too
 * little of stops it, before it begins where that is known then.
 *
 * Throws {@link ConfigError} for such a budget, and what `read` throws.
 */
export async function readWithin<T>(
  budgetSeconds: number | undefined,
  signal: AbortSignal,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (budgetSeconds === undefined) return read(signal);
  const over = new AbortController();
  const look = () => {
    try {
      trainingSeconds(budgetSeconds, elapsedSeconds());
    } catch {
      over.abort(tooShort(budgetSeconds));
    }
  };
  look();
  over.signal.throwIfAborted();
  const timer = setInterval(look, LOOK_MILLISECONDS);
  try {
    return await read(AbortSignal.any([signal, over.signal]));
  } catch (error) {
    signal.throwIfAborted();
    over.signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function tooShort(budgetSeconds: number): ConfigError {
  return new ConfigError(
    `--time-budget: ${duration(budgetSeconds)} cannot be kept: ${duration(Math.ceil(elapsedSeconds()))} are over, the data is not looked at to the end yet, and is then read once more, before processes start, train and score. Give more time, or leave --time-budget out; fewer columns (--ignore) and rows are read faster.`,
  );
}
