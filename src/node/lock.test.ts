import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError } from "../errors.js";
import { lockRun } from "./lock.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-lock-"));
const file = join(folder, "lock.json");
after(() => rmSync(folder, { recursive: true }));

const isHeld = (error: unknown) => error instanceof ConfigError && /is at work in .*Stop it first/.test(error.message);

test("a locked folder is refused until it is unlocked", () => {
  const unlock = lockRun(folder);
  assert.throws(() => lockRun(folder), isHeld);
  unlock();
  assert.equal(existsSync(file), false);
  lockRun(folder)();
});

test("the lock of a process that is gone, and one that was cut short, count for nothing", () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  for (const left of [JSON.stringify({ pid, host: hostname() }), '{"pid":']) {
    writeFileSync(file, left);
    lockRun(folder)();
  }
});

test("the lock of another host is kept", () => {
  writeFileSync(file, JSON.stringify({ pid: 1, host: "elsewhere" }));
  assert.throws(() => lockRun(folder), isHeld);
  rmSync(file);
});
