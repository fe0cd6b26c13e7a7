/** Reads run logs event by event, as a log may be larger than memory or than the longest string. */
import { checkVersion, decodeJson } from "../../checkpoint/json.js";
import { CheckpointError, ConfigError, messageOf } from "../../errors.js";
import type { LoggedEvent } from "../../log/events.js";
import { bytes } from "../../report/format.js";
import { type Line, lineReader, MAX_LINE_BYTES } from "../files/log-lines.js";
import { RUN_FOLDER_VERSION } from "./run-file.js";

type EventName = LoggedEvent["event"];
/** An event of this name. */
export type EventOf<Name extends EventName> = Extract<LoggedEvent, { readonly event: Name }>;

/**
 * The events of a log file, or only those of some names, from a byte on; none when there is no file. Leaves out a last
 * line that is cut short, and lines that are not events. In place of a line of more than 1 MiB it yields a
 * `log-trouble` event.
 *
 * Throws {@link CheckpointError} when the log is of another version, and {@link ConfigError} when it cannot be read.
 */
export function* readEvents<Name extends EventName = EventName>(
  path: string,
  names?: readonly Name[],
  from = 0,
): Generator<EventOf<Name>> {
  const wanted = names && new Set<string>(names);
  const lines = lineReader(path, from);
  try {
    for (const line of lines.added()) yield* eventIn(line);
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    throw new ConfigError(`the log ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  yield* eventIn(lines.rest());

  function* eventIn(line: Line): Generator<EventOf<Name>> {
    const event = eventOf(line, wanted);
    if (event === null) return;
    checkVersion(path, event.version, RUN_FOLDER_VERSION);
    if (wanted?.has(event.event) !== false) yield event as EventOf<Name>;
  }
}

/** All events of a log that is known to be small. Throws what {@link readEvents} throws. */
export function readLog(path: string): LoggedEvent[] {
  return [...readEvents(path)];
}

/**
 * The beginning of every line of ours without a version, by which lines of events that are not wanted are skipped
 * without parsing them.
 */
const BEGINNING = /^\{"time":"[^"\\]{0,40}","event":"([a-z-]+)"/;

/** Throws {@link CheckpointError} when a log is of another version, and {@link ConfigError} when it cannot be read. */
export function checkLog(path: string): void {
  readEvents(path, []).next();
}

/**
 * The event of a line; null when the line is not an event, or its beginning shows that it has none of the wanted names.
 */
export function eventOf(line: Line, wanted?: ReadonlySet<string>): LoggedEvent | null {
  if (!Buffer.isBuffer(line)) return tooLong(line.numBytes);
  const name = wanted && BEGINNING.exec(line.toString("latin1", 0, 100))?.[1];
  if (name !== undefined && !wanted?.has(name)) return null;
  const event = decodeJson(line) as Partial<LoggedEvent> | null | undefined;
  return typeof event?.event === "string" && typeof event.time === "string" ? (event as LoggedEvent) : null;
}

function tooLong(numBytes: number): LoggedEvent {
  const message = `a line must have at most ${bytes(MAX_LINE_BYTES)} and had ${bytes(numBytes)}; it is left out`;
  return { time: "", event: "log-trouble", numLost: 1, message };
}

/**
 * The step of the last step or start among a group's events; 0 when there is none. Events with an invalid step do not
 * count.
 */
export function lastStepOf(events: Iterable<LoggedEvent>): number {
  let step = 0;
  for (const event of events) {
    if (event.event !== "step" && event.event !== "group-start") continue;
    if (Number.isSafeInteger(event.step) && event.step >= 0) step = event.step;
  }
  return step;
}
