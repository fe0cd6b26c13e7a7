/**
 * Loaded by `--import` before a program, with a {@link ThreadFault} as its query: ends a thread of a group's process at the next message
 * to it, once a test says so. In any other process it does nothing.
 */
import { existsSync, rmSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import threads, { isMainThread } from "node:worker_threads";
import { isFor, type ThreadFault } from "./fault.js";

const wanted = Object.fromEntries(new URL(import.meta.url).searchParams) as Record<keyof ThreadFault, string>;
let numSeen = 0;

if (isMainThread && isFor({ process: Number(wanted.group) }, process.argv)) {
  const { Worker } = threads;
  class Watched extends Worker {
    readonly #isWanted: boolean;

    constructor(...[file, options]: ConstructorParameters<typeof Worker>) {
      super(file, options);
      this.#isWanted = basename(String(file), ".js") === wanted.program && ++numSeen === Number(wanted.nth);
    }

    override postMessage(...given: Parameters<InstanceType<typeof Worker>["postMessage"]>): void {
      if (this.#isWanted && existsSync(wanted.when)) {
        // Once: the group is started again.
        rmSync(wanted.when);
        this.terminate();
      }
      super.postMessage(...given);
    }
  }
  Object.assign(threads, { Worker: Watched });
  syncBuiltinESMExports();
}
