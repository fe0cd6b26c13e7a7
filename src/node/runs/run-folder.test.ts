import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError } from "../../errors.js";
import { existingRun, runFolder } from "./run-folder.js";
import { checkJoin } from "./scope.js";

const root = mkdtempSync(join(tmpdir(), "codistill-run-folder-"));
after(() => rmSync(root, { recursive: true }));
const run = join(root, "runs", "a-2026");
mkdirSync(join(run, "store"), { recursive: true });
for (const file of [runFolder(run).config, runFolder(run).log]) writeFileSync(file, "");

const refused = (pattern: RegExp) => (error: unknown) => error instanceof ConfigError && pattern.test(error.message);

test("a run is found by its folder, and what is none is refused with the runs that are near", () => {
  for (const path of [run, `${run}/`, join(root, "x", "..", "runs", "a-2026")])
    assert.ok(existingRun(path).config.endsWith(join("runs", "a-2026", "config.json")), path);
  for (const near of [join(root, "runs"), join(run, "log.jsonl"), join(run, "store"), join(run, "none")])
    assert.throws(
      () => existingRun(near),
      refused(/is not a run folder: it has no config\.json\. Did you mean .*a-2026\?$/),
      near,
    );
  for (const far of [root, join(root, "none", "there")])
    assert.throws(() => existingRun(far), refused(/is not a run folder: it has no config\.json\.$/), far);
});

test("the folder of a run is no store to be joined; its own store is", () => {
  assert.throws(
    () => checkJoin(2, { store: run }),
    refused(/is the folder of a run.* own store is .*a-2026\/store; .*--resume/),
  );
  checkJoin(2, { store: join(run, "store") });
});
