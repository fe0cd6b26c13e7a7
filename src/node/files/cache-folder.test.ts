import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DataError } from "../../errors.js";
import { asCacheError, cacheFolderOf } from "./cache-folder.js";
import { inTemporaryFolder } from "./temporary-folder.js";

test("the cache is where the flag says, else the environment, else in the current folder", (t) => {
  const before = process.env.CODISTILL_CACHE;
  t.after(() => {
    if (before === undefined) delete process.env.CODISTILL_CACHE;
    else process.env.CODISTILL_CACHE = before;
  });
  delete process.env.CODISTILL_CACHE;
  assert.equal(cacheFolderOf(undefined), ".codistill/cache");
  process.env.CODISTILL_CACHE = "";
  assert.equal(cacheFolderOf(undefined), ".codistill/cache");
  process.env.CODISTILL_CACHE = "/scratch/cache";
  assert.equal(cacheFolderOf(undefined), "/scratch/cache");
  assert.equal(cacheFolderOf("mine"), "mine");
  // `clean --cache` without a folder.
  assert.equal(cacheFolderOf(true), "/scratch/cache");
  for (const [wrong, why] of [
    ["s3://bucket/cache", /CODISTILL_CACHE must be a path of this machine, got the address s3:/],
    ["~/cache", /CODISTILL_CACHE got ~\/cache, and ~ is written out by a shell alone.*\$HOME/],
  ] as const) {
    process.env.CODISTILL_CACHE = wrong;
    assert.throws(() => cacheFolderOf(undefined), why);
    assert.equal(cacheFolderOf("mine"), "mine");
  }
});

test("a cache that cannot be written to is told of with the cure, and other errors are as they were", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "codistill-cache-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "file");
  writeFileSync(file, "");
  const isCured = (error: unknown) =>
    error instanceof DataError &&
    /prepared data is kept in .*file.*--cache <folder>, or CODISTILL_CACHE\./.test(error.message);
  await assert.rejects(
    inTemporaryFolder(join(file, "cache"), undefined, async () => {}),
    isCured,
  );

  const failing = (code: string, path?: string) =>
    Object.assign(new Error(`${code}: failed`), { code, syscall: "write", ...(path && { path }) });
  const told = (error: unknown) => inTemporaryFolder(join(folder, "cache"), undefined, () => Promise.reject(error));
  for (const code of ["ENOSPC", "EROFS", "EDQUOT"]) await assert.rejects(told(failing(code)), /Make room there/, code);
  await assert.rejects(
    told(new Error(`Could not write file "${folder}/cache/.making-a/spill": No space left on device`)),
    /Make room there/,
  );
  for (const other of [
    failing("ENOSPC", "/elsewhere/out.csv"),
    failing("ENOENT"),
    new Error("Permission denied: /elsewhere"),
  ])
    assert.equal(asCacheError(join(folder, "cache"), other), other);
});

// Node's own recursion would try again for ever.
const timeout = 60_000;
test("a cache where no folder can be made is refused at once", {
  timeout,
  skip: process.platform !== "linux",
}, async () => {
  for (const cache of ["/proc/none", "/proc/none/cache", "/sys/none"]) {
    await assert.rejects(
      inTemporaryFolder(cache, undefined, async () => {}),
      (error: unknown) => error instanceof DataError && error.message.includes(`kept in ${cache}, and`),
    );
  }
});
