/** The run log on disk: one event a line, whole lines only, so that a killed process leaves a readable log. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { LoggedEvent, TrainEvent } from "../train/events.js";
import { RUN_FOLDER_VERSION } from "./run-file.js";

/** Append events to a log file, each with the time of day; the first one says the version of the log too. */
export function logWriter(path: string): (event: TrainEvent) => void {
  // A process that was killed may have left a part of a line: it must not swallow the next one.
  if (existsSync(path) && !/(^|\n)$/.test(readFileSync(path, "utf8"))) appendFileSync(path, "\n");
  let isFirst = true;
  return (event) => {
    const version = isFirst && { version: RUN_FOLDER_VERSION };
    isFirst = false;
    const logged: LoggedEvent = { time: new Date().toISOString(), ...version, ...event };
    appendFileSync(path, `${JSON.stringify(logged)}\n`);
  };
}
