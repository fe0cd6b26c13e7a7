import { existsSync } from "node:fs";
import { checkVersion, decodeJson } from "../checkpoint/json.js";
import type { LoggedEvent } from "../train/events.js";
import { readRegular } from "./plain-files.js";
import { RUN_FOLDER_VERSION } from "./run-file.js";

/**
 * The events of a log file; none when there is no file. A last line that is cut short, or a foreign one, is left out.
 * Throws {@link CheckpointError} when the log is of another version.
 */
export function readLog(path: string): LoggedEvent[] {
  const events = existsSync(path) ? parseLines(readRegular(path).toString()) : [];
  for (const { version } of events) checkVersion(path, version, RUN_FOLDER_VERSION);
  return events;
}

/** Events from log lines; lines that are not events are left out. */
export function parseLines(text: string): LoggedEvent[] {
  return text.split("\n").flatMap((line) => {
    const event = decodeJson(line) as LoggedEvent | null | undefined;
    return typeof event?.event === "string" ? [event] : [];
  });
}

/** The latest step that a group's events tell of; 0 when they tell of none. An event without a step tells of none. */
export function lastStepOf(events: readonly LoggedEvent[]): number {
  return events.reduce((step, event) => {
    if (event.event !== "step" && event.event !== "group-start") return step;
    return Number.isSafeInteger(event.step) && event.step >= 0 ? event.step : step;
  }, 0);
}
