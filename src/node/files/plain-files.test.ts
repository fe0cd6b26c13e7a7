import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { StoreError } from "../../errors.js";
import { lockRun } from "../runs/lock.js";
import { logWriter } from "../runs/log.js";
import { readLog } from "../runs/read-log.js";
import { makeFolder, makeOwnFolder, readRegular, writeOwn } from "./plain-files.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-own-"));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
/** A folder for one test, with somebody's file in it. */
function place() {
  const own = join(folder, String(count++));
  mkdirSync(own);
  const others = join(own, "others.txt");
  writeFileSync(others, "theirs");
  return { own, others, path: join(own, "log.jsonl") };
}
const refusedAs = (what: string) => (error: unknown) =>
  error instanceof StoreError && error.message.includes(`it is ${what}. Remove it`);
const uses = ["append", "replace", "create"] as const;

describe("what is written", () => {
  test("is added, written anew, or made once", () => {
    const { path } = place();
    writeOwn(path, "append", "a");
    writeOwn(path, "append", "b");
    assert.equal(readFileSync(path, "utf8"), "ab");
    writeOwn(path, "replace", "c");
    assert.equal(readFileSync(path, "utf8"), "c");
    assert.throws(() => writeOwn(path, "create", "d"), { code: "EEXIST" });
    assert.equal(readRegular(path).toString(), "c");
  });

  test("lies in a folder that is made with those above it, or is there", () => {
    const { own, others } = place();
    const below = join(own, "a", "b", "c");
    makeFolder(below);
    makeFolder(below);
    symlinkSync(below, join(own, "link"));
    makeFolder(join(own, "link"));
    makeFolder(join(own, "link", "d"));
    assert.ok(existsSync(join(below, "d")));
    symlinkSync(join(own, "gone"), join(own, "dangling"));
    for (const file of [others, join(own, "dangling")]) assert.throws(() => makeFolder(file), { code: "EEXIST" });
    assert.throws(() => makeFolder(join(others, "x")), { code: "ENOTDIR" });
    if (process.platform === "linux") assert.throws(() => makeFolder("/proc/none/x"), { code: "ENOENT" });
  });

  test("goes through no symbolic link, to a file or to nothing", () => {
    for (const use of uses) {
      const { own, others, path } = place();
      symlinkSync(others, path);
      assert.throws(() => writeOwn(path, use, "ours"), refusedAs("a symbolic link"), use);
      assert.equal(readFileSync(others, "utf8"), "theirs");
      const dangling = join(own, "dangling");
      symlinkSync(join(own, "made"), dangling);
      assert.throws(() => writeOwn(dangling, use, "ours"), refusedAs("a symbolic link"), use);
      assert.ok(!existsSync(join(own, "made")));
    }
  });

  test("goes into no file that has another name too, and does not empty it", () => {
    const { others, path } = place();
    linkSync(others, path);
    for (const use of ["append", "replace"] as const) {
      assert.throws(() => writeOwn(path, use, "ours"), /must be a file of its own .* it has 2 names/);
    }
    assert.equal(readFileSync(others, "utf8"), "theirs");
  });

  test("goes into a folder that is one, and not through a link to one", () => {
    const { own } = place();
    const group = join(own, "group-0");
    makeOwnFolder(group);
    makeOwnFolder(group);
    rmSync(group, { recursive: true });
    symlinkSync(folder, group);
    assert.throws(() => makeOwnFolder(group), refusedAs("a symbolic link"));
  });
});

test("a pipe, a socket, a device and a folder are refused at once, to read and to write", async (t) => {
  const { own } = place();
  const paths = {
    pipe: join(own, "pipe"),
    socket: join(own, "socket"),
    folder: join(own, "folder"),
    device: "/dev/zero",
  };
  execFileSync("mkfifo", [paths.pipe]);
  mkdirSync(paths.folder);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(paths.socket, resolve));
  t.after(() => server.close());
  for (const [kind, path] of Object.entries(paths)) {
    const is = refusedAs(kind === "pipe" ? "a named pipe" : `a ${kind}`);
    assert.throws(() => readRegular(path), is, kind);
    assert.throws(() => writeOwn(path, "append", "ours"), is, kind);
  }
});

test("the lock and the log of a run are written through no link", () => {
  const { own, others, path } = place();
  symlinkSync(others, join(own, "lock.json"));
  assert.throws(() => lockRun(own), refusedAs("a symbolic link"));
  symlinkSync(others, path);
  const log = logWriter(path);
  log({ event: "stage", stage: "1" });
  assert.equal(readFileSync(others, "utf8"), "theirs");
  rmSync(path);
  log({ event: "stage", stage: "2" });
  assert.deepEqual(
    readLog(path).map(({ event }) => event),
    ["stage", "stage", "log-trouble"],
  );
});
