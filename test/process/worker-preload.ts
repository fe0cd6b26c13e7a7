/**
 * Loaded by `--import` before a program and each of its threads, with a {@link WorkerFault} as its query: does to the worker's thread
 * what the test says. On any other thread it does nothing.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { workerData } from "node:worker_threads";
import type { WorkerData } from "../../src/node/launch/worker.js";
import type { WorkerEffect, WorkerFault } from "./fault.js";

const wanted = Object.fromEntries(new URL(import.meta.url).searchParams) as Record<keyof WorkerFault, string>;
const room = new Int32Array(new SharedArrayBuffer(4));
const { groupIndex, rank, path } = (workerData ?? {}) as Partial<WorkerData>;

if (String(groupIndex) === wanted.group && String(rank) === wanted.worker) {
  while (wanted.waits && !existsSync(wanted.when)) Atomics.wait(room, 0, 0, 5);
  look();
  // At each meeting with the other workers: a timer comes late where this thread never has to wait for them.
  const { store } = Atomics;
  Object.assign(Atomics, {
    store(...args: Parameters<typeof store>) {
      look();
      return store(...args);
    },
  });
}

function look(): void {
  if (!existsSync(wanted.when)) return;
  const effect = readFileSync(wanted.when, "utf8") as WorkerEffect;
  // Once: the group is started again.
  rmSync(wanted.when);
  if (effect === "exit") process.exit(7);
  if (effect === "other data") flipBit(String(path));
  else Atomics.wait(room, 0, 0);
}

/** Whoever has read the data already does not notice. */
function flipBit(run: string): void {
  const { cache } = JSON.parse(readFileSync(join(run, "data.json"), "utf8")) as { readonly cache: string };
  const file = join(cache, "train.bin");
  const bytes = readFileSync(file);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}
