import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../errors.js";
import { columnNamed, columnOfFlag, columnsOfFlag, headerNames, listed, sqlNames } from "./names.js";

test("names of a header have no spaces around them, and a number where they are empty or come twice", () => {
  assert.deepEqual(headerNames(["\uFEFFa", " b ", "", "a", "a_1"]), ["a", "b", "column2", "a_2", "a_1"]);
});

test("SQL has no two names that differ in case alone", () => {
  assert.deepEqual(sqlNames(["Target", "x", "target"]), [
    { name: "Target" },
    { name: "x" },
    { name: "target_1", header: "target" },
  ]);
});

test("the very name wins, then the only one in another case", () => {
  const columns = sqlNames(["Target", "zone", "target"]);
  assert.deepEqual(columnNamed("target", columns), columns[2]);
  assert.deepEqual(columnNamed("Target", columns), columns[0]);
  assert.deepEqual(columnNamed("target_1", columns), columns[2]);
  assert.deepEqual(columnNamed("ZONE", columns), columns[1]);
  assert.equal(columnNamed("TARGET", columns), "several");
  assert.equal(columnNamed("zones", columns), null);
  const refusal = (pattern: RegExp) => (error: unknown) => error instanceof ConfigError && pattern.test(error.message);
  assert.throws(
    () => columnOfFlag("--time", "TARGET", columns),
    refusal(/any of the columns Target, target, which differ/),
  );
  assert.throws(
    () => columnOfFlag("--time", "zones", columns),
    refusal(/got "zones"; the columns are .* Did you mean zone\?/),
  );
});

test("a flag names a column with a comma whole, or in quotes, and several parted by commas", () => {
  const columns = ["a,b", "a", "b", 'say "x"'].map((name) => ({ name }));
  const named = (...given: string[]) => columnsOfFlag("--ignore", given, columns).map(({ name }) => name);
  assert.deepEqual(named("a,b"), ["a,b"]);
  assert.deepEqual(named("b, a"), ["b", "a"]);
  assert.deepEqual(named('"a,b", b'), ["a,b", "b"]);
  assert.deepEqual(named("a", "b"), ["a", "b"]);
  assert.deepEqual(listed('"say ""x""",b'), ['say "x"', "b"]);
});
