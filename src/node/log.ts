/** The run log on disk: one event a line, whole lines only, so that a killed process leaves a readable log. */
import { appendFileSync } from "node:fs";
import type { LoggedEvent, TrainEvent } from "../train/events.js";

/** Append events to a log file, each with the time of day. */
export function logWriter(path: string): (event: TrainEvent) => void {
  return (event) => {
    const logged: LoggedEvent = { time: new Date().toISOString(), ...event };
    appendFileSync(path, `${JSON.stringify(logged)}\n`);
  };
}
