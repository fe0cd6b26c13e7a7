/** Follow the logs of a run as they grow. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../../errors.js";
import type { LoggedEvent } from "../../log/events.js";
import { endOf, type LineReader, lineReader } from "../files/log-lines.js";
import { isSystemError } from "../files/system-errors.js";
import { eventOf } from "./read-log.js";
import { runFolder } from "./run-folder.js";

/**
 * Reads the events that were added to the logs of a run folder since the last call, from complete lines only. With
 * `from` "end" it skips the events that the logs hold now. A log that cannot be read is tried again at the next call.
 */
export function logFollower(path: string, from: "start" | "end" = "start"): () => Generator<LoggedEvent> {
  const readers = new Map<string, LineReader>();
  if (from === "end") for (const log of logsIn(path)) readers.set(log, lineReader(log, endOf(log)?.size));
  return function* added() {
    for (const log of logsIn(path)) {
      const reader = readers.get(log) ?? lineReader(log);
      readers.set(log, reader);
      try {
        for (const line of reader.added()) {
          const event = eventOf(line);
          if (event) yield event;
        }
      } catch (error) {
        if (!(error instanceof StoreError) && !isSystemError(error)) throw error;
      }
    }
  };
}

function logsIn(path: string): string[] {
  const groups = existsSync(path) ? readdirSync(path).filter((name) => /^group-\d+$/.test(name)) : [];
  return [runFolder(path).log, ...groups.map((name) => join(path, name, "log.jsonl"))];
}
