import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { withHugePages } from "./huge-pages.js";

test("huge pages are asked for beside what the user has set", () => {
  assert.deepEqual(withHugePages({ A: "1" }), { A: "1", GLIBC_TUNABLES: "glibc.malloc.hugetlb=1" });
  assert.deepEqual(withHugePages({ GLIBC_TUNABLES: "glibc.malloc.check=1" }), {
    GLIBC_TUNABLES: "glibc.malloc.check=1:glibc.malloc.hugetlb=1",
  });
});

test("a user who says no is heeded", () => {
  const environment = { GLIBC_TUNABLES: "glibc.malloc.hugetlb=0" };
  assert.equal(withHugePages(environment), environment);
});

test("a process starts with it without a word", () => {
  const { stdout, stderr } = spawnSync(process.execPath, ["--eval", "console.log(new Float32Array(1e6).length)"], {
    encoding: "utf8",
    env: withHugePages(process.env),
  });
  assert.deepEqual({ stdout, stderr }, { stdout: "1000000\n", stderr: "" });
});
