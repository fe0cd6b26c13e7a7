/**
 * A process that takes locks at the same instants as its siblings: told of a folder, it tries to lock it, and says whether it
 * has it; told to let go, it does.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../src/errors.js";
import { lockRun, type RunLock } from "../../src/node/runs/lock.js";

let lock: RunLock | undefined;

process.on("message", (folder: string | null) => {
  if (folder === null) {
    lock?.release();
    lock = undefined;
    process.send?.("free");
    return;
  }
  // The race begins when all have come: by a file that the test makes.
  while (!existsSync(join(folder, "go")));
  try {
    lock = lockRun(folder);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  process.send?.(lock ? "locked" : "refused");
});
