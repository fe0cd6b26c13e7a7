import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { directoryStore } from "../stores/directory-store.js";
import { takeOver } from "./ownership.js";

const root = mkdtempSync(join(tmpdir(), "codistill-ownership-"));
const folder = join(root, "group-0");
beforeEach(() => rmSync(folder, { recursive: true, force: true }));
after(() => rmSync(root, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (value: Uint8Array | null) => value && new TextDecoder().decode(value);

/** The store of a process that writes to the folder while it is the newest. */
function guarded(isNewest: () => boolean) {
  return directoryStore(folder, () => {
    if (!isNewest()) throw new Error("superseded");
  });
}

test("the start made last is the newest, and one that lost its folder is not", () => {
  const first = takeOver(folder);
  assert.deepEqual([first.start, first.isNewest()], [1, true]);
  const second = takeOver(folder);
  assert.deepEqual([second.start, second.isNewest(), first.isNewest()], [2, true, false]);
  assert.deepEqual(readdirSync(join(folder, "starts")), ["000000002"]);
  rmSync(folder, { recursive: true });
  assert.equal(second.isNewest(), false);
});

test("an older process writes, creates and removes nothing", async () => {
  const older = takeOver(folder);
  const files = guarded(older.isNewest);
  await files.put("checkpoint", bytes("older"));
  const newer = takeOver(folder);
  await guarded(newer.isNewest).put("checkpoint", bytes("newer"));
  await assert.rejects(files.put("checkpoint", bytes("older")), /superseded/);
  await assert.rejects(files.create("other", bytes("older")), /superseded/);
  await assert.rejects(files.remove("checkpoint"), /superseded/);
  assert.equal(textOf(await files.get("checkpoint")), "newer");
  assert.deepEqual(await files.list(""), ["checkpoint", "starts/000000002"]);
});

test("a process that is suspended between its look and its rename finds nothing to rename", async () => {
  const older = takeOver(folder);
  let hasLooked = false;
  const files = directoryStore(folder, () => {
    assert.equal(older.isNewest(), true);
    // What others do while it is suspended here.
    takeOver(folder);
    hasLooked = true;
  });
  writeFileSync(join(folder, "checkpoint"), "newer");
  await assert.rejects(files.put("checkpoint", bytes("older")), /ENOENT/);
  assert.equal(hasLooked, true);
  assert.equal(textOf(await files.get("checkpoint")), "newer");
});

test("the temporary files of older processes go, in folders too; links are not followed", () => {
  takeOver(folder);
  const outside = join(root, "outside");
  const name = `.tmp-1-${"0".repeat(16)}`;
  for (const path of [outside, join(folder, "starts")]) {
    if (!existsSync(path)) takeOver(path);
    writeFileSync(join(path, name), "");
  }
  symlinkSync(outside, join(folder, "recorded"));
  takeOver(folder);
  assert.equal(existsSync(join(folder, "starts", name)), false);
  assert.equal(existsSync(join(outside, name)), true);
});

test("a folder that cannot be owned is refused", () => {
  takeOver(folder);
  rmSync(join(folder, "starts"), { recursive: true });
  symlinkSync(root, join(folder, "starts"));
  assert.throws(() => takeOver(folder), /starts must be a folder/);
  assert.throws(() => takeOver(join(folder, "starts\0")), /must be a folder that this user can write to/);
});
