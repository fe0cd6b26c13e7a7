import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findFiles } from "./source-files.js";

test("a source that is a pipe or a device is refused at once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "codistill-source-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, "rides.csv");
  execFileSync("mkfifo", [pipe]);
  await assert.rejects(findFiles(pipe), /a source is files, and ".*rides\.csv" is a named pipe\. Write what comes out/);
  await assert.rejects(findFiles("/dev/zero"), /a source is files, and "\/dev\/zero" is a device/);
  // One that a pattern matches is left out, as folders are.
  await assert.rejects(findFiles(join(folder, "*.csv")), /no file matches/);
});
