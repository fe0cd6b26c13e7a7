/** An end to work that data of others steers: a pattern in a tokenizer may look for a match for longer than anybody lives. */
import { createContext, Script } from "node:vm";

/** Code in a context can be stopped from outside, in the middle of a match too. */
const context: { work?: () => unknown } = {};
createContext(context);
const call = new Script("work()");

/** The result of some work; throws what `tooLong` makes when that is not there after so many seconds. */
export function withinSeconds<T>(seconds: number, work: () => T, tooLong: () => Error): T {
  context.work = work;
  try {
    return call.runInContext(context, { timeout: Math.ceil(1000 * seconds) }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") throw tooLong();
    throw error;
  }
}
