/**
 * A time limit for work that foreign data controls: a pattern in a tokenizer may search for a match almost without end.
 */
import { createContext, Script } from "node:vm";

/** Code in a context can be stopped from outside, in the middle of a match too. */
const context: { work?: () => unknown } = {};
createContext(context);
const call = new Script("work()");

/** The result of some work; throws the error of `tooLong` when the work takes longer than `seconds`. */
export function withinSeconds<T>(seconds: number, work: () => T, tooLong: () => Error): T {
  context.work = work;
  try {
    return call.runInContext(context, { timeout: Math.ceil(1000 * seconds) }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") throw tooLong();
    throw error;
  }
}
