/** Options of runs that another thread can end. */

import { cApi, LOG_FATAL } from "./c-api.js";
import type { Terminator } from "./cancellation.js";

/**
 * Run options with which any thread can end a run: the library checks them between two operations, also inside loops
 * and branches, and they are an object that all threads of the process can reach.
 */
export function runTerminator(): Terminator {
  const api = cApi();
  const runOptions = api.make("CreateRunOptions");
  // Without it, the library would print that the run was ended.
  api.call("RunOptionsSetRunLogSeverityLevel", runOptions, LOG_FATAL);
  return {
    runOptions,
    terminate: () => api.call("RunOptionsSetTerminate", runOptions),
    reset: () => api.call("RunOptionsUnsetTerminate", runOptions),
    free: () => api.release("ReleaseRunOptions", runOptions),
  };
}
