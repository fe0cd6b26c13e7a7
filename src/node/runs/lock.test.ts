import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { deadPid } from "../../../test/fixtures/dead-process.js";
import { ConfigError } from "../../errors.js";
import { lockRun } from "./lock.js";
import { ownIdentity, type ProcessIdentity } from "./process-identity.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-lock-"));
const file = join(folder, "lock.json");
afterEach(() => rmSync(file, { recursive: true, force: true }));
after(() => rmSync(folder, { recursive: true }));

const isHeld = (error: unknown) => error instanceof ConfigError && /is at work in .*Stop it first/.test(error.message);
const isUnsure = (error: unknown) =>
  error instanceof ConfigError && /cannot be seen from here.*Stop it first; if it is gone, remove/.test(error.message);
const leave = (record: Partial<ProcessIdentity>) => writeFileSync(file, JSON.stringify(record));

test("a locked folder is refused until it is unlocked", () => {
  const lock = lockRun(folder);
  assert.throws(() => lockRun(folder), isHeld);
  assert.equal(lock.isHeld(), true);
  lock.release();
  assert.equal(existsSync(file), false);
  lockRun(folder).release();
});

test("the lock says which process it is of", () => {
  const lock = lockRun(folder);
  const { token, ...record } = JSON.parse(readFileSync(file, "utf8"));
  assert.deepEqual(record, { version: 1, ...ownIdentity() });
  assert.match(token, /^[0-9a-f-]{36}$/);
  lock.release();
});

test("a lock that was taken away is no longer held, and its release leaves the other's", () => {
  const older = lockRun(folder);
  rmSync(file);
  assert.equal(older.isHeld(), false);
  const newer = lockRun(folder);
  older.release();
  assert.equal(newer.isHeld(), true);
  newer.release();
});

test("the lock of a process that is gone, and one that was cut short, count for nothing", () => {
  const own = ownIdentity();
  for (const left of [
    { pid: deadPid, host: hostname() },
    { ...own, pid: deadPid },
    // The id came again: in a container that was started again, and after a restart of the machine.
    { pid: process.pid, host: hostname() },
    { ...own, startTime: "1" },
    { ...own, pid: 1, pidNamespace: "pid:[1]" },
    { ...own, bootId: "another" },
  ]) {
    leave(left);
    lockRun(folder).release();
  }
  writeFileSync(file, '{"pid":');
  lockRun(folder).release();
});

test("the lock of another host is kept, and so is that of an older program that lives", async (t) => {
  leave({ pid: 1, host: "elsewhere" });
  assert.throws(() => lockRun(folder), isHeld);
  leave({ ...ownIdentity(), host: "elsewhere", bootId: "another" });
  assert.throws(() => lockRun(folder), isUnsure);
  const other = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
  t.after(() => other.kill());
  await once(other, "spawn");
  leave({ pid: other.pid ?? 0, host: hostname() });
  assert.throws(() => lockRun(folder), isHeld);
});

test("what is no regular file is refused, and nothing is written through a link", () => {
  const target = join(folder, "target");
  writeFileSync(target, "stays");
  symlinkSync(target, file);
  assert.throws(() => lockRun(folder), /must be a regular file, it is a symbolic link/);
  assert.equal(readFileSync(target, "utf8"), "stays");
  rmSync(file);
  mkdirSync(file);
  assert.throws(() => lockRun(folder), /must be a regular file, it is a folder/);
  if (process.platform === "win32") return;
  rmSync(file, { recursive: true });
  spawnSync("mkfifo", [file]);
  assert.throws(() => lockRun(folder), /must be a regular file, it is a named pipe/);
});
