/**
 * What a group's process is told, and what it answers its parent. Loaded before everything else, so that a signal soon finds
 * its listener: by default SIGUSR1 would open Node's debugger, and the others would end the process unsaved.
 */

/** What a group's process says: that it trains, and that it was asked to stop and saves. */
export type GroupWord = "started" | "saving";

const stop = new AbortController();
let hasStarted = false;

/** Aborted when this group should save and stop: its parent says so, is gone, or a signal came for this process alone. */
export const stopOrder: AbortSignal = stop.signal;

/** Tell the parent that training has begun. A group that was asked to stop meanwhile begins by saving, and says that too. */
export function hasBegun(): void {
  hasStarted = true;
  say("started");
  if (stop.signal.aborted) say("saving");
}

/**
 * Listen to the parent and to signals. A terminal's Ctrl-C and its end reach parent and groups alike: the parent passes
 * them on.
 */
export function listen(): void {
  for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => {});
  for (const signal of ["SIGTERM", "SIGUSR1", "SIGUSR2"]) process.on(signal, saveAndStop);
  process.on("message", saveAndStop);
  process.on("disconnect", saveAndStop);
  if (!process.connected) saveAndStop();
}

function saveAndStop(): void {
  if (stop.signal.aborted) return;
  stop.abort();
  if (hasStarted) say("saving");
}

function say(word: GroupWord): void {
  // Nobody may be left to hear it.
  if (process.connected) process.send?.(word, () => {});
}
