/** The run log on disk: one event a line, whole lines only, so that a killed process leaves a readable log. */
import { writeSync } from "node:fs";
import { messageOf } from "../../errors.js";
import type { LoggedEvent, TrainEvent } from "../../log/events.js";
import { printable } from "../../report/printable.js";
import { withoutSecrets } from "../../report/secrets.js";
import { endOf } from "../files/log-lines.js";
import { writeOwn } from "../files/plain-files.js";
import { RUN_FOLDER_VERSION } from "./run-file.js";

/** Events that wait for a disk that cannot be written: about a megabyte. */
const MAX_WAITING = 5000;
/** The longest line in which strings are not cut: the message of an error may have any length. */
const LONG_LINE = 16_384;
const LONG_TEXT = 2000;

/**
 * Append events to a log file, each with the time; the first also has the version of the log. Never throws: events that
 * cannot be written wait for the next event, up to {@link MAX_WAITING} of them, the newest; a `log-trouble` event after
 * them reports the failure.
 */
export function logWriter(path: string): (event: TrainEvent) => void {
  // A killed process or a full disk may leave a part of a line; the next line must not be appended to it.
  let isTorn = isTornAt(path);
  let waiting: string[] = [];
  let numLost = 0;
  let trouble: string | undefined;
  let isFirst = true;

  function add(event: TrainEvent): void {
    const version = isFirst && { version: RUN_FOLDER_VERSION };
    isFirst = false;
    const logged: LoggedEvent = { time: new Date().toISOString(), ...version, ...event };
    const line = withoutSecrets(JSON.stringify(logged));
    waiting.push(`${line.length > LONG_LINE ? withoutSecrets(JSON.stringify(logged, cut)) : line}\n`);
  }

  /** Write one line at a time, so that no line is written twice when the disk is full again. */
  function write(): void {
    for (let line = waiting[0]; line !== undefined; line = waiting[0]) {
      writeOwn(path, "append", isTorn ? `\n${line}` : line);
      isTorn = false;
      waiting = waiting.slice(1);
    }
  }

  return (event) => {
    add(event);
    try {
      write();
      if (trouble === undefined) return;
      add({ event: "log-trouble", numLost, message: trouble });
      trouble = undefined;
      numLost = 0;
      write();
    } catch (error) {
      if (trouble === undefined) warn(`the log cannot be written, training goes on: ${messageOf(error)}\n`);
      trouble ??= messageOf(error);
      isTorn = true;
      numLost += Math.max(0, waiting.length - MAX_WAITING);
      waiting = waiting.slice(-MAX_WAITING);
    }
  };
}

/** Whether the last line of a file lacks its line feed. Throws what opening the file throws. */
function isTornAt(path: string): boolean {
  const end = endOf(path);
  return end !== null && end.lastByte !== 0x0a;
}

const cut = (_: string, value: unknown) =>
  typeof value === "string" && value.length > LONG_TEXT
    ? `${value.slice(0, LONG_TEXT)}... (${value.length - LONG_TEXT} more characters)`
    : value;

/** Write a warning; standard error may be on the same full disk, and its failure must not end the process. */
function warn(message: string): void {
  try {
    writeSync(2, printable(withoutSecrets(message)));
  } catch {
    // No place is left to report this.
  }
}
