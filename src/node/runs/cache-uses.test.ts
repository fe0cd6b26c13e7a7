import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { notedUses, noteUse } from "./cache-uses.js";
import { encodeRunFile } from "./run-file.js";

test("a cache is used by every run that is there and says so, wherever it lies", (t) => {
  const root = mkdtempSync(join(tmpdir(), "codistill-uses-"));
  t.after(() => rmSync(root, { recursive: true }));
  const [cache, run] = [join(root, "cache"), join(root, "elsewhere", "run")];
  assert.deepEqual(notedUses(cache), { caches: [], unknown: null });
  mkdirSync(run, { recursive: true });
  noteUse(cache, run);
  // It is being prepared: its cache may be there already.
  assert.match(notedUses(cache).unknown ?? "", /which cache .*elsewhere\/run uses is not known/);
  const digest = "a".repeat(64);
  writeFileSync(join(run, "data.json"), encodeRunFile({ cache: join(cache, digest), digest }));
  assert.deepEqual(notedUses(cache), { caches: [digest], unknown: null });
  noteUse(cache, run);
  assert.equal(readdirSync(join(cache, "uses")).length, 1);
  writeFileSync(join(run, "data.json"), "damaged");
  assert.notEqual(notedUses(cache).unknown, null);
  rmSync(run, { recursive: true });
  assert.deepEqual(notedUses(cache), { caches: [], unknown: null });

  const note = (content: object) => writeFileSync(join(cache, "uses", "other.json"), JSON.stringify(content));
  note({ run: "/there/run", host: "elsewhere", pid: 1 });
  assert.match(notedUses(cache).unknown ?? "", /\/there\/run on elsewhere uses is not known here/);
  // One that died while it prepared uses nothing, and what is no note says nothing.
  const dead = join(root, "dead");
  mkdirSync(dead);
  note({ run: dead, host: hostname(), pid: spawnSync(process.execPath, ["-e", ""]).pid });
  assert.deepEqual(notedUses(cache), { caches: [], unknown: null });
  note([]);
  assert.deepEqual(notedUses(cache), { caches: [], unknown: null });
});
