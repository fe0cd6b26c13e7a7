import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { ConfigError } from "../../errors.js";
import { writeBeside } from "./write-config.js";

describe("a configuration that data makes", () => {
  const root = mkdtempSync(join(tmpdir(), "codistill-written-"));
  after(() => rmSync(root, { recursive: true }));
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(root, "x-"));
  });
  const path = (name: string) => join(folder, name);
  const write = (numSteps: number, asked: unknown) =>
    writeBeside(() => `export default { numSteps: ${numSteps} };\n`, asked, path("c.ts"));

  test("is written anew by the same command, whatever was measured meanwhile", () => {
    for (const numSteps of [1607, 1588, 1607]) {
      assert.equal(write(numSteps, ["rides.csv", "late"]), path("c.ts"));
      assert.match(readFileSync(path("c.ts"), "utf8"), new RegExp(`numSteps: ${numSteps} `));
    }
    assert.deepEqual(readdirSync(folder), ["c.ts"]);
  });

  test("has another name for another command, each of which keeps its own", () => {
    assert.equal(write(10, ["rides.csv", "late"]), path("c.ts"));
    assert.equal(write(10, ["rides.csv", "fare"]), path("c-2.ts"));
    assert.equal(write(11, ["rides.csv", "late"]), path("c.ts"));
    assert.equal(write(11, ["rides.csv", "fare"]), path("c-2.ts"));
  });

  test("stays as it is once its user has changed it, or written it", () => {
    write(10, []);
    const changed = readFileSync(path("c.ts"), "utf8").replace("10", "20");
    writeFileSync(path("c.ts"), changed);
    writeFileSync(path("c-2.ts"), "mine");
    assert.equal(write(10, []), path("c-3.ts"));
    assert.equal(readFileSync(path("c.ts"), "utf8"), changed);
    assert.equal(readFileSync(path("c-2.ts"), "utf8"), "mine");
  });

  test("is refused where nothing can be written", () => {
    assert.throws(() => writeBeside(() => "", [], path("nowhere/c.ts")), ConfigError);
  });
});
