/** One program at a time trains in a run folder. */
import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { decodeJson } from "../checkpoint/json.js";
import { ConfigError } from "../errors.js";
import { isAlive } from "./alive.js";
import { readRegular, writeOwn } from "./plain-files.js";

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/**
 * Lock a run folder; gives what unlocks it. The lock of a process that is gone from this machine counts for nothing.
 *
 * Throws {@link ConfigError} when another program holds it.
 */
export function lockRun(folder: string): () => void {
  const path = join(folder, "lock.json");
  const own: Holder = { pid: process.pid, host: hostname() };
  try {
    writeOwn(path, "create", JSON.stringify(own));
  } catch (error) {
    const holder = readHolder(path);
    if (holder === "none") throw error;
    if (holder !== "unknown" && (holder.host !== own.host || isAlive(holder.pid))) {
      throw new ConfigError(
        `one program at a time trains in a run folder, and process ${holder.pid} on ${holder.host} is at work in ${folder}. ` +
          `Stop it first; if it is gone, remove ${path}.`,
        { cause: error },
      );
    }
    writeOwn(path, "replace", JSON.stringify(own));
  }
  return () => rmSync(path, { force: true });
}

/** Who holds the lock. Of a file that was cut short while it was written nobody knows. */
function readHolder(path: string): Holder | "unknown" | "none" {
  try {
    const { pid, host } = (decodeJson(readRegular(path)) ?? {}) as Partial<Holder>;
    return pid !== undefined && pid > 0 && host !== undefined ? { pid, host } : "unknown";
  } catch {
    return "none";
  }
}
