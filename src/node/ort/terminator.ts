/** Options of runs that another thread can end. */

import { cApi, LOG_FATAL } from "./c-api.js";
import type { Terminator } from "./cancellation.js";

/**
 * The library asks between two operations, those of loops and branches too, whether the options of a run tell it to end.
 * They are one object of the process, so any thread may tell them.
 */
export function runTerminator(): Terminator {
  const api = cApi();
  const runOptions = api.make("CreateRunOptions");
  // The library would print that the run has been ended.
  api.call("RunOptionsSetRunLogSeverityLevel", runOptions, LOG_FATAL);
  return {
    runOptions,
    terminate: () => api.call("RunOptionsSetTerminate", runOptions),
    reset: () => api.call("RunOptionsUnsetTerminate", runOptions),
    free: () => api.release("ReleaseRunOptions", runOptions),
  };
}
