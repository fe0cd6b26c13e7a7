import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { sampleValue, storeSuite } from "../../../test/suites/store.suite.js";
import { StoreError } from "../../errors.js";
import { directoryStore } from "./directory-store.js";

const writer = fileURLToPath(new URL("../../../test/fixtures/store-writer.js", import.meta.url));
const newFolder = () => mkdtemp(join(tmpdir(), "store-"));

storeSuite("directoryStore", async () => {
  const root = await newFolder();
  return { store: directoryStore(join(root, "deep", "store")), cleanup: () => rm(root, { recursive: true }) };
});

async function folder(t: TestContext): Promise<string> {
  const root = await newFolder();
  t.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

async function put(path: string, value: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, value);
}

/** Every file in a folder, temporary ones too. */
async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [] : [entry.name])).sort();
}

const refusal = (...patterns: RegExp[]) => {
  return (error: unknown) =>
    error instanceof StoreError && patterns.every((pattern) => pattern.test(error.message) || assert.fail(error));
};

test("a missing folder is an empty store, and reading does not make it", async (t) => {
  const root = join(await folder(t), "none");
  const store = directoryStore(root);
  assert.equal(await store.get("a/b"), null);
  assert.deepEqual(await store.list(""), []);
  await store.remove("a/b");
  await assert.rejects(stat(root), { code: "ENOENT" });
});

test("a value is a plain file at its name, for the owner and the Unix group only", async (t) => {
  const root = await folder(t);
  await directoryStore(root).put("groups/0/latest.json", sampleValue(1));
  assert.deepEqual(new Uint8Array(await readFile(join(root, "groups/0/latest.json"))), sampleValue(1));
  assert.equal((await stat(join(root, "groups/0/latest.json"))).mode & 0o137, 0);
  assert.equal((await stat(join(root, "groups"))).mode & 0o007, 0);
});

test("a symbolic link at a name is refused and named, and replaced without touching its target", async (t) => {
  const root = await folder(t);
  const outside = join(root, "outside");
  await put(outside, "secret");
  await mkdir(join(root, "store"));
  await symlink(outside, join(root, "store", "a"));
  const store = directoryStore(join(root, "store"));
  await assert.rejects(store.get("a"), refusal(/store\/a/, /ELOOP/, /no symbolic links/));
  assert.deepEqual(await store.list(""), []);
  assert.equal(await store.create("a", sampleValue(1)), false);
  await store.put("a", sampleValue(1));
  assert.deepEqual(await store.get("a"), sampleValue(1));
  assert.equal(await readFile(outside, "utf8"), "secret");
});

test("a symbolic link on the way to a name is refused, but the root may be one", async (t) => {
  const root = await folder(t);
  await put(join(root, "outside", "a"), "secret");
  await mkdir(join(root, "store"));
  await symlink(join(root, "outside"), join(root, "store", "b"));
  await symlink(join(root, "store"), join(root, "link"));
  const store = directoryStore(join(root, "link"));
  await store.put("c/a", sampleValue(1));
  const refused = refusal(/link\/b must be a folder/, /symbolic link/);
  await assert.rejects(store.get("b/a"), refused);
  await assert.rejects(store.put("b/a", sampleValue(1)), refused);
  await assert.rejects(store.create("b/new", sampleValue(1)), refused);
  await assert.rejects(store.remove("b/a"), refused);
  assert.deepEqual(await store.list(""), ["c/a"]);
  assert.deepEqual(await filesIn(join(root, "outside")), ["a"]);
});

test("what is not a regular file is refused, and a named pipe does not block", { timeout: 10_000 }, async (t) => {
  const root = await folder(t);
  execFileSync("mkfifo", [join(root, "pipe")]);
  await mkdir(join(root, "folder"));
  const store = directoryStore(root);
  await assert.rejects(store.get("pipe"), refusal(/pipe must be a regular file/));
  await assert.rejects(store.get("folder"), refusal(/folder must be a regular file/));
  assert.deepEqual(await store.list(""), []);
});

test("a file in place of the folder is an error with the cure", async (t) => {
  const root = await folder(t);
  await put(join(root, "file"), "");
  const refused = refusal(/file/, /must be a folder|ENOTDIR/, /choose another folder/);
  for (const path of ["file", "file/store"]) {
    const store = directoryStore(join(root, path));
    await assert.rejects(store.put("a/b", sampleValue(1)), refused);
    await assert.rejects(store.create("a", sampleValue(1)), refused);
    await assert.rejects(store.get("a/b"), refused);
    await assert.rejects(store.list(""), refused);
    await assert.rejects(store.remove("a"), refused);
  }
  await directoryStore(root).put("other/a", sampleValue(1));
  await assert.rejects(directoryStore(root).put("file/a", sampleValue(1)), refused);
});

test("a write that fails keeps the cause and leaves no temporary file", async (t) => {
  const root = await folder(t);
  const store = directoryStore(root);
  await store.put("a/b", sampleValue(1));
  await assert.rejects(store.put("a", sampleValue(2)), (error) => {
    assert.ok(error instanceof StoreError && error.cause instanceof Error);
    return /cannot write .*\/a: (EISDIR|ENOTEMPTY|EEXIST)/.test(error.message);
  });
  assert.deepEqual(await filesIn(root), ["b"]);
  assert.deepEqual(await store.get("a/b"), sampleValue(1));
});

test("an abort is seen before, during and after the writing, and leaves no temporary file", async (t) => {
  const root = await folder(t);
  const store = directoryStore(root);
  const reason = new Error("given up");
  await store.put("a", sampleValue(0));
  for (const write of ["put", "create"] as const) {
    const name = write === "put" ? "a" : "b";
    let looks = 0;
    for (;;) {
      const outcome = await store[write](name, sampleValue(1), abortedAtLook(looks, reason)).catch((error) => error);
      if (outcome !== reason) break;
      looks++;
      assert.deepEqual(await filesIn(root), ["a"]);
      assert.deepEqual(await store.get("a"), sampleValue(write === "put" ? 0 : 1));
    }
    assert.ok(looks >= 3);
    assert.deepEqual(await store.get(name), sampleValue(1));
  }
});

/** A signal that is aborted at the moment when it is looked at for the nth time, counted from 0. */
function abortedAtLook(nth: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  let looks = 0;
  signal.throwIfAborted = () => {
    if (looks++ === nth) controller.abort(reason);
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return signal;
}

test("foreign and temporary files are not listed; stale temporary ones are swept by the first write", async (t) => {
  const root = await folder(t);
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
  const stale = `.tmp-1-${"0".repeat(16)}`;
  const fresh = `.tmp-2-${"0".repeat(16)}`;
  const foreign = [".tmp-notes", "a name", "ä.txt"];
  for (const name of [stale, fresh, ...foreign, "old"]) {
    await put(join(root, "groups", name), "x");
    await utimes(join(root, "groups", name), hoursAgo(25), hoursAgo(name === fresh ? 23 : 25));
  }
  await put(join(root, ".tmp-folder", "a"), "x");
  const store = directoryStore(root);
  assert.deepEqual(await store.list(""), ["groups/old"]);
  assert.deepEqual(await filesIn(join(root, "groups")), [stale, fresh, ...foreign, "old"].sort());
  await store.put("new", sampleValue(1));
  assert.deepEqual(await filesIn(join(root, "groups")), [fresh, ...foreign, "old"].sort());
  assert.deepEqual(await store.list(""), ["groups/old", "new"]);
});

test("a clock that is days ahead does not make a file stale that somebody is writing", async (t) => {
  const root = await folder(t);
  const living = `.tmp-1-${"0".repeat(16)}`;
  await put(join(root, "groups", living), "x");
  const { now } = Date;
  t.mock.method(Date, "now", () => now() + 72 * 3_600_000);
  await directoryStore(root).put("new", sampleValue(1));
  assert.deepEqual(await filesIn(join(root, "groups")), [living]);
});

test("a thousand creates race for fifty names, and each has one winner", async (t) => {
  const root = await folder(t);
  const stores = [directoryStore(root), directoryStore(root)];
  const calls = Array.from({ length: 1000 }, (_, call) => ({ name: `race/${call % 50}`, call }));
  const won = await Promise.all(
    calls.map(({ name, call }) =>
      stores[call % 2]!.create(name, sampleValue(call, 100)).then((isMine) => isMine && call),
    ),
  );
  const winners = won.filter((call) => call !== false);
  assert.equal(winners.length, 50);
  for (const call of winners) assert.deepEqual(await stores[0]!.get(`race/${call % 50}`), sampleValue(call, 100));
  assert.equal((await filesIn(root)).length, 50);
});

test("creates race between two processes, and each name has one winner", async (t) => {
  const root = await folder(t);
  const names = 200;
  const children = [1, 2].map(() => fork(writer, ["create", root, String(names)]));
  t.after(() => children.forEach((child) => void child.kill("SIGKILL")));
  await Promise.all(children.map((child) => once(child, "message")));
  const counts = children.map(async (child) => Number((await once(child, "message"))[0]));
  for (const child of children) child.send("go");
  const [first = 0, second = 0] = await Promise.all(counts);
  assert.equal(first + second, names);
  assert.equal((await filesIn(root)).length, names);
});

test("a writer killed at any moment leaves the old value or the new one, never a part", async (t) => {
  const root = await folder(t);
  const store = directoryStore(root);
  let child: ChildProcess | undefined;
  t.after(() => void child?.kill("SIGKILL"));
  const digests = new Set<string>();
  const read = async (): Promise<void> => {
    const value = await store.get("groups/0/a");
    if (!value) return;
    const digest = createHash("sha256").update(value.subarray(32)).digest("hex");
    assert.equal(Buffer.from(value.subarray(0, 32)).toString("hex"), digest, "a torn value was read");
    assert.equal(value.length, 1_000_032);
    digests.add(digest);
  };
  for (let kill = 0; kill < 8; kill++) {
    child = fork(writer, ["overwrite", root, "groups/0/a"]);
    const known = digests.size;
    while (digests.size === known) {
      assert.equal(child.exitCode ?? child.signalCode, null, "the writer has failed");
      await read();
    }
    for (let more = Math.floor(Math.random() * 20); more > 0; more--) await read();
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    await read();
  }
  assert.ok(digests.size >= 8);
  assert.deepEqual(await store.list(""), ["groups/0/a"]);
});
