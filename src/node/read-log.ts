import { existsSync, readFileSync } from "node:fs";
import type { LoggedEvent } from "../train/events.js";

/** The events of a log file; none when there is no file. A last line that is cut short, or a foreign one, is left out. */
export function readLog(path: string): LoggedEvent[] {
  return existsSync(path) ? parseLines(readFileSync(path, "utf8")) : [];
}

/** Events from log lines; lines that are not events are left out. */
export function parseLines(text: string): LoggedEvent[] {
  return text.split("\n").flatMap((line) => {
    try {
      const event = JSON.parse(line) as LoggedEvent;
      return typeof event.event === "string" ? [event] : [];
    } catch {
      return [];
    }
  });
}

/** The latest step that a group's events tell of; 0 when they tell of none. */
export function lastStepOf(events: readonly LoggedEvent[]): number {
  return events.reduce(
    (step, event) => (event.event === "step" || event.event === "group-start" ? event.step : step),
    0,
  );
}
