/** What an editor shows of the options of a configuration, by the declarations that the package carries. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ImageRunInput, TableRunInput, TextRunInput } from "../../src/run/input/run.js";
import { defineRun, type RunInput } from "../../src/run/schema.js";

const folders = ["input", "algorithms"].map((name) =>
  fileURLToPath(new URL(`../../src/run/${name}/`, import.meta.url)),
);
const files = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".d.ts") && name !== "kind.d.ts")
    .map((name) => `${folder}${name}`),
);

/** Of each interface its options, and those of them that have no documentation right before. */
function optionsIn(declarations: string): { readonly all: string[]; readonly bare: string[] } {
  const all: string[] = [];
  const bare: string[] = [];
  const lines = declarations.split("\n");
  for (const [i, line] of lines.entries()) {
    const name = /^ {4}readonly (\w+)\??:/.exec(line)?.[1];
    // What kind something is says itself.
    if (name === undefined || name === "kind") continue;
    all.push(name);
    if (!/\*\/\s*$/.test(lines[i - 1] ?? "")) bare.push(name);
  }
  return { all, bare };
}

test("every option of a configuration is documented where an editor looks for it", () => {
  const found = files.map((name) => optionsIn(readFileSync(name, "utf8")));
  const all = found.flatMap((one) => one.all);
  assert.ok(all.length > 100, `${all.length} options`);
  for (const name of [
    "burnInSteps",
    "numGroups",
    "learningRate",
    "label",
    "sequenceLength",
    "hidden",
    "classWeights",
  ]) {
    assert.ok(all.includes(name), name);
  }
  assert.deepEqual(
    found.flatMap((one) => one.bare),
    [],
  );
});

test("what defineRun takes is what is documented", () => {
  const declared = (name: string) =>
    readFileSync(fileURLToPath(new URL(`../../src/run/${name}`, import.meta.url)), "utf8");
  assert.match(declared("schema.d.ts"), /export declare function defineRun\(config: RunInput\): RunInput;/);
  // Compiled as well: it takes documented configurations of any kind; that it takes nothing else is said in run/kinds/kind.ts.
  const documented: (input: TableRunInput | TextRunInput | ImageRunInput) => RunInput = defineRun;
  assert.equal(documented, defineRun);
});
