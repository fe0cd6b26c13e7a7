/** The run log on disk: one event a line, whole lines only, so that a killed process leaves a readable log. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { LoggedEvent, TrainEvent } from "../train/events.js";

/** Append events to a log file, each with the time of day. */
export function logWriter(path: string): (event: TrainEvent) => void {
  // A process that was killed may have left a part of a line: it must not swallow the next one.
  if (existsSync(path) && !/(^|\n)$/.test(readFileSync(path, "utf8"))) appendFileSync(path, "\n");
  return (event) => {
    const logged: LoggedEvent = { time: new Date().toISOString(), ...event };
    appendFileSync(path, `${JSON.stringify(logged)}\n`);
  };
}
