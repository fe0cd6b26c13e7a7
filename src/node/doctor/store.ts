/** A store, tried: a value goes in, comes back and is removed. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../../errors.js";
import { bytes } from "../../report/format.js";
import { locatedStore, openStore } from "../stores/stores.js";
import { type Finding, ok, trouble, warning } from "./finding.js";

/** Bytes of the value: a snapshot of a small network. */
const NUM_BYTES = 4 << 20;
/** Clocks that are further apart order the events of groups wrongly. */
const MOST_OFFSET_SECONDS = 5;

/** Put a value into a store, get it, and remove it. A folder that was not there is not there afterwards. */
export async function storeFindings(address: string): Promise<Finding[]> {
  const path = locatedStore(address);
  const made = existsSync(path) ? undefined : madeFolder(path);
  if (made instanceof Error)
    return [
      trouble(
        "store",
        `${path} cannot be made: ${made.message}`,
        "Name a folder that all groups reach and may write to.",
      ),
    ];
  const name = `doctor/${randomUUID()}`;
  try {
    const store = await openStore(address);
    const value = new Uint8Array(randomBytes(NUM_BYTES));
    const [put] = await timed(() => store.put(name, value));
    const offset = offsetOf(join(path, name));
    const [get, got] = await timed(() => store.get(name));
    const [remove] = await timed(() => store.remove(name));
    if (got === null || digest(got) !== digest(value))
      return [
        trouble(
          "store",
          `${path} gave another value than was put there`,
          "Groups would refuse it: look for what else writes there.",
        ),
      ];
    const times = `${bytes(NUM_BYTES)} put in ${put}, got in ${get}, removed in ${remove}`;
    return [
      made === undefined
        ? ok("store", `${path}: ${times}`)
        : warning(
            "store",
            `${path}, which is not there yet: ${times}`,
            "The first group makes it. If others have, look whether it is mounted.",
          ),
      ...clockFindings(offset),
    ];
  } catch (error) {
    return [trouble("store", messageOf(error), "Name a folder that all groups reach and may write to.")];
  } finally {
    leaveNothing(join(path, "doctor"), made === undefined ? path : dirname(made));
  }
}

/** The clock of the file system against this one: that of the server, where the store is mounted from one. */
function clockFindings(offset: number | null): Finding[] {
  if (offset === null) return [];
  const found = `${Math.abs(offset).toFixed(2)} s ${offset < 0 ? "behind" : "ahead of"} the store`;
  if (Math.abs(offset) <= MOST_OFFSET_SECONDS) return [ok("clock", found)];
  return [warning("clock", found, "Logs of several machines are then in a wrong order: run an NTP service.")];
}

/** Seconds by which the clock here is ahead of a file that was just written; null where that cannot be told. */
function offsetOf(path: string): number | null {
  try {
    return (Date.now() - statSync(path).mtimeMs) / 1000;
  } catch {
    return null;
  }
}

/** Make a folder, and give the first one of its path that was not there. */
function madeFolder(path: string): string | undefined | Error {
  try {
    return mkdirSync(path, { recursive: true });
  } catch (error) {
    return new Error(messageOf(error));
  }
}

/** Remove a folder and those above it while they are empty, up to one that stays. */
function leaveNothing(from: string, keep: string): void {
  try {
    for (let path = from; path !== keep && path !== dirname(path); path = dirname(path)) rmdirSync(path);
  } catch {
    // Others use it by now.
  }
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [took: string, value: T]> {
  const began = performance.now();
  const value = await work();
  return [`${Math.max(1, Math.round(performance.now() - began))} ms`, value];
}

const digest = (value: Uint8Array) => createHash("sha256").update(value).digest("hex");
