/** Follow the logs of a run as they grow. */
import { closeSync, existsSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { LoggedEvent } from "../train/events.js";
import { openRegular } from "./plain-files.js";
import { parseLines } from "./read-log.js";
import { runFolder } from "./run-folder.js";

/** Reads what has been added to the logs of a run folder since the last call; only whole lines. */
export function logFollower(path: string): () => LoggedEvent[] {
  /** Where in each log the first line begins that was not told yet. */
  const offsets = new Map<string, number>();
  return () => {
    const groups = existsSync(path) ? readdirSync(path).filter((name) => /^group-\d+$/.test(name)) : [];
    const logs = [runFolder(path).log, ...groups.map((name) => join(path, name, "log.jsonl"))];
    return logs.flatMap((log) => {
      const offset = offsets.get(log) ?? 0;
      const added = readFrom(log, offset);
      const end = added.lastIndexOf("\n") + 1;
      offsets.set(log, offset + end);
      return parseLines(added.toString("utf8", 0, end));
    });
  };
}

function readFrom(path: string, offset: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0);
  const file = openRegular(path);
  try {
    const chunks: Buffer[] = [];
    for (let at = offset; ; ) {
      const chunk = Buffer.alloc(65_536);
      const read = readSync(file, chunk, 0, chunk.length, at);
      if (read === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, read));
      at += read;
    }
  } finally {
    closeSync(file);
  }
}
