/**
 * The messages between a group's process and its parent. Loaded before everything else, so that early signals are
 * handled: by default SIGUSR1 would open Node's debugger, and the other signals would end the process without saving.
 */

/** A message of a group's process: that it trains, that it still does, or that it saves because it was asked to stop. */
export type GroupWord = "started" | "alive" | "saving";

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

/** Tell the parent that this group still works. */
export const showLife = () => say("alive");

/**
 * Listen to the parent and to signals. Ctrl-C and the end of a terminal reach parent and groups alike, so the group
 * ignores them: the parent passes them on.
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
  // The parent may have gone in between.
  if (process.connected) process.send?.(word, () => {});
}
