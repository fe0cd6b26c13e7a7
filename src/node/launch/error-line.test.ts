import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { ConfigError } from "../../errors.js";
import { errorLine, errorText } from "./error-line.js";

const thrown = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
};

test("an error that is the user's to mend is its message, cut where it has no end", () => {
  assert.equal(errorLine(new ConfigError("a\nb")), "a\nb");
  const long = errorLine(new ConfigError("x".repeat(10_000_000)));
  assert.equal(long, `${"x".repeat(4000)}... (9996000 more characters)`);
});

test("an error of the system is a sentence with its cure", () => {
  const error = thrown(() => statSync("/nowhere/at all"));
  assert.match(errorLine(error), /^ENOENT: no such file or directory, stat '\/nowhere\/at all'\. .*check its path\.$/);
  const unknown = Object.assign(new Error("EWEIRD: odd"), { code: "EWEIRD", syscall: "x" });
  assert.equal(errorLine(unknown), "EWEIRD: odd. Check the path, and try again.");
});

test("any other error is called a defect, in one line, with its stack when that is wanted", () => {
  const error = thrown(() => (undefined as unknown as { x: number }).x);
  const line = errorText(error, false);
  assert.match(
    line,
    /^this is a defect of codistill, .*: TypeError: Cannot read .* set CODISTILL_STACK=1 to see where$/,
  );
  assert.ok(!line.includes("\n"));
  assert.match(errorText(error, true), /set CODISTILL_STACK=1 to see where\nTypeError: .*\n +at /);
  assert.match(errorLine("words\nin lines"), /: thrown: words in lines\. Please report it/);
  assert.ok(errorLine(new RangeError("x".repeat(1e6))).length < 800);
  assert.equal(errorText(new ConfigError("x"), true), "x");
});
