import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { NASTY } from "../../../test/fixtures/launch-plan.js";
import { foldedLine, quotedWords, shellLine } from "./shell.js";

/** The words that a shell makes of a line, after a program that prints them. */
function wordsOf(line: string): string[] {
  const { stdout, status } = spawnSync("sh", ["-c", line], { encoding: "utf8" });
  assert.equal(status, 0, line);
  return stdout.split("\0").slice(0, -1);
}

test("a shell makes of a line the words that it was made of, whatever they are, also where it is folded", () => {
  const some = fc.sample(fc.string({ unit: "binary" }), 300).map((text) => text.replaceAll("\0", ""));
  const words = [NASTY, "", "-", "--flag", "~", "*", "a=b", "\n", "'", "\\", ...some];
  const program = ["printf", "%s\\0"];
  assert.deepEqual(wordsOf(shellLine([...program, ...words])), words);
  assert.deepEqual(wordsOf(foldedLine(quotedWords([...program, ...words]), "    ", 40)), words);
});

test("a program whose name looks like an assignment is a program", () => {
  const { stderr, status } = spawnSync("sh", ["-c", shellLine(["A=1", "true"])], { encoding: "utf8" });
  assert.equal(status, 127, stderr);
});

test("a folded line keeps an option and its value together, and is no wider than asked", () => {
  const line = foldedLine(
    ["mpirun", "--bind-to", "none", "-n", "2", "node", "--store", "/shared/s", "--group", "0"],
    "  ",
    24,
  );
  assert.equal(line, "mpirun --bind-to none \\\n  -n 2 node \\\n  --store /shared/s \\\n  --group 0");
});
